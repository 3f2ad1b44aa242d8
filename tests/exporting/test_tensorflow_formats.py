"""The formats that TensorFlow writes: SavedModel and LiteRT."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from pydantic import ValidationError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from exporting.networks import (
    CLASSES,
    NETWORK_SIZE,
    OPTIONS,
    RESIZED,
    PoolAndUnpool,
    model_of,
    network_of,
    pictures,
    tied_windows,
)
from roadseg.errors import RoadSegError
from roadseg.exporting.exported_model import export_model
from roadseg.exporting.file_facts import describe_files
from roadseg.exporting.litert_model import convert_to_litert
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.saved_model import convert_to_saved_model
from roadseg.exporting.tensorflow_graph import build_graph
from roadseg.exporting.tensorflow_resizing import resize_images
from roadseg.scenes.preprocessing import resize_image
from roadseg.segnet.backend import without_xla
from roadseg.segnet.predictor import Predictor
from segnet.pooling import SIZES, numpy_pool, numpy_unpool
from segnet.small_networks import small_segnet

SIZE = (35, 50)
BOTH = OPTIONS.model_copy(update={"formats": ["litert", "saved_model"]})


def run_litert(content):
    """Returns a function from images to the outputs of a model, one image at a time."""
    predict = Interpreter(model_content=content).get_signature_runner()

    def run(images):
        found = [predict(images=image[None]) for image in images]
        return {name: np.concatenate([each[name] for each in found]) for name in found[0]}

    return run


def run_saved_model(folder):
    """Returns a function from any number of images to the outputs of a model."""
    loaded = tf.saved_model.load(folder)
    return lambda images: loaded.signatures["serving_default"](images=tf.constant(images))


@pytest.mark.parametrize(
    ("architecture", "size", "dropout"), [("segnet", (35, 50), 0.5), ("segnet_basic", (33, 1), 0.0)]
)
def test_logits_are_those_of_keras(architecture, size, dropout):
    model = model_of(small_segnet(size, architecture, dropout=dropout))
    images = pictures(size)
    with without_xla():  # which is the faster where a network is called once
        expected = np.asarray(model.network(images, training=False))
    assert np.ptp(expected) > 0.5
    logits = run_litert(convert_to_litert(model, "logits", None))(images)["logits"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    predict = build_graph(model, "logits", None, None).predict
    for batch in (1, 2, 5):
        np.testing.assert_allclose(predict(images[:batch])["logits"], expected[:batch], atol=1e-4)


def test_classes_and_confidences_are_those_of_the_predictor(tmp_path):
    model = model_of(small_segnet(SIZE, "segnet_basic", dropout=0.5), temperature=2.5)
    images = pictures(SIZE)
    expected = list(Predictor(model, precision="float32").predict_each(images))
    exported = export_model(model, BOTH)
    exported.write(tmp_path)
    litert, saved_model = exported.files["segnet.tflite"], str(tmp_path / "saved_model")
    for found in (run_litert(litert)(images), run_saved_model(saved_model)(images)):
        label_maps, confidences = (np.asarray(found[name]) for name in ("label_map", "confidence"))
        assert (label_maps.dtype, confidences.dtype) == (np.uint8, np.float32)
        np.testing.assert_array_equal(label_maps, [each.label_map for each in expected])
        np.testing.assert_allclose(confidences, [each.confidence for each in expected], atol=1e-5)

    facts = {name: describe_files(name, exported.find(name)) for name in BOTH.formats}
    for name, batch in (("litert", "1"), ("saved_model", "batch")):
        assert facts[name].inputs == {"images": f"uint8 ({batch}, 35, 50, 3)"}
        assert facts[name].outputs == {
            "label_map": f"uint8 ({batch}, 35, 50)",
            "confidence": f"float32 ({batch}, 35, 50)",
        }
    assert (facts["litert"].operators["CONV_2D"], facts["saved_model"].operators["Conv2D"]) == (9, 9)
    assert not {"CUSTOM", "DEPTHWISE_CONV_2D"} & set(facts["litert"].operators)
    (graph,) = SavedModel.FromString(exported.files["saved_model/saved_model.pb"]).meta_graphs
    calls = [node for function in graph.graph_def.library.function for node in function.node_def]
    assert not any(each.attr["_XlaMustCompile"].b for each in calls)
    assert facts["litert"].size == len(litert)
    weights = len(exported.files["saved_model/variables/variables.data-00000-of-00001"])
    assert weights < facts["saved_model"].size < weights + 200_000


def test_of_equal_maxima_the_first_wins():
    images, expected = tied_windows()
    model = model_of(network_of(PoolAndUnpool((2, 2)), size=(2, 2)))
    for run in (run_litert(convert_to_litert(model, "logits", None)), build_graph(model, "logits", None, None).predict):
        np.testing.assert_array_equal(run(images)["logits"], expected)


@pytest.mark.parametrize("size", SIZES)
def test_pooling_and_unpooling_agree_with_numpy(size):
    # Small numbers of both signs, so most windows have equal maxima, and a padding of zeros would show.
    centred = keras.layers.Conv2D(3, 1, padding="same")
    network = network_of(centred, PoolAndUnpool(size), size=size)
    centred.set_weights([np.eye(3).reshape(1, 1, 3, 3), np.full(3, -4.0)])
    images = np.random.default_rng(0).integers(0, 6, (3, *size, 3), np.uint8)
    found = build_graph(model_of(network), "logits", None, None).predict(images)["logits"]
    np.testing.assert_array_equal(found, numpy_unpool(*numpy_pool(images.astype("float32") - 4), size))


def test_the_contrast_layer_rounds_no_mean():
    size = (240, 480)
    contrast = keras.layers.GroupNormalization(groups=3, center=False, scale=False, epsilon=0.25, name="contrast")
    bright = np.random.default_rng(0).integers(180, 256, (1, *size, 3), np.uint8)
    exact = bright.astype("float64")
    exact = (exact - exact.mean((1, 2))) / np.sqrt(exact.var((1, 2)) + 0.25)
    model = model_of(network_of(contrast, size=size))
    for run in (run_litert(convert_to_litert(model, "logits", None)), build_graph(model, "logits", None, None).predict):
        np.testing.assert_allclose(run(bright)["logits"], exact, atol=3e-6)  # of the deviation


def test_of_equal_logits_the_first_class_wins():
    level = keras.layers.Conv2D(len(CLASSES), 1, padding="same", kernel_initializer="zeros")
    model = model_of(network_of(level, size=(2, 2)), temperature=None)
    images = np.zeros((1, 2, 2, 3), np.uint8)
    for run in (
        run_litert(convert_to_litert(model, "classes", None)),
        build_graph(model, "classes", None, None).predict,
    ):
        found = run(images)
        assert np.asarray(found["label_map"]).tolist() == [[[0, 0], [0, 0]]]
        assert np.asarray(found["confidence"]).tolist() == [[[0.25, 0.25], [0.25, 0.25]]]


@pytest.mark.parametrize("convert", [convert_to_litert, convert_to_saved_model])
def test_on_another_backend_the_message_says_how_to_write_them(monkeypatch, convert):
    model = model_of(small_segnet(SIZE, "segnet_basic"))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    message = r"^only TensorFlow writes the formats litert and saved_model, but Keras runs on jax: set KERAS_BACKEND"
    with pytest.raises(RoadSegError, match=message):
        convert(model, "classes", None)


def test_formats_without_int8_are_refused():
    message = r"precision is 'int8', which only the format onnx has: write litert and saved_model in another run, with"
    with pytest.raises(ValidationError, match=message):
        ExportOptions.model_validate(BOTH.model_dump() | {"precision": "int8"})


@pytest.mark.parametrize("size", RESIZED)
def test_images_are_resized_as_opencv_does(size):
    images = np.random.default_rng(3).integers(0, 256, (2, *size, 3), np.uint8)
    expected = [resize_image(each, NETWORK_SIZE) for each in images]
    resize = tf.function(lambda images: {"found": resize_images(images, size, NETWORK_SIZE)}, autograph=False)
    floats = images.astype("float32")
    np.testing.assert_array_equal(resize(floats)["found"], expected)
    concrete = resize.get_concrete_function(tf.TensorSpec((1, *size, 3), "float32", "images"))
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], resize).convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for image, right in zip(floats, expected, strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0], right)


def test_files_for_another_size_predict_as_the_predictor():
    size = (149, 333)
    model = model_of(small_segnet(SIZE, "segnet_basic"), temperature=2.5)
    images = np.random.default_rng(5).integers(0, 256, (2, *size, 3), np.uint8)
    expected = list(Predictor(model, precision="float32").predict_each(images))
    for run in (
        run_litert(convert_to_litert(model, "classes", size)),
        build_graph(model, "classes", size, None).predict,
    ):
        label_maps, confidences = (np.asarray(run(images)[name]) for name in ("label_map", "confidence"))
        assert (label_maps == [each.label_map for each in expected]).mean() > 0.9999
        np.testing.assert_allclose(confidences, [each.confidence for each in expected], atol=1e-4)
