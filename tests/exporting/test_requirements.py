import sys

import keras
import pytest

from exporting.networks import OPTIONS
from roadseg.errors import InputError, RoadSegError
from roadseg.exporting.requirements import check_requirements


def options(**changes):
    return OPTIONS.model_copy(update=changes)


def test_what_can_be_written_and_proved_is_not_refused():
    check_requirements(options(formats=["onnx", "litert", "saved_model"]))
    check_requirements(options(precision="int8", opset=13, ir_version=8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opset": 12}, r"^opset: expected 13, the oldest with all operators of a SegNet, to \d+, .* received 12$"),
        ({"opset": 99}, r"^opset: expected 13, .* received 99$"),
        ({"ir_version": 3}, r"^ir_version: expected 8, .* received 3$"),
    ],
)
def test_versions_that_can_not_be_written_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        check_requirements(options(**changes))
    check_requirements(options(formats=["litert"], **changes))  # which has other versions


@pytest.mark.parametrize(
    ("package", "changes", "message"),
    [
        ("onnx", {}, r"^a file in ONNX needs the package onnx, of the extra 'export': pip install onnx$"),
        ("onnxruntime", {}, r"^proving .* package onnxruntime, of the extra 'export'"),
        (
            "onnxruntime",
            {"precision": "int8", "onnx_runtimes": ["openvino"]},
            r"^a model in int8 needs the package onnxruntime, of the extra 'export': pip install onnxruntime$",
        ),
        ("openvino", {}, r"^proving .* package openvino, of the extra 'openvino': pip install openvino$"),
        ("ai_edge_litert", {"formats": ["litert"]}, r"^proving .* package ai-edge-litert, of the extra 'litert'"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package, changes, message):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RoadSegError, match=message):
        check_requirements(options(**changes))
    check_requirements(options(formats=["saved_model"]))  # which needs none of them


def test_a_backend_that_can_not_write_a_format_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    check_requirements(options(formats=["onnx"]))
    for name in ("litert", "saved_model"):
        with pytest.raises(RoadSegError, match=r"^only TensorFlow writes .*, but Keras runs on jax: set KERAS_BACKEND"):
            check_requirements(options(formats=[name]))
