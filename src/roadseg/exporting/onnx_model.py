"""A trained SegNet as a model in ONNX, for runtimes that have neither Keras nor this project."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from pydantic import BaseModel, PositiveInt

from roadseg import __version__
from roadseg.errors import InputError
from roadseg.exporting.model_description import Outputs, describe_model
from roadseg.exporting.onnx_graph import Name, OnnxGraph, find_element_type, import_onnx
from roadseg.exporting.onnx_layers import Value, write_layer
from roadseg.exporting.onnx_resizing import resize_images, resize_logits
from roadseg.exporting.resampling import ImageSize, Size
from roadseg.segnet.folding import fold_batch_norms
from roadseg.segnet.layer_calls import list_calls
from roadseg.segnet.trained import TrainedSegNet

if TYPE_CHECKING:
    from onnx import ModelProto

IMAGES, LABEL_MAP, CONFIDENCE, LOGITS = "images", "label_map", "confidence", "logits"
"""Names of the input and of the outputs."""

OLDEST_OPSET = 13
"""Since then `ReduceSum` takes its axes as an input: https://github.com/onnx/onnx/blob/main/docs/Changelog.md."""

CHANNELS = 1
"""Axis of a map."""


class OnnxOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """What a model in ONNX returns, and who can read it.

    Attributes:
        outputs: `classes` returns class ids and confidences, `logits` what these are computed from.
        opset: Version of the operators, from 13. Old runtimes read only old ones.
        ir_version: Version of the file format; None is the oldest one that may hold the opset.
        image_size: (height, width) in pixels of images and outputs; None is the size of the network.
    """

    outputs: Outputs
    opset: int
    ir_version: PositiveInt | None
    image_size: ImageSize | None


def convert_to_onnx(model: TrainedSegNet, options: OnnxOptions) -> "ModelProto":
    """Returns a trained network as a model in ONNX, float32 and with folded batch norms, which `onnx.checker` accepts.

    The input `images` is (batch, height, width, 3) uint8, RGB, of any batch. Images of another size than the network's
    and their logits are resized inside, as a `Predictor` does it. With `classes` the outputs are `label_map`, (batch,
    height, width) uint8, class ids, of equal logits the first, and `confidence`, of the same shape, float32, 0..1: the
    softmax at that class, at the temperature of the record. With `logits` the output is `logits`, (batch, height,
    width, classes) float32. Dropout is left out. The entries of the record that say what a prediction means and where
    the network came from are in `metadata_props`, as JSON.

    Args:
        model: A trained model.
        options: Outputs, size and versions.

    Raises:
        RoadSegError: If the package onnx is missing.
        InputError: If a version is none that onnx can write, or the network has a layer that no SegNet has.
    """
    onnx = import_onnx()
    check_versions(options)
    network = fold_batch_norms(model.network, "float32")
    graph = OnnxGraph(options.opset)
    _, *network_size, classes = network.output.shape
    shape = (*(options.image_size or network_size), classes)
    logits = _write_network(graph, network, shape[:2])
    if options.outputs == "classes":
        _write_classes(graph, logits, shape, model.record.temperature or 1.0)
    else:
        graph.add("Transpose", logits, layer=LOGITS, output=LOGITS, perm=[0, 2, 3, 1])
    opset = onnx.helper.make_opsetid("", options.opset)
    converted: ModelProto = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, network.name, *_describe_tensors(shape, options.outputs), graph.constants),
        opset_imports=[opset],
        ir_version=options.ir_version or onnx.helper.find_min_ir_version_for([opset]),
        producer_name="roadseg",
        producer_version=__version__,
    )
    description = describe_model(model.record, options.image_size)
    onnx.helper.set_model_props(converted, {key: json.dumps(value) for key, value in description.items()})
    onnx.checker.check_model(converted, full_check=True)
    return converted


def check_versions(options: OnnxOptions) -> None:
    """Refuses versions of the operators or of the format that can't be written.

    Raises:
        RoadSegError: If the package onnx is missing.
        InputError: If it does not know a version, or one is too old.
    """
    onnx = import_onnx()
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= options.opset <= newest:
        raise InputError(
            f"opset: expected {OLDEST_OPSET}, the oldest with all operators of a SegNet, to {newest}, the newest that "
            f"onnx {onnx.__version__} knows, received {options.opset}"
        )
    oldest_format = onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", options.opset)])
    if options.ir_version and not oldest_format <= options.ir_version <= onnx.IR_VERSION:
        raise InputError(
            f"ir_version: expected {oldest_format}, the oldest that may hold opset {options.opset}, to "
            f"{onnx.IR_VERSION}, the newest that onnx {onnx.__version__} knows, received {options.ir_version}"
        )


def _describe_tensors(shape: Sequence[int], outputs: Outputs) -> tuple[list[Any], list[Any]]:
    """Returns name, type and shape of the input and of each output; a shape is (height, width, classes)."""
    *size, _ = shape

    def describe(name: Name, dtype: type[np.generic], shape: Sequence[int]) -> Any:
        return import_onnx().helper.make_tensor_value_info(name, find_element_type(dtype), ["batch", *shape])

    images = [describe(IMAGES, np.uint8, [*size, 3])]
    if outputs == "logits":
        return images, [describe(LOGITS, np.float32, shape)]
    return images, [describe(LABEL_MAP, np.uint8, size), describe(CONFIDENCE, np.float32, size)]


def _write_network(graph: OnnxGraph, network: keras.Model, size: Size) -> Name:
    """Adds all layers of a network, from images of a size to logits of that size, (batch, classes, height, width)."""
    network_size = network.input.shape[1:3]
    floats = resize_images(graph, graph.cast(IMAGES, np.float32, layer=IMAGES), size, network_size)
    values: dict[int, Value] = {id(network.input): graph.add("Transpose", floats, layer=IMAGES, perm=[0, 3, 1, 2])}
    for node in (node for node in list_calls(network) if not node.is_input):
        inputs = [values[id(each)] for each in node.input_tensors]
        written = write_layer(graph, node.operation, inputs, node.input_tensors[0].shape[1:3])
        values |= {id(each): value for each, value in zip(node.outputs, written, strict=True)}
    return resize_logits(graph, str(values[id(network.output)]), network_size, size)


def _write_classes(graph: OnnxGraph, logits: Name, shape: Sequence[int], temperature: float) -> None:
    """Adds the class of each pixel, and the softmax at that class.

    Args:
        graph: Gets the operators.
        logits: (batch, classes, height, width).
        shape: (height, width, classes).
        temperature: Divides the logits before the softmax.
    """
    *size, classes = shape
    # OpenVINO takes twice as long where logits that it has resized are not one line per class.
    lines = graph.reshape(logits, (0, classes, math.prod(size)), layer=LOGITS)
    best = graph.add("ArgMax", lines, layer=LABEL_MAP, axis=CHANNELS, keepdims=0)  # the first of equal ones
    ids = graph.reshape(best, (0, *size), layer=LABEL_MAP)
    graph.cast(ids, np.uint8, layer=LABEL_MAP, output=LABEL_MAP)
    lower = graph.add("Sub", lines, graph.maximum(lines, CHANNELS, layer=CONFIDENCE), layer=CONFIDENCE)
    odds = graph.add("Exp", graph.add("Mul", lower, graph.hold(1 / temperature), layer=CONFIDENCE), layer=CONFIDENCE)
    total = graph.add("ReduceSum", odds, graph.hold([CHANNELS], np.int64), layer=CONFIDENCE, keepdims=0)
    graph.add("Reciprocal", graph.reshape(total, (0, *size), layer=CONFIDENCE), layer=CONFIDENCE, output=CONFIDENCE)
