import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from model_records import model_record
from roadseg.errors import OutOfMemoryError
from roadseg.scenes.prepared import PreparedScene
from roadseg.scoring.prediction import predict_scenes
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

SIZE = (9, 12)
IDS = [f"a_{number}" for number in range(7)]


@pytest.fixture(scope="module")
def echo():
    """A network whose logits are the image: red is class 0, green 1, blue 2."""
    images = keras.Input((*SIZE, 3))
    return keras.Model(images, keras.layers.Rescaling(1.0)(images))


def predictor_of(network, batch_size):
    return Predictor(TrainedSegNet(network, model_record(image_size=SIZE)), batch_size=batch_size)


@pytest.fixture
def scenes(in_memory):
    def scene(number):
        random = np.random.default_rng(number)
        image = random.integers(0, 256, (*SIZE, 3), np.uint8)
        return PreparedScene(image, random.choice(np.array([0, 1, 2, 255], np.uint8), SIZE), SIZE)

    return in_memory({scene_id: scene(number) for number, scene_id in enumerate(IDS)})


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 10])
def test_every_scene_is_predicted_once_in_order_with_its_truth(echo, scenes, batch_size):
    ids = IDS[::-1]
    predictions = list(predict_scenes(predictor_of(echo, batch_size), scenes, ids))
    assert [each.scene for each in predictions] == ids
    for each in predictions:
        np.testing.assert_array_equal(each.truth, scenes[each.scene].label_map)
        np.testing.assert_array_equal(each.label_map, scenes[each.scene].image.argmax(axis=-1))
        assert each.truth.dtype == each.label_map.dtype == np.uint8


def test_confidences_are_those_of_the_logits_as_they_are_whatever_the_temperature_of_the_model(echo, scenes):
    predictor = predictor_of(echo, 3)
    assert predictor.temperature == 1.5
    for each in predict_scenes(predictor, scenes, IDS):
        expected = softmax(scenes[each.scene].image.astype(np.float64), axis=-1).max(axis=-1)
        np.testing.assert_allclose(each.confidence, expected, rtol=1e-5)


def test_another_truth_is_read_for_its_scene_and_the_prediction_has_its_size(echo, scenes):
    def read_truth(scene):
        return np.full((18 + IDS.index(scene), 24), IDS.index(scene), np.uint8)

    predictions = list(predict_scenes(predictor_of(echo, 3), scenes, IDS, read_truth))
    assert [each.scene for each in predictions] == IDS
    for each in predictions:
        np.testing.assert_array_equal(each.truth, read_truth(each.scene))
        assert each.label_map.shape == each.confidence.shape == each.truth.shape


def test_memory_that_runs_out_is_told_with_what_to_try(echo, scenes, monkeypatch):
    def predict_on_batch(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(echo, "predict_on_batch", predict_on_batch)
    with pytest.raises(MemoryError, match=r"memory ran out with 4 images at once; try a smaller batch_size"):
        list(predict_scenes(predictor_of(echo, 4), scenes, IDS))


def test_an_image_that_memory_does_not_hold_is_not_told_as_a_batch(echo, scenes):
    def read_truth(_):
        raise OutOfMemoryError("'a.jpg' can't be decoded")

    with pytest.raises(MemoryError, match=r"^'a\.jpg' can't be decoded$"):
        list(predict_scenes(predictor_of(echo, 4), scenes, IDS, read_truth))


def test_some_of_the_scenes_can_be_predicted(echo, scenes):
    assert [each.scene for each in predict_scenes(predictor_of(echo, 2), scenes, IDS[3:4])] == IDS[3:4]


def test_scene_without_labels_is_named(echo, in_memory):
    scenes = in_memory({"a": PreparedScene(np.zeros((*SIZE, 3), np.uint8), None, SIZE)})
    with pytest.raises(ValueError, match="scene 'a' has no labels"):
        list(predict_scenes(predictor_of(echo, 1), scenes, ["a"]))
