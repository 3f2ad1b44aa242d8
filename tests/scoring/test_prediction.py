import keras
import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.scenes.prepared import PreparedScene
from roadseg.scoring.prediction import EvaluateOptions, predict_label_maps

SIZE = (9, 12)
IDS = [f"a_{number}" for number in range(7)]


@pytest.fixture(scope="module")
def echo():
    """A network whose logits are the image: red is class 0, green 1, blue 2."""
    images = keras.Input((*SIZE, 3))
    return keras.Model(images, keras.layers.Rescaling(1.0)(images))


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
    predictions = list(predict_label_maps(echo, scenes, ids, batch_size))
    assert [scene for scene, _, _ in predictions] == ids
    for scene, truth, prediction in predictions:
        np.testing.assert_array_equal(truth, scenes[scene].label_map)
        np.testing.assert_array_equal(prediction, scenes[scene].image.argmax(axis=-1))
        assert truth.dtype == prediction.dtype == np.uint8


def test_network_is_used_as_it_predicts_and_not_as_it_trains(scenes):
    keras.utils.set_random_seed(3)
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Dropout(0.5)(keras.layers.Rescaling(1 / 255)(images))
    network = keras.Model(images, keras.layers.Conv2D(3, 3, padding="same")(x))
    predicted = [prediction for _, _, prediction in predict_label_maps(network, scenes, IDS, 4)]
    logits = network.predict(np.stack([scenes[scene].image for scene in IDS]), batch_size=4, verbose=0)
    np.testing.assert_array_equal(np.stack(predicted), logits.argmax(axis=-1))
    assert len(np.unique(predicted)) > 1


def test_some_of_the_scenes_can_be_predicted(echo, scenes):
    assert [scene for scene, _, _ in predict_label_maps(echo, scenes, IDS[3:4], 2)] == IDS[3:4]


def test_scene_without_labels_is_named(echo, in_memory):
    scenes = in_memory({"a": PreparedScene(np.zeros((*SIZE, 3), np.uint8), None, SIZE)})
    with pytest.raises(ValueError, match="scene 'a' has no labels"):
        list(predict_label_maps(echo, scenes, ["a"], 1))


@pytest.mark.parametrize("batch_size", [0, -1, 1.0, "8", None])
def test_batch_size_is_a_positive_integer(batch_size):
    with pytest.raises(ValidationError):
        EvaluateOptions(batch_size=batch_size)
