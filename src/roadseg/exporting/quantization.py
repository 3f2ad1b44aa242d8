"""Quantisation of a model in ONNX: its convolutions compute with integers of 8 bits, all else in float32."""

import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from roadseg.errors import InputError, RoadSegError
from roadseg.exporting.onnx_graph import import_onnx

if TYPE_CHECKING:
    from onnx import ModelProto

Image = NDArray[np.uint8]

METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
"""Name of a method of calibration -> what onnxruntime calls it."""

QUANTIZED = ["Conv", "Relu", "MaxPool"]
"""Operators with integers in and out. Pooling is one of them because the maxima of four poolings are compared: so their
map is quantised before, once, and they take over its scale. With scales of their own, equal ones would differ."""


class QuantizationOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How a model is quantised.

    Attributes:
        method: Which range of the values that a map had on the calibration scenes is kept: `minmax` the whole one;
            `entropy` and `percentile` leave out rare large values.
        float_ends: Whether the first and the last convolution stay in float32.
    """

    method: Literal["minmax", "entropy", "percentile"]
    float_ends: bool


def quantize_onnx(model: "ModelProto", images: Mapping[str, Image], options: QuantizationOptions) -> "ModelProto":
    """Returns a model whose convolutions compute with integers of 8 bits, which `onnx.checker` accepts.

    Maps are uint8, with one scale and zero point each; kernels are int8, with a scale per output channel. Inputs,
    outputs and metadata stay; `precision` and `calibration` in the metadata say how it was quantised.

    Args:
        model: As `convert_to_onnx` returns it; it stays as it is.
        images: Training scene -> (height, width, 3) uint8, RGB, of the size of the model.
        options: How.

    Raises:
        RoadSegError: If onnx or onnxruntime is missing.
        InputError: If there are no images.
    """
    if not images:
        raise InputError("a model in int8 is calibrated with training scenes, and the split has none")
    onnx, quantization = import_onnx(), import_quantization()
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    # Its batch norms are folded: without this mark, onnxruntime advises to do so first.
    quantization.quant_utils.add_pre_process_metadata(prepared)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # the calibration prints
        path = Path(folder) / "model.onnx"
        quantization.quantize_static(
            prepared,
            path,
            _CalibrationReader(images),
            op_types_to_quantize=QUANTIZED,
            nodes_to_exclude=_find_ends(model) if options.float_ends else [],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,  # with QInt8, processors of Intel and AMD take twice as long
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod[METHODS[options.method]],
            extra_options={
                "CalibStridedMinMax": 1,  # else the maps of all images are in memory at once
                "ForceQuantizeNoInputCheck": True,  # else a map that a float32 convolution gives is not quantised
            },
        )
        quantized: ModelProto = onnx.load(path)
    metadata = {each.key: each.value for each in model.metadata_props}
    added = {key: json.dumps(value) for key, value in describe_quantization(images, options).items()}
    onnx.helper.set_model_props(quantized, metadata | added)
    onnx.checker.check_model(quantized, full_check=True)
    return quantized


def describe_quantization(scenes: Iterable[str], options: QuantizationOptions) -> dict[str, Any]:
    """Returns what a model in int8 says about its quantisation, ready for JSON."""
    return {"precision": "int8", "calibration": {"scenes": list(scenes), **options.model_dump()}}


def import_quantization() -> Any:
    """Returns onnxruntime's module of that name.

    Raises:
        RoadSegError: If onnxruntime is missing.
    """
    try:
        from onnxruntime import quantization  # only who takes the extra `export` has it
    except ImportError as fault:
        raise RoadSegError(
            "a model in int8 needs the package onnxruntime, of the extra 'export': pip install onnxruntime"
        ) from fault
    return quantization


def _find_ends(model: "ModelProto") -> list[str]:
    """Returns the names of the first and of the last convolution."""
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    return [convolutions[0], convolutions[-1]]


class _CalibrationReader:
    """Gives onnxruntime the images one by one."""

    def __init__(self, images: Mapping[str, Image]) -> None:
        self._images = list(images.values())
        self._rest: Iterator[Image] = iter(())

    def __len__(self) -> int:
        return len(self._images)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._rest = iter(self._images[start_index:end_index])

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._rest, None)
        return None if image is None else {"images": image[None]}
