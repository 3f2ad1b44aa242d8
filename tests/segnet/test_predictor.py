import gc
import re
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from model_records import model_record
from predicting.pictures import save_video
from roadseg.errors import InputError
from roadseg.reading.picture_source import list_pictures
from roadseg.reading.video import Video, VideoOptions
from roadseg.scenes.faults import UnusableSceneError
from roadseg.scenes.preprocessing import resize_image
from roadseg.segnet.layers import BatchNormalization
from roadseg.segnet.model_record import write_record
from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.segnet.predictor import Predictor, _read_ahead
from roadseg.segnet.trained import TrainedSegNet

README, PREDICTION = (Path(__file__).parents[2] / name for name in ("README.md", "docs/predict.md"))
SIZE = (9, 12)
SIZES = [(37, 50), SIZE, (5, 7), (37, 50), (18, 24), SIZE, (1, 1)]
CLASSES = ["red", "green", "blue"]
NARROW = NetworkOptions(architecture="segnet_basic", start="random", width=0.125, dropout=0.5, batch_norm_momentum=0.9)


def predictor_of(layer, batch_size=2, **options):
    """Returns the predictor of a network of one layer, whose logits are its outputs."""
    images = keras.Input((*SIZE, 3))
    record = model_record(classes=CLASSES, image_size=SIZE, temperature=None)
    return Predictor(TrainedSegNet(keras.Model(images, layer(images)), record), batch_size=batch_size, **options)


@pytest.fixture(scope="module")
def echo():
    """Its logits are the image, divided by 64: red is class 0, green 1, blue 2."""
    return predictor_of(keras.layers.Rescaling(1 / 64))


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


@pytest.mark.parametrize("count", range(len(SIZES) + 1))
def test_each_image_is_predicted_once_in_order_at_its_own_size(echo, images, count):
    found = list(echo.predict_each(iter(images[:count])))
    assert len(found) == count
    for image, each in zip(images, found, strict=False):
        size = image.shape[:2]
        seen = image if size == SIZE else resize_image(image, SIZE)  # as scenes are prepared
        logits = cv2.resize(seen / 64, size[::-1], interpolation=cv2.INTER_LINEAR)
        highest = np.sort(logits, axis=-1)
        clear = highest[..., 2] - highest[..., 1] > 1e-4  # where rounding decides nothing
        assert clear.mean() > 0.9
        np.testing.assert_array_equal(each.label_map[clear], logits.argmax(axis=-1)[clear])
        np.testing.assert_allclose(each.confidence, softmax(logits, axis=-1).max(axis=-1), atol=1e-4)
        assert (each.label_map.dtype, each.confidence.dtype) == (np.uint8, np.float32)


def test_one_image_alone_is_predicted_as_among_others(echo, images):
    for image, each in zip(images, echo.predict_each(images), strict=True):
        alone = echo.predict(image)
        np.testing.assert_array_equal(alone.label_map, each.label_map)
        np.testing.assert_allclose(alone.confidence, each.confidence, rtol=1e-6)


def test_the_temperature_of_the_record_divides_the_logits(echo, trained, images):
    assert echo.temperature == 1
    tempered = Predictor(replace(trained, record=model_record(classes=CLASSES, image_size=SIZE, temperature=2.5)))
    assert tempered.temperature == 2.5
    found = tempered.predict(images[1])
    np.testing.assert_allclose(found.confidence, softmax(found.logits / 2.5, axis=-1).max(axis=-1), rtol=1e-6)


@pytest.mark.parametrize("size", [(20, 32), (4, 4)])
def test_another_size_can_be_asked_for(echo, images, size):
    (found,) = echo.predict_at([(images[1], size)])
    logits = cv2.resize(images[1] / 64, size[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found.confidence, softmax(logits, axis=-1).max(axis=-1), atol=1e-4)


def test_an_endless_stream_is_read_two_batches_at_most_ahead(echo):
    read = []

    def stream():
        while True:
            read.append(1)
            yield np.zeros((*SIZE, 3), np.uint8)

    found = echo.predict_each(stream())
    assert not read
    for count in range(1, 8):
        next(found)
        assert len(read) <= count + 2 * echo.batch_size
    threads = threading.active_count()
    found.close()
    gc.collect()
    assert threading.active_count() < threads


def test_what_breaks_the_stream_reaches_who_asked(echo):
    def stream():
        yield np.zeros((*SIZE, 3), np.uint8)
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        list(echo.predict_each(stream()))


def test_batches_hold_all_items_in_order():
    assert list(_read_ahead(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(_read_ahead([], 3)) == []


@pytest.mark.parametrize(
    ("image", "received"),
    [
        (np.zeros((4, 5), np.uint8), "4 x 5 uint8"),
        (np.zeros((4, 5, 4), np.uint8), "4 x 5 x 4 uint8"),
        (np.zeros((4, 5, 3), np.float32), "4 x 5 x 3 float32"),
        (np.zeros((4, 5, 3), np.int64), "4 x 5 x 3 int64"),
        (np.zeros((0, 5, 3), np.uint8), "0 x 5 x 3 uint8"),
        (np.zeros((1, 4, 5, 3), np.uint8), "1 x 4 x 5 x 3 uint8"),
        ([[[0, 0, 0]]], "a list"),
        (None, "a NoneType"),  # what OpenCV returns of a file that is not there
    ],
)
def test_what_is_no_image_is_refused_with_what_was_expected_and_received(echo, images, image, received):
    expected = "expected an array of height x width x 3 uint8"
    with pytest.raises(InputError, match=f"^image 0: {expected} .* received {received}$"):
        echo.predict(image)
    with pytest.raises(InputError, match=f"^image 2: {expected} .* received {received}$"):
        list(echo.predict_each([*images[:2], image]))


def test_the_network_is_traced_once_for_batches_and_their_remainder(images):
    traced = []

    class Watch(keras.layers.Layer):
        def call(self, inputs):
            traced.append(inputs.shape[0])
            return inputs

    predictor = predictor_of(Watch(), batch_size=4)
    traced.clear()
    for count in (7, 1, 5):
        assert len(list(predictor.predict_each(images[:count]))) == count
    assert traced == [4]


def test_logits_too_large_for_an_exponential_are_certain(images):
    predictions = list(predictor_of(keras.layers.Rescaling(1e30)).predict_each(images))
    assert len(predictions) == len(images) > 0
    for each in predictions:
        assert np.isfinite(each.confidence).all()


def test_of_equal_logits_the_first_class_is_named(echo):
    found = echo.predict(np.full((*SIZE, 3), 7, np.uint8))
    assert not found.label_map.any()
    np.testing.assert_allclose(found.confidence, 1 / 3, rtol=1e-6)


def test_memory_that_runs_out_is_told_with_what_to_try(images, monkeypatch):
    def predict_on_batch(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    predictor = predictor_of(keras.layers.Rescaling(1.0))
    monkeypatch.setattr(predictor._network, "predict_on_batch", predict_on_batch)
    with pytest.raises(MemoryError, match=r"memory ran out with 2 images at once; try a smaller batch_size"):
        list(predictor.predict_each(images))


@pytest.fixture(scope="module")
def trained():
    """A SegNet-Basic whose norms have seen something, and which has dropout."""
    keras.utils.set_random_seed(3)
    network = build_network(SIZE, 3, NARROW)
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            layer.set_weights([np.random.default_rng(0).uniform(0.5, 2, each.shape) for each in layer.get_weights()])
    return TrainedSegNet(network, model_record(classes=CLASSES, image_size=SIZE, temperature=None))


def test_the_network_is_folded_and_used_as_it_predicts_not_as_it_trains(trained, images):
    predictor = Predictor(trained, batch_size=4, device="cpu")
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in predictor._network.layers)
    logits = trained.network.predict_on_batch(np.stack([images[1], images[5]]))
    found = predictor.predict_each([images[1], images[5]])
    for each, expected in zip(found, softmax(logits, axis=-1), strict=True):
        np.testing.assert_allclose(each.confidence, expected.max(axis=-1), rtol=1e-3)


@pytest.fixture
def path(trained, tmp_path):
    """The file of the model."""
    path = tmp_path / "segnet.keras"
    trained.network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        write_record(trained.record, archive)
    return path


def test_the_lines_of_the_readme_do_what_they_say(trained, path, images, monkeypatch):
    monkeypatch.chdir(path.parent)
    cv2.imwrite("street.jpg", images[0])
    (program,) = re.findall("```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    exec(program)  # noqa: S102 - ours
    seen = cv2.cvtColor(cv2.imread("street.jpg"), cv2.COLOR_BGR2RGB)
    written = cv2.imread("classes.png", cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(written, Predictor(trained).predict(seen).label_map)


def test_the_lines_of_the_docs_on_prediction_write_a_file_per_picture(trained, path, images, monkeypatch):
    monkeypatch.chdir(path.parent)
    for name in ("a.jpg", "a.png", "left/b.png", "right/b.png"):
        Path("photos", name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(f"photos/{name}", images[0])
    save_video(Path("photos/film.avi"), [np.zeros((48, 64, 3), np.uint8)] * 2)
    (program,) = re.findall("```python\n(.*?)```", PREDICTION.read_text("utf-8"), re.DOTALL)
    exec(program)  # noqa: S102 - ours
    written = {str(each.relative_to("classes")) for each in Path("classes").rglob("*.png")}
    assert written == {"a.jpg.png", "a.png.png", "left/b.png", "right/b.png"}
    read = cv2.imread("classes/left/b.png", cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, Predictor(trained).predict(images[0][..., ::-1]).label_map)
    video = next(each for each in list_pictures("photos") if isinstance(each, Video))
    frames = list(video.read_frames(VideoOptions(every=1, start=0.0, end=None)))  # as the page says
    assert [(each.number, each.image.shape) for each in frames] == [(0, (48, 64, 3)), (1, (48, 64, 3))]
    Path("photos/a.jpg").write_bytes(b"nothing")
    with pytest.raises(UnusableSceneError, match=r"'a.jpg' is no image"):
        exec(program)  # noqa: S102 - ours


def test_a_model_file_is_loaded_with_all_that_is_known_of_it(trained, path, images):
    predictor = Predictor.load(str(path), batch_size=3)
    assert [each.name for each in predictor.classes] == CLASSES
    assert predictor.classes[0].colour == (128, 0, 0)
    assert (predictor.image_size, predictor.precision, predictor.batch_size) == (SIZE, "float32", 3)
    expected = Predictor(trained, batch_size=3).predict(images[0])
    np.testing.assert_array_equal(predictor.predict(images[0]).label_map, expected.label_map)


@pytest.mark.parametrize(("features", "precision"), [("amx_bf16", "bfloat16"), ("avx2", "float32")])
def test_a_network_trained_in_bfloat16_predicts_in_it_where_it_is_fast(monkeypatch, tmp_path, features, precision):
    (tmp_path / "cpuinfo").write_text(f"flags : {features}\n")
    monkeypatch.setattr("roadseg.segnet.device.CPU_FEATURES", tmp_path / "cpuinfo")
    trained = keras.layers.Rescaling(1.0, dtype="mixed_bfloat16")
    assert predictor_of(trained, device="cpu").precision == precision
    assert predictor_of(trained, device="cpu", precision="bfloat16").precision == "bfloat16"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("roadseg.segnet.device.find_gpus", list)
    with pytest.raises(InputError, match=r"^device is 'gpu', but the \w+ backend sees no GPU; .* 'cpu' or 'auto'"):
        predictor_of(keras.layers.Rescaling(1.0), device="gpu")
