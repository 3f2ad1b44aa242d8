import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from roadseg.scenes.prepared import PreparedScene
from roadseg.scoring.prediction import predict_scenes

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
    predictions = list(predict_scenes(echo, scenes, ids, batch_size))
    assert [each.scene for each in predictions] == ids
    for each in predictions:
        np.testing.assert_array_equal(each.truth, scenes[each.scene].label_map)
        np.testing.assert_array_equal(each.label_map, scenes[each.scene].image.argmax(axis=-1))
        assert each.truth.dtype == each.label_map.dtype == np.uint8


def test_memory_that_runs_out_is_told_with_what_to_try(echo, scenes, monkeypatch):
    def predict_on_batch(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(echo, "predict_on_batch", predict_on_batch)
    with pytest.raises(MemoryError, match=r"memory ran out with 4 scenes at once; try a smaller evaluate.batch_size"):
        list(predict_scenes(echo, scenes, IDS, 4))


def test_the_network_is_traced_for_one_number_of_images(scenes):
    traced = []

    class Watch(keras.layers.Layer):
        def call(self, images):
            traced.append(images.shape[0])
            return images

    images = keras.Input((*SIZE, 3))
    network = keras.Model(images, Watch()(images))
    traced.clear()
    for ids in (IDS, IDS[:1]):
        assert len(list(predict_scenes(network, scenes, ids, 4))) == len(ids)
    assert traced == [4]


def test_confidence_is_the_softmax_of_the_class_that_is_named(scenes):
    images = keras.Input((*SIZE, 3))
    network = keras.Model(images, keras.layers.Rescaling(1 / 64)(images))
    for each in predict_scenes(network, scenes, IDS, 4):
        expected = softmax(scenes[each.scene].image / 64, axis=-1).max(axis=-1)
        np.testing.assert_allclose(each.confidence, expected, rtol=1e-5)
        assert each.confidence.dtype == np.float32


def test_logits_too_large_for_an_exponential_are_certain(scenes):
    images = keras.Input((*SIZE, 3))
    network = keras.Model(images, keras.layers.Rescaling(1e30)(images))
    assert all(np.isfinite(each.confidence).all() for each in predict_scenes(network, scenes, IDS, 4))


def test_of_equal_logits_the_first_class_is_named(in_memory):
    grey = in_memory({"a": PreparedScene(np.full((*SIZE, 3), 7, np.uint8), np.zeros(SIZE, np.uint8), SIZE)})
    images = keras.Input((*SIZE, 3))
    (prediction,) = predict_scenes(keras.Model(images, keras.layers.Rescaling(1.0)(images)), grey, ["a"], 1)
    assert not prediction.label_map.any()
    np.testing.assert_allclose(prediction.confidence, 1 / 3, rtol=1e-6)


def test_network_is_used_as_it_predicts_and_not_as_it_trains(scenes):
    keras.utils.set_random_seed(3)
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Dropout(0.5)(keras.layers.Rescaling(1 / 255)(images))
    network = keras.Model(images, keras.layers.Conv2D(3, 3, padding="same")(x))
    predicted = [each.label_map for each in predict_scenes(network, scenes, IDS, 4)]
    logits = network.predict(np.stack([scenes[scene].image for scene in IDS]), batch_size=4, verbose=0)
    np.testing.assert_array_equal(np.stack(predicted), logits.argmax(axis=-1))
    assert len(np.unique(predicted)) > 1


def test_some_of_the_scenes_can_be_predicted(echo, scenes):
    assert [each.scene for each in predict_scenes(echo, scenes, IDS[3:4], 2)] == IDS[3:4]


def test_scene_without_labels_is_named(echo, in_memory):
    scenes = in_memory({"a": PreparedScene(np.zeros((*SIZE, 3), np.uint8), None, SIZE)})
    with pytest.raises(ValueError, match="scene 'a' has no labels"):
        list(predict_scenes(echo, scenes, ["a"], 1))
