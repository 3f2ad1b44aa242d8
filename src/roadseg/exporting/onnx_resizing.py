"""Images and logits of another size than the network's, in ONNX."""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import numpy as np

from roadseg.exporting.onnx_graph import Name, OnnxGraph
from roadseg.exporting.resampling import COLUMNS, ROWS, Areas, Neighbours, Size, Taps, Windows, plan_resizing

LAYER = "resizing"
"""Names the operators."""


def resize_images(graph: OnnxGraph, images: Name, size: Size, new: Size) -> Name:
    """Adds what `resize_image` does.

    Args:
        graph: Gets the operators.
        images: (batch, height, width, 3) float32, whole numbers 0..255.
        size: (height, width) in pixels.
        new: The same of the result.
    """
    for step in plan_resizing(size, new):
        match step:
            case Windows():
                images = _average_windows(graph, images, size, step)
                size = size[0] // step.height, size[1] // step.width
            case Areas():
                within = _add_up(graph, _weigh(graph, images, step.columns, COLUMNS))
                images = graph.add("Round", _add_up(graph, _weigh(graph, within, step.rows, ROWS)), layer=LAYER)
            case Neighbours():
                images = _interpolate(graph, images, step)
    return images


def _average_windows(graph: OnnxGraph, images: Name, size: Size, windows: Windows) -> Name:
    """Adds sums of slices: sums over axes take four times as long."""
    height, width = size[0] // windows.height, size[1] // windows.width
    within = _add_parts(graph, images, (0, height, windows.height * size[1] * 3), windows.height)
    total = _add_parts(graph, within, (0, height, width, windows.width * 3), windows.width)
    mean = graph.add("Mul", total, graph.hold(windows.scale), layer=LAYER)
    if windows.rounds_halves_up:
        return graph.add("Floor", graph.add("Add", mean, graph.hold(0.5), layer=LAYER), layer=LAYER)
    return graph.add("Round", mean, layer=LAYER)


def _add_parts(graph: OnnxGraph, values: Name, shape: Sequence[int], parts: int) -> Name:
    """Adds a shape, and then the sum of equal parts of its last axis."""
    axis, length = len(shape) - 1, shape[-1] // parts
    apart = graph.reshape(values, shape, layer=LAYER)
    bounds = [graph.hold([part * length], np.int64) for part in range(parts + 1)]
    axes = graph.hold([axis], np.int64)
    return _add_up(graph, [graph.add("Slice", apart, *ends, axes, layer=LAYER) for ends in pairwise(bounds)])


def _interpolate(graph: OnnxGraph, images: Name, neighbours: Neighbours) -> Name:
    """Adds integer arithmetic in float32, which is exact up to 2^24."""
    within = _add_up(graph, _weigh(graph, images, neighbours.columns, COLUMNS))
    rounded = _divide(graph, within, 16)
    # Its products with the weights of rows may be larger, so it is split into a multiple of 256 and the rest.
    high = _divide(graph, rounded, 256)
    low = graph.add("Sub", rounded, graph.add("Mul", high, graph.hold(256), layer=LAYER), layer=LAYER)
    split = zip(*(_weigh(graph, each, neighbours.rows, ROWS) for each in (high, low)), strict=True)
    sums = [graph.add("Add", upper, _divide(graph, lower, 256), layer=LAYER) for upper, lower in split]
    return _divide(graph, _add_up(graph, [*(_divide(graph, each, 256) for each in sums), graph.hold(2)]), 4)


def _weigh(graph: OnnxGraph, images: Name, taps: Taps, axis: int) -> list[Name]:
    """Adds the product of each tap."""
    products = []
    for positions, weights in zip(*taps, strict=True):
        taken = graph.add("Gather", images, graph.hold(positions, np.int64), layer=LAYER, axis=axis)
        # With a weight per channel each row is one product, not one per pixel.
        shaped = weights[:, None, None] if axis == ROWS else np.repeat(weights[:, None], 3, axis=1)
        products.append(graph.add("Mul", taken, graph.hold(shaped), layer=LAYER))
    return products


def _add_up(graph: OnnxGraph, terms: Sequence[Name]) -> Name:
    """Adds the sum of terms, in their order."""
    return reduce(lambda total, term: graph.add("Add", total, term, layer=LAYER), terms)


def _divide(graph: OnnxGraph, values: Name, divisor: int) -> Name:
    """Adds a division by a power of 2, rounded down."""
    return graph.add("Floor", graph.add("Mul", values, graph.hold(1 / divisor), layer=LAYER), layer=LAYER)


def resize_logits(graph: OnnxGraph, logits: Name, size: Size, new: Size) -> Name:
    """Adds what `choose_class` does to logits of another size than the image.

    Args:
        graph: Gets the operators.
        logits: (batch, classes, height, width) float32.
        size: (height, width) in pixels.
        new: The same of the result.
    """
    if size == new:
        return logits
    scales = graph.hold([1, 1, _find_scale(size[0], new[0]), _find_scale(size[1], new[1])])
    how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return graph.add("Resize", logits, "", scales, layer=LAYER, **how)


def _find_scale(length: int, new: int) -> float:
    """Returns the factor in float32 with which runtimes find the length: they round the product down."""
    scale = np.float32(new / length)
    return float(scale if length * float(scale) >= new else np.nextafter(scale, np.float32(np.inf)))
