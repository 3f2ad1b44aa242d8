"""The layers of a SegNet in ONNX: each writes the operators that it consists of.

Maps are (batch, channels, height, width) there. Pooling and unpooling are written without the operators for positions:
OpenVINO and TensorRT can't read `MaxUnpool`, and onnxruntime is faster with the operators that are used here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from roadseg.errors import InputError
from roadseg.exporting.onnx_graph import Name, OnnxGraph
from roadseg.segnet.layers import MaxPoolingWithIndices2D, MaxUnpooling2D

Size = tuple[int, int]
"""(height, width) in pixels."""

HEIGHT, WIDTH = 2, 3
"""Axes of a map."""


class Positions(NamedTuple):
    """Where the maxima of windows of 2x2 are: three maps of 0.0 and 1.0, one pixel per window.

    Attributes:
        is_first: The upper left pixel is a maximum.
        is_upper: One of the two upper pixels is.
        is_left: One of the two left pixels is; where none of the upper ones is, that is the lower left one.
    """

    is_first: Name
    is_upper: Name
    is_left: Name


Value = Name | Positions
"""What stands for a tensor of Keras: pooling returns its maxima and their positions."""


def write_layer(graph: OnnxGraph, layer: keras.Operation, inputs: Sequence[Value], size: Size) -> list[Value]:
    """Adds a layer to a graph, and returns what stands for its outputs.

    Args:
        graph: Gets the operators.
        layer: Of a network whose batch norms are folded.
        inputs: What stands for its inputs.
        size: (height, width) of its first input.

    Raises:
        InputError: If it is a layer that SegNet does not have, or has settings that SegNet's do not have.
    """
    first = inputs[0]
    match layer:
        case keras.layers.Dropout():
            return [first]
        case keras.layers.Activation() if layer.activation is keras.activations.linear:
            return [first]
        case keras.layers.ReLU() if (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0):
            return [graph.add("Relu", str(first), layer=layer.name)]
        case keras.layers.Conv2D() if _is_plain(layer):
            return [_convolve(graph, layer, str(first))]
        case keras.layers.GroupNormalization() if _takes_each_channel_alone(layer):
            return [_normalize(graph, layer, str(first), size)]
        case MaxPoolingWithIndices2D():
            return list(_pool(graph, layer.name, str(first), size))
        case MaxUnpooling2D() if isinstance(inputs[1], Positions):
            return [_unpool(graph, layer, str(first), inputs[1])]
    raise InputError(f"layer '{layer.name}' is a {type(layer).__name__} that no SegNet of this project has")


def _is_plain(layer: keras.layers.Conv2D) -> bool:
    steps = (layer.strides, layer.dilation_rate, layer.groups)
    is_centred = layer.padding == "same" and all(length % 2 for length in layer.kernel_size)
    return steps == ((1, 1), (1, 1), 1) and is_centred and layer.activation is keras.activations.linear


def _convolve(graph: OnnxGraph, layer: keras.layers.Conv2D, maps: Name) -> Name:
    kernel, *bias = layer.get_weights()
    weights = [graph.hold(np.transpose(kernel, (3, 2, 0, 1))), *map(graph.hold, bias)]
    height, width = layer.kernel_size
    around = [height // 2, width // 2] * 2  # above, left, below, right
    return graph.add("Conv", maps, *weights, layer=layer.name, kernel_shape=[height, width], pads=around)


def _takes_each_channel_alone(layer: keras.layers.GroupNormalization) -> bool:
    channels = layer.input.shape[-1]
    return layer.groups in (channels, -1) and layer.axis in (-1, 3) and not layer.scale and not layer.center


def _normalize(graph: OnnxGraph, layer: keras.layers.GroupNormalization, images: Name, size: Size) -> Name:
    """Adds the contrast layer: each channel of whole numbers 0..255 gets mean 0 and deviation 1.

    A mean that is wrong by 1e-5 moves maxima to other pixels where two of a window are nearly equal. So it is exact:
    runtimes add the numbers of a row in any order without rounding, and then the rows as integers. The variance is the
    mean over the rows of their means, as one long sum rounds more; the division between keeps runtimes from joining
    the sums.
    """
    name, (height, width) = layer.name, map(graph.hold, size)
    rows = graph.cast(graph.sum(images, WIDTH, layer=name), np.int32, layer=name)
    total = graph.cast(graph.sum(rows, HEIGHT, layer=name), np.float32, layer=name)
    mean = graph.add("Div", total, graph.hold(size[0] * size[1]), layer=name)
    centred = graph.add("Sub", images, mean, layer=name)
    squares = graph.add("Mul", centred, centred, layer=name)
    rows = graph.add("Div", graph.sum(squares, WIDTH, layer=name), width, layer=name)
    variance = graph.add("Div", graph.sum(rows, HEIGHT, layer=name), height, layer=name)
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.hold(layer.epsilon), layer=name), layer=name)
    return graph.add("Div", centred, deviation, layer=name)


def _pool(graph: OnnxGraph, layer: str, maps: Name, size: Size) -> tuple[Name, Positions]:
    """Adds four poolings, of which each sees another part of every window.

    An odd last row or column forms windows of its own, whose missing pixels are never a maximum.
    """

    def pool(height: int, width: int) -> Name:
        missing = [0, 0, size[0] % 2 * (height - 1), size[1] % 2 * (width - 1)]
        return graph.add("MaxPool", maps, layer=layer, kernel_shape=[height, width], strides=[2, 2], pads=missing)

    maxima = pool(2, 2)
    parts = (graph.add("Equal", pool(*part), maxima, layer=layer) for part in ((1, 1), (1, 2), (2, 1)))
    return maxima, Positions(*(graph.cast(each, np.float32, layer=layer) for each in parts))


def _unpool(graph: OnnxGraph, layer: MaxUnpooling2D, values: Name, positions: Positions) -> Name:
    """Adds the map that has each value at its position, zeros elsewhere: of several maxima the first one counts."""
    name = layer.name

    def share(values: Name, where: Name) -> tuple[Name, Name]:
        taken = graph.add("Mul", values, where, layer=name)
        return taken, graph.add("Sub", values, taken, layer=name)

    upper, lower = share(values, positions.is_upper)
    upper_left = graph.add("Mul", values, positions.is_first, layer=name)
    upper_right = graph.add("Sub", upper, upper_left, layer=name)
    return _interleave(graph, layer, [upper_left, upper_right, *share(lower, positions.is_left)])


def _interleave(graph: OnnxGraph, layer: MaxUnpooling2D, corners: Sequence[Name]) -> Name:
    """Adds the map of which the corners are the four pixels of every window, row by row.

    Its columns are put together by transposing one matrix of two rows per channel. `DepthToSpace` does the same, but
    takes onnxruntime longer; so do many small matrices with two threads, which wait for each other after each.
    """
    name, (height, width), channels = layer.name, layer.output_size, layer.output.shape[-1]
    rows, columns = (height + 1) // 2, (width + 1) // 2
    upper_left, upper_right, lower_left, lower_right = corners
    left = graph.add("Concat", upper_left, lower_left, layer=name, axis=WIDTH)
    right = graph.add("Concat", upper_right, lower_right, layer=name, axis=WIDTH)
    both = graph.add("Concat", left, right, layer=name, axis=HEIGHT)
    apart = graph.reshape(both, (0, channels, 2, 2 * rows * columns), layer=name)
    paired = graph.add("Transpose", apart, layer=name, perm=[0, 1, 3, 2])
    spread = graph.reshape(paired, (0, channels, 2 * rows, 2 * columns), layer=name)
    if (2 * rows, 2 * columns) == (height, width):
        return spread
    start, end, axes = ([0, 0], [height, width], [HEIGHT, WIDTH])
    return graph.add("Slice", spread, *(graph.hold(each, np.int64) for each in (start, end, axes)), layer=name)
