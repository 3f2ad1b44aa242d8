import cv2
import keras
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from model_records import model_record
from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.scenes.prepared import PreparedScene
from roadseg.scoring.disagreement import SuspectOptions
from roadseg.scoring.measures import EvaluateOptions
from roadseg.scoring.resolution import guess_at, predict_at
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

SIZE = (9, 12)
RAW_SIZES = {"a_0": (37, 50), "a_1": (9, 12), "a_2": (5, 7), "a_3": (37, 50), "a_4": (18, 24)}


@pytest.fixture(scope="module")
def predictor():
    """Of a network whose logits are the image, divided by 64: red is class 0, green 1, blue 2."""
    images = keras.Input((*SIZE, 3))
    model = TrainedSegNet(keras.Model(images, keras.layers.Rescaling(1 / 64)(images)), model_record(image_size=SIZE))
    return Predictor(model, batch_size=2)


@pytest.fixture
def scenes(in_memory):
    def scene(number):
        random = np.random.default_rng(number)
        label_map = random.choice(np.array([0, 1, 2, 255], np.uint8), SIZE)
        return PreparedScene(random.integers(0, 256, (*SIZE, 3), np.uint8), label_map, SIZE)

    return in_memory({each: scene(number) for number, each in enumerate(RAW_SIZES)})


def annotate(scene):
    random = np.random.default_rng(RAW_SIZES[scene][0])
    return random.choice(np.array([0, 1, 2, 255], np.uint8), RAW_SIZES[scene])


def refuse(scene):
    raise AssertionError(scene)


def compare_at(resolution, size=(20, 32)):
    return EvaluateOptions(
        runtime="keras",
        batch_size=2,
        further_measures=[],
        samples=0,
        gallery_scenes=0,
        suspects=SuspectOptions(regions=60, confidence=0.9),
        resolution=resolution,
        protocol_size=size,
        prediction_files=PredictionFileOptions(written=False, name="{scene}.png", ids=None),
    )


def predict(predictor, scenes, resolution, read_truth, size=(20, 32)):
    return list(predict_at(predictor, scenes, list(RAW_SIZES), compare_at(resolution, size), read_truth))


def nearest(label_map, size):
    return np.asarray(Image.fromarray(label_map).resize(size[::-1], Image.Resampling.NEAREST))


def test_network_resolution_reads_no_raw_scene(predictor, scenes):
    predictions = predict(predictor, scenes, "network", refuse)
    assert [each.scene for each in predictions] == list(RAW_SIZES)
    for each in predictions:
        np.testing.assert_array_equal(each.truth, scenes[each.scene].label_map)
        np.testing.assert_array_equal(each.label_map, scenes[each.scene].image.argmax(axis=-1))


def test_native_resolution_resizes_logits_to_each_annotation_and_then_chooses(predictor, scenes):
    predictions = predict(predictor, scenes, "native", annotate)
    assert [each.scene for each in predictions] == list(RAW_SIZES)
    for each in predictions:
        size = RAW_SIZES[each.scene]
        logits = cv2.resize(scenes[each.scene].image / 64, size[::-1], interpolation=cv2.INTER_LINEAR)
        highest = np.sort(logits, axis=-1)
        clear = highest[..., 2] - highest[..., 1] > 1e-4  # where rounding decides nothing
        assert clear.mean() > 0.95
        np.testing.assert_array_equal(each.truth, annotate(each.scene))
        np.testing.assert_array_equal(each.label_map[clear], logits.argmax(axis=-1)[clear])
        np.testing.assert_allclose(each.confidence, softmax(logits, axis=-1).max(axis=-1), atol=1e-4)
        assert each.label_map.dtype == np.uint8


@pytest.mark.parametrize("size", [(20, 32), (4, 4), (9, 12)])
def test_protocol_of_idd_chooses_first_and_resizes_both_by_nearest_as_pillow_does(predictor, scenes, size):
    predictions = predict(predictor, scenes, "idd_protocol", annotate, size)
    assert [each.scene for each in predictions] == list(RAW_SIZES)
    for each in predictions:
        np.testing.assert_array_equal(each.truth, nearest(annotate(each.scene), size))
        chosen = scenes[each.scene].image.argmax(axis=-1).astype(np.uint8)
        np.testing.assert_array_equal(each.label_map, nearest(chosen, size))
        confidence = softmax(scenes[each.scene].image / 64, axis=-1).max(axis=-1).astype(np.float32)
        np.testing.assert_allclose(each.confidence, nearest(confidence, size), rtol=1e-5)


@pytest.mark.parametrize("resolution", ["network", "native", "idd_protocol"])
def test_a_guess_is_compared_with_the_truth_of_predictions_from_the_nearest_pixel(predictor, scenes, resolution):
    guess = np.random.default_rng(9).integers(0, 3, SIZE).astype(np.uint8)
    read = refuse if resolution == "network" else annotate
    guesses = list(guess_at(guess, scenes, list(RAW_SIZES), compare_at(resolution), read))
    assert len(guesses) == len(RAW_SIZES)
    for each, (truth, resized) in zip(predict(predictor, scenes, resolution, read), guesses, strict=True):
        np.testing.assert_array_equal(truth, each.truth)
        np.testing.assert_array_equal(resized, nearest(guess, truth.shape))
