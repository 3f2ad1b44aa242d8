import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from roadseg.segnet.segmentation import Segmentation

LOGITS = np.random.default_rng(1).normal(size=(6, 9, 5)).astype(np.float32) * 3


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_maps_are_those_of_the_softmax_of_logits_over_temperature(temperature):
    found = Segmentation(LOGITS, (6, 9), temperature)
    probabilities = softmax(LOGITS.astype(np.float64) / temperature, axis=-1)
    np.testing.assert_array_equal(found.label_map, LOGITS.argmax(axis=-1))
    np.testing.assert_allclose(found.confidence, probabilities.max(axis=-1), rtol=1e-5)
    np.testing.assert_allclose(found.network_confidence, probabilities.max(axis=-1), rtol=1e-5)
    np.testing.assert_allclose(found.entropy, entropy(probabilities, axis=-1), rtol=1e-4, atol=1e-6)
    assert {each.dtype.name for each in (found.confidence, found.network_confidence, found.entropy)} == {"float32"}


def test_classes_and_their_confidence_have_the_size_of_the_image_doubt_has_that_of_the_network():
    found = Segmentation(LOGITS, (12, 20))
    assert found.label_map.shape == found.confidence.shape == (12, 20)
    assert found.entropy.shape == found.network_confidence.shape == (6, 9)


def test_entropy_is_zero_where_one_class_is_certain_and_the_log_of_the_classes_where_none_is_likelier():
    logits = np.zeros((1, 2, 4), np.float32)
    logits[0, 0, 2] = 1e30
    found = Segmentation(logits, (1, 2))
    np.testing.assert_allclose(found.entropy, [[0, np.log(4)]], rtol=1e-6)
    np.testing.assert_allclose(found.network_confidence, [[1, 0.25]], rtol=1e-6)


def test_a_label_map_is_the_same_at_any_temperature_though_division_makes_logits_equal():
    lower = np.float32(2) - np.arange(1, 100, dtype=np.float32) * np.spacing(np.float32(1))
    logits = np.stack([lower, np.nextafter(lower, np.float32(2))], axis=-1)[None]
    divided = logits / np.float32(1.9)
    assert (divided[..., 0] == divided[..., 1]).any()
    assert (Segmentation(logits, (1, 99), 1.9).label_map == 1).all()


def test_a_map_that_is_kept_keeps_no_logits():
    label_map = Segmentation(LOGITS, (6, 9)).label_map
    owner = label_map if label_map.base is None else label_map.base
    assert not isinstance(owner, np.ndarray) or owner.nbytes <= 6 * 9
