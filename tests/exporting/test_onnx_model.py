import json
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import openvino
import pytest

from exporting.networks import CLASSES, PoolAndUnpool, model_of, network_of, pictures, tied_windows
from roadseg.errors import InputError, RoadSegError
from roadseg.exporting.exported_model import ExportedModel
from roadseg.exporting.litert_model import convert_to_litert
from roadseg.exporting.model_description import describe_model
from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
from roadseg.exporting.saved_model import convert_to_saved_model
from roadseg.segnet.model_record import write_record
from roadseg.segnet.predictor import Predictor
from segnet.pooling import SIZES, numpy_pool, numpy_unpool
from segnet.small_networks import small_segnet

DOCS = Path(__file__).parents[2] / "docs/deploy.md"
SIZE = (35, 50)
LOGITS = OnnxOptions(outputs="logits", opset=17, ir_version=None, image_size=None)
CLASS_IDS = OnnxOptions(outputs="classes", opset=17, ir_version=None, image_size=None)


def run(converted):
    """Returns a function from images to the outputs of a model in onnxruntime."""
    session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})


def run_openvino(converted):
    """Returns the same in OpenVINO."""
    # On processors with units for bfloat16 it would compute in that.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(converted.SerializeToString()), "CPU", exact)
    return lambda images: list(compiled([images]).values())


@pytest.mark.parametrize(
    ("architecture", "size", "width", "dropout"),
    [
        ("segnet", (35, 50), 0.125, 0.5),
        ("segnet", (32, 64), 0.25, 0.0),
        ("segnet_basic", (33, 1), 0.125, 0.0),
        ("segnet_basic", (16, 31), 0.25, 0.5),
    ],
)
def test_logits_are_those_of_keras(architecture, size, width, dropout):
    network = small_segnet(size, architecture, width, dropout)
    images = pictures(size)
    expected = network.predict_on_batch(images)
    assert np.ptp(expected) > 0.5
    converted = convert_to_onnx(model_of(network), LOGITS)
    for runtime in (run, run_openvino):
        open_model = runtime(converted)
        for batch in (1, 2, 5):
            (logits,) = open_model(images[:batch])
            np.testing.assert_allclose(logits, expected[:batch], atol=1e-4)


def test_a_network_that_was_trained_in_bfloat16_is_written_in_float32():
    expected = small_segnet(SIZE).predict_on_batch(pictures(SIZE))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = small_segnet(SIZE)
    finally:
        keras.config.set_dtype_policy("float32")
    converted = convert_to_onnx(model_of(network), LOGITS)
    types = {onnx.helper.tensor_dtype_to_np_dtype(each.data_type).name for each in converted.graph.initializer}
    assert types == {"float32", "int64"}
    for runtime in (run, run_openvino):
        np.testing.assert_allclose(runtime(converted)(pictures(SIZE))[0], expected, atol=1e-4)


@pytest.mark.parametrize("temperature", [None, 2.5])
def test_classes_and_confidences_are_those_of_the_predictor(temperature):
    model = model_of(small_segnet(SIZE), temperature=temperature)
    images = pictures(SIZE)
    label_maps, confidences = run(convert_to_onnx(model, CLASS_IDS))(images)
    assert (label_maps.dtype, confidences.dtype) == (np.uint8, np.float32)
    found = list(Predictor(model, precision="float32").predict_each(images))
    np.testing.assert_array_equal(label_maps, [each.label_map for each in found])
    np.testing.assert_allclose(confidences, [each.confidence for each in found], atol=1e-5)
    assert len(np.unique(label_maps)) > 1


@pytest.mark.parametrize("runtime", [run, run_openvino])
def test_of_equal_maxima_the_first_wins(runtime):
    images, expected = tied_windows()
    network = network_of(PoolAndUnpool((2, 2)), size=(2, 2))
    (found,) = runtime(convert_to_onnx(model_of(network), LOGITS))(images)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", SIZES)
def test_pooling_and_unpooling_agree_with_numpy(size):
    # Small numbers of both signs, so most windows have equal maxima, and a padding of zeros would show.
    centred = keras.layers.Conv2D(3, 1, padding="same")
    network = network_of(centred, PoolAndUnpool(size), size=size)
    centred.set_weights([np.eye(3).reshape(1, 1, 3, 3), np.full(3, -4.0)])
    images = np.random.default_rng(0).integers(0, 6, (3, *size, 3), np.uint8)
    (found,) = run(convert_to_onnx(model_of(network), LOGITS))(images)
    np.testing.assert_array_equal(found, numpy_unpool(*numpy_pool(images.astype("float32") - 4), size))


@pytest.mark.parametrize("runtime", [run, run_openvino])
def test_the_contrast_layer_rounds_no_mean(runtime):
    size = (240, 480)
    contrast = keras.layers.GroupNormalization(groups=3, center=False, scale=False, epsilon=0.25)
    converted = convert_to_onnx(model_of(network_of(contrast, size=size)), LOGITS)
    bright = np.random.default_rng(0).integers(180, 256, (1, *size, 3), np.uint8)
    exact = bright.astype("float64")
    exact = (exact - exact.mean((1, 2))) / np.sqrt(exact.var((1, 2)) + 0.25)
    np.testing.assert_allclose(runtime(converted)(bright)[0], exact, atol=1e-6)


def test_of_equal_logits_the_first_class_wins():
    level = keras.layers.Conv2D(len(CLASSES), 1, padding="same", kernel_initializer="zeros")
    model = model_of(network_of(level, size=(2, 2)), temperature=None)
    label_maps, confidences = run(convert_to_onnx(model, CLASS_IDS))(np.zeros((1, 2, 2, 3), np.uint8))
    assert (label_maps.tolist(), confidences.tolist()) == ([[[0, 0], [0, 0]]], [[[0.25, 0.25], [0.25, 0.25]]])


def test_each_opset_gives_the_same():
    model = model_of(small_segnet(SIZE, "segnet_basic"))
    images = pictures(SIZE)
    expected = run(convert_to_onnx(model, CLASS_IDS))(images)
    for opset in (13, 18, 21):
        converted = convert_to_onnx(model, OnnxOptions(outputs="classes", opset=opset, ir_version=10, image_size=None))
        assert ([each.version for each in converted.opset_import], converted.ir_version) == ([opset], 10)
        np.testing.assert_array_equal(run(converted)(images), expected)


def test_the_file_says_what_it_takes_and_where_it_came_from():
    converted = convert_to_onnx(model_of(small_segnet(SIZE, dropout=0.5)), CLASS_IDS)
    onnx.checker.check_model(converted, full_check=True)
    onnx.shape_inference.infer_shapes(converted, check_type=True, strict_mode=True, data_prop=True)
    shapes = {
        each.name: [length.dim_param or length.dim_value for length in each.type.tensor_type.shape.dim]
        for each in (*converted.graph.input, *converted.graph.output)
    }
    assert shapes == {
        "images": ["batch", 35, 50, 3],
        "label_map": ["batch", 35, 50],
        "confidence": ["batch", 35, 50],
    }
    assert converted.ir_version == 8  # of ONNX 1.12, which brought opset 17: ONNX's docs/Versioning.md
    said = {each.key: json.loads(each.value) for each in converted.metadata_props}
    assert [each["name"] for each in said["classes"]] == CLASSES
    assert all(len(each["colour"]) == 3 for each in said["classes"])
    assert (said["image_size"], said["temperature"], said["run"], said["data_set"]) == ([35, 50], 1.5, "v3", "drawn")
    assert (said["data_name"], said["data_terms"], said["licence"]) == ("drawn street scenes", "Apache-2.0", "mit")
    assert said["network_size"] == [35, 50]
    assert said["learnt_from"]["split_table"] == {"version": "v2", "digest": "0b"}
    counts = Counter(each.op_type for each in converted.graph.node)
    assert (counts["Conv"], counts["MaxPool"], counts["BatchNormalization"], counts["Dropout"]) == (26, 20, 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opset": 12}, r"^opset: expected 13, the oldest .* received 12$"),
        ({"opset": 99}, r"^opset: expected 13, .* to \d+, the newest that onnx [\d.]+ knows, received 99$"),
        ({"ir_version": 7}, r"^ir_version: expected 8, the oldest that may hold opset 17, .* received 7$"),
        ({"ir_version": 99}, r"^ir_version: expected 8, .* to \d+, the newest .* received 99$"),
    ],
)
def test_versions_that_can_not_be_written_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        convert_to_onnx(model_of(small_segnet(SIZE, "segnet_basic")), CLASS_IDS.model_copy(update=changes))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(4, 3, padding="valid", name="other"),
        keras.layers.Conv2D(4, 2, padding="same", name="other"),
        keras.layers.Conv2D(4, 3, padding="same", strides=2, name="other"),
        keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="other"),
        keras.layers.ReLU(max_value=6, name="other"),
        keras.layers.Activation("softmax", name="other"),
        keras.layers.GroupNormalization(groups=1, center=False, scale=False, name="other"),
        keras.layers.AveragePooling2D(2, name="other"),
    ],
)
def test_layers_of_other_networks_are_refused(layer):
    with pytest.raises(InputError, match=rf"^layer 'other' is a {type(layer).__name__} that no SegNet"):
        convert_to_onnx(model_of(network_of(layer, size=(8, 8))), LOGITS)


def test_without_the_package_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RoadSegError, match=r"needs the package onnx, of the extra 'export': pip install onnx$"):
        convert_to_onnx(model_of(small_segnet(SIZE, "segnet_basic")), LOGITS)


def test_the_lines_of_the_docs_do_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = model_of(small_segnet(SIZE, "segnet_basic"))
    model.network.save("segnet.keras")
    with zipfile.ZipFile("segnet.keras", "a") as archive:
        write_record(model.record, archive)
    cv2.imwrite("street.jpg", np.random.default_rng(0).integers(0, 256, (70, 100, 3), np.uint8))
    saved_model = {
        f"saved_model/{path}": content for path, content in convert_to_saved_model(model, "classes", None).items()
    }
    about = json.dumps(describe_model(model.record, None)).encode()
    ExportedModel(
        {"segnet.tflite": convert_to_litert(model, "classes", None), "segnet.json": about, **saved_model}
    ).write(tmp_path)
    program = "".join(re.findall("```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL))
    exec(program)  # noqa: S102 - ours
    found = Predictor(model).predict_at([(cv2.imread("street.jpg")[..., ::-1], SIZE)])
    segmentation = next(found)
    name = CLASSES[segmentation.label_map[-1, 25]]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(each.startswith(f"{name} {segmentation.confidence.mean():.4f}") for each in lines)
