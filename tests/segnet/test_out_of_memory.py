import logging
from types import SimpleNamespace

import keras
import psutil
import pytest
import tensorflow as tf

from roadseg.errors import OutOfMemoryError
from roadseg.segnet.out_of_memory import estimate_memory, explaining_memory, foretell_memory


def test_what_the_backend_says_becomes_a_sentence_with_advice():
    with (
        pytest.raises(MemoryError, match=r"memory ran out with train.batch_size 4; try train.batch_size=2") as raised,
        explaining_memory("train.batch_size 4", "train.batch_size=2"),
    ):
        keras.ops.ones((2**45,), "float32")  # 140 TB: more than any machine has
    assert raised.value.__cause__ is not None


@pytest.mark.parametrize("words", ["Out of memory while trying to allocate 9 bytes.", "failed to allocate memory"])
def test_tensorflow_says_it_in_many_ways(words):
    with pytest.raises(MemoryError, match="memory ran out with it; try less"), explaining_memory("it", "less"):
        raise tf.errors.ResourceExhaustedError(None, None, words)


def test_memory_that_is_explained_is_not_explained_again():
    with pytest.raises(MemoryError, match=r"^a picture$"), explaining_memory("it", "less"):
        raise OutOfMemoryError("a picture")


def test_other_faults_stay_what_they_are():
    with pytest.raises(ValueError, match="another fault"), explaining_memory("", ""):
        raise ValueError("another fault")


@pytest.fixture
def network():
    """4x6 pixels: 3 numbers each as images, 5 each as output; 3 * 5 + 5 parameters."""
    images = keras.Input((4, 6, 3))
    return keras.Model(images, keras.layers.Conv2D(5, 1)(images))


def test_estimate_counts_outputs_for_each_scene_and_parameters_four_times(network):
    assert estimate_memory(network, 7) == 7 * 4 * 6 * (3 + 5) * 4 + 4 * 20 * 4


@pytest.mark.parametrize(("free", "warns"), [(5695, True), (5696, False)])
def test_training_that_the_machine_has_no_room_for_is_foretold(network, monkeypatch, caplog, free, warns):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    with caplog.at_level(logging.WARNING, "roadseg.segnet.out_of_memory"):
        foretell_memory(network, 7, "train.batch_size=3")
    assert ("if the system kills it, try train.batch_size=3" in caplog.text) == warns
