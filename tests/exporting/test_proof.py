import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from exporting.networks import CLASSES, OPTIONS, model_of, pictures
from roadseg.errors import FileError, InputError, RoadSegError, describe_validation
from roadseg.exporting.exported_model import export_model
from roadseg.exporting.onnx_model import convert_to_onnx
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.proof import predict_from_exact_contrast, prove_export
from roadseg.exporting.runtime_process import RuntimeProcess
from roadseg.segnet.predictor import Predictor
from segnet.small_networks import small_segnet

SIZE = (35, 50)
INT8 = OPTIONS.model_copy(update={"precision": "int8", "onnx_runtimes": ["onnxruntime"]})


@pytest.fixture(scope="module")
def model():
    return model_of(small_segnet(SIZE, "segnet_basic"))


@pytest.fixture(scope="module")
def truth():
    truth = np.random.default_rng(2).integers(0, len(CLASSES), (5, *SIZE), np.uint8)
    truth[:, :3] = 255
    return truth


def test_a_model_that_agrees_is_proved_in_each_runtime(model, truth):
    images = pictures(SIZE)
    options = OPTIONS.model_copy(update={"formats": ["onnx", "litert"]})
    proof = prove_export(export_model(model, options), model, images, truth, options.runtimes)
    label_maps = [each.label_map for each in Predictor(model, precision="float32").predict_each(images)]
    hits, unions = (
        np.array([f((truth == k), (np.stack(label_maps) == k), truth != 255).sum() for k in range(len(CLASSES))])
        for f in (lambda a, b, known: a & b, lambda a, b, known: (a | b) & known)
    )
    assert proof.keras.mean_iou == pytest.approx((hits / unions).mean())
    assert (proof.scenes, proof.pixels) == (5, 5 * 35 * 50)
    assert set(proof.runtimes) == {"onnxruntime", "openvino", "litert"}
    for each in (proof.keras, *proof.runtimes.values()):
        assert (each.equal_pixels, each.equal_tied_pixels, each.mean_iou_difference) == (1, 1, 0)
        assert each.milliseconds > 0
    assert (proof.runtimes["onnxruntime"].precision, proof.unquantized) == ("float32", {})
    assert proof.runtimes["onnxruntime"].version == __import__("onnxruntime").__version__
    facts = proof.files["onnx"]
    assert (facts.operators["Conv"], facts.versions) == (9, {"opset": 17, "ir_version": 8})
    assert facts.inputs == {"images": "uint8 (batch, 35, 50, 3)"}
    assert facts.outputs == {"label_map": "uint8 (batch, 35, 50)", "confidence": "float32 (batch, 35, 50)"}
    assert facts.size == len(convert_to_onnx(model, OPTIONS.onnx).SerializeToString())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formats": ["onnx", "tflite"]}, r"^formats\.1: .* 'onnx', 'litert' or 'saved_model', received 'tflite'$"),
        ({"formats": []}, r"^formats: List should have at least 1 item after validation, not 0, received \[\]$"),
        ({"onnx_runtimes": ["litert"]}, r"^onnx_runtimes\.0: .* 'onnxruntime' or 'openvino', received 'litert'$"),
        ({"formats": ["litert"] * 2}, r"^formats: Value error, expected .* once, received \['litert', 'litert'\]$"),
        ({"onnx_runtimes": ["openvino"] * 2}, r"^onnx_runtimes: .* once, received \['openvino', 'openvino'\]$"),
    ],
)
def test_unknown_and_repeated_formats_and_runtimes_are_refused(changes, message):
    with pytest.raises(ValidationError) as fault:
        ExportOptions(**(OPTIONS.model_dump() | changes))
    assert re.search(message, describe_validation(fault.value))


def test_logits_of_another_size_are_proved_too(model):
    size = (64, 81)
    options = OPTIONS.model_copy(update={"image_size": size, "outputs": "logits", "onnx_runtimes": ["onnxruntime"]})
    images = pictures(size)
    truth = np.stack([each.label_map for each in Predictor(model, precision="float32").predict_each(images)])
    proof = prove_export(export_model(model, options), model, images, truth, options.runtimes)
    found = proof.runtimes["onnxruntime"]
    assert (proof.pixels, proof.files["onnx"].outputs) == (5 * 64 * 81, {"logits": "float32 (batch, 64, 81, 4)"})
    assert found.equal_pixels > 0.9999
    assert found.mean_iou == pytest.approx(1, abs=1e-3)


def test_more_than_a_thousandth_of_another_class_in_images_of_one_colour_is_refused(model, truth, monkeypatch):
    options = OPTIONS.model_copy(update={"onnx_runtimes": ["onnxruntime"]})

    def prove(wrong):
        def predict(model, images):
            right = predict_from_exact_contrast(model, images)
            return right if len(images) == 5 else right + (np.arange(35 * 50) < wrong).reshape(SIZE).astype(np.uint8)

        monkeypatch.setattr("roadseg.exporting.proof.predict_from_exact_contrast", predict)
        return prove_export(export_model(model, options), model, pictures(SIZE), truth, options.runtimes)

    assert prove(1).runtimes["onnxruntime"].equal_tied_pixels == pytest.approx(1749 / 1750)
    message = r"[\d.]+, 99.8857% of the pixels of images of one colour have the same class, expected at least 99.90%$"
    with pytest.raises(InputError, match=message):
        prove(2)


@pytest.mark.parametrize("size", [[31, 64], [64, 16], 640, [64], [64.5, 64], [64, 64, 3], "big"])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValidationError) as fault:
        ExportOptions.model_validate({**OPTIONS.model_dump(), "image_size": size})
    expected = "image_size: input should be [height, width] in pixels, two whole numbers from 32, received "
    assert describe_validation(fault.value) == f"{expected}{size!r}"


def test_another_model_is_refused_with_the_figures(model, truth):
    other = model_of(small_segnet(SIZE, "segnet_basic", width=0.25))
    message = (
        r"^the exported model is not what Keras predicts: in onnxruntime [\d.]+, \d+\.\d{4}% of the 8750 pixels of 5 "
        r"scenes have the same class, expected at least 99.99%, and the mean IoU differs by [+-]0\.\d{5}, expected"
    )
    with pytest.raises(InputError, match=message):
        prove_export(export_model(other, OPTIONS), model, pictures(SIZE), truth, OPTIONS.runtimes)


@pytest.fixture(scope="module")
def int8(model):
    return export_model(model, INT8, {str(index): image for index, image in enumerate(pictures(SIZE))})


def test_int8_is_proved_beside_float32_by_the_mean_iou_alone(model, int8, truth):
    proof = prove_export(int8, model, pictures(SIZE), truth, INT8.runtimes)
    found, before = proof.runtimes["onnxruntime"], proof.unquantized["onnxruntime"]
    assert (found.precision, before.precision, proof.keras.precision) == ("int8", "float32", "float32")
    assert (before.equal_pixels, before.mean_iou_difference) == (1, 0)
    assert 0.5 < found.equal_pixels < 0.9999
    assert found.milliseconds > 0
    assert set(int8.files) == {"segnet.onnx", "segnet.json"}
    calibration = {"scenes": ["0", "1", "2", "3", "4"], "method": "minmax", "float_ends": True}
    said = json.loads(int8.files["segnet.json"])["onnx"]
    assert said == {"precision": "int8", "calibration": calibration}
    assert proof.files["onnx"].calibration == calibration


def test_int8_that_loses_too_much_is_refused_with_the_figures(model, int8):
    images = pictures(SIZE)
    # Against these annotations Keras is right everywhere, and int8 loses all that it changes.
    truth = np.stack([each.label_map for each in Predictor(model, precision="float32").predict_each(images)])
    message = (
        r"^the exported model in int8 predicts too badly: in onnxruntime [\d.]+, the mean IoU on 5 scenes is 0\.\d{5}, "
        r"0\.\d{5} less than that of Keras in float32, expected at most 0\.01 less; \d+\.\d{4}% of the 8750 pixels"
    )
    with pytest.raises(InputError, match=message):
        prove_export(int8, model, images, truth, INT8.runtimes)


def test_the_file_before_quantisation_must_be_what_keras_predicts(model, int8, truth):
    other = export_model(model_of(small_segnet(SIZE, "segnet_basic", width=0.25)), OPTIONS)
    with pytest.raises(InputError, match=r"^the exported model is not what Keras predicts: in onnxruntime in float32 "):
        prove_export(replace(int8, unquantized=other.files), model, pictures(SIZE), truth, INT8.runtimes)


def test_the_process_knows_nothing_of_the_project(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "numpy.py").write_text("raise ImportError('from PYTHONPATH')")
    file = tmp_path / "model.onnx"
    file.write_bytes(convert_to_onnx(model, OPTIONS.onnx).SerializeToString())
    images = pictures(SIZE)
    with RuntimeProcess("onnxruntime", file, images, tmp_path) as process:
        seconds, outputs = zip(*(process.run_next() for _ in images), strict=True)
    assert all(each > 0 for each in seconds)
    found = Predictor(model, precision="float32").predict_each(images)
    for expected, each in zip(found, outputs, strict=True):
        np.testing.assert_array_equal(each["label_map"], expected.label_map)
        np.testing.assert_allclose(each["confidence"], expected.confidence, atol=1e-5)


def test_a_file_that_no_runtime_reads_is_refused(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no model")
    with pytest.raises(FileError, match=r"^onnxruntime can't run the exported model: .*model\.onnx failed"):
        RuntimeProcess("onnxruntime", file, pictures(SIZE), tmp_path)


@pytest.mark.parametrize(
    ("runtime", "package", "extra"),
    [
        ("onnxruntime", "onnxruntime", "export"),
        ("openvino", "openvino", "openvino"),
        ("litert", "ai-edge-litert", "litert"),
    ],
)
def test_a_runtime_that_is_missing_is_named(tmp_path, monkeypatch, runtime, package, extra):
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(RoadSegError, match=rf"package {package}, of the extra '{extra}': pip install {package}$"):
        RuntimeProcess(runtime, tmp_path / "model.onnx", pictures(SIZE), tmp_path)
