import math
from fractions import Fraction

import numpy as np
import pytest

from roadseg.scoring.calibration import NUM_BINS, calibration_error, count_calibration


def test_counts_are_those_of_a_plain_loop():
    random = np.random.default_rng(2)
    truth = random.choice(np.array([0, 1, 2, 255], np.uint8), (20, 30))
    label_map = random.integers(0, 3, (20, 30)).astype(np.uint8)
    confidence = random.uniform(1 / 3, 1, (20, 30)).astype(np.float32)
    expected = np.zeros((NUM_BINS, 3))
    for true, predicted, sure in zip(truth.ravel(), label_map.ravel(), confidence.ravel(), strict=True):
        if true != 255:
            expected[math.ceil(float(sure) * NUM_BINS) - 1] += (1, true == predicted, float(sure))
    np.testing.assert_allclose(count_calibration(truth, label_map, confidence), expected, rtol=1e-12)


def test_error_is_the_mean_distance_of_accuracy_and_confidence():
    truth = np.array([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]], np.uint8)
    label_map = np.array([[0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]], np.uint8)
    confidence = np.array([[0.99] * 6 + [0.5] * 4 + [0.7]], np.float64)
    # six pixels: 4/6 right at 0.99; four: 3/4 right at 0.5; void does not count
    expected = 6 / 10 * abs(4 / 6 - 0.99) + 4 / 10 * abs(3 / 4 - 0.5)
    assert calibration_error(count_calibration(truth, label_map, confidence)) == pytest.approx(expected)


def test_counts_of_scenes_add_up():
    random = np.random.default_rng(3)
    truth, label_map = random.integers(0, 2, (2, 4, 6, 5)).astype(np.uint8)
    confidence = random.uniform(0.5, 1, (4, 6, 5))
    together = count_calibration(truth, label_map, confidence)
    np.testing.assert_allclose(sum(map(count_calibration, truth, label_map, confidence)), together)


@pytest.mark.parametrize(("confidence", "place"), [(0.0, 0), (1e-9, 0), (1.0, 14), (0.9999, 14), (0.5, 7)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_confidence_has_a_bin(confidence, place, dtype):
    one = np.zeros((1, 1), np.uint8)
    counts = count_calibration(one, one, np.full((1, 1), confidence, dtype))
    assert counts[:, 0].tolist() == [index == place for index in range(NUM_BINS)]


@pytest.mark.parametrize("confidence", [1.01, -0.1, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    one = np.zeros((1, 1), np.uint8)
    with pytest.raises(ValueError, match=r"confidences must be 0..1, received"):
        count_calibration(one, one, np.full((1, 1), confidence))


def test_without_pixels_there_is_no_error():
    void, confidence = np.full((2, 2), 255, np.uint8), np.full((2, 2), 0.5)
    assert math.isnan(calibration_error(count_calibration(void, void, confidence)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_confidence_next_to_an_edge_is_on_its_own_side(dtype):
    edges = (np.arange(1, NUM_BINS) / NUM_BINS).astype(dtype)  # rounded, a little above or below the edge
    expected = [math.ceil(Fraction(float(edge)) * NUM_BINS) - 1 for edge in edges]
    zeros = np.zeros((1, 1), np.uint8)
    counts = [count_calibration(zeros, zeros, edge.reshape(1, 1))[:, 0] for edge in edges]
    assert np.argmax(counts, axis=1).tolist() == expected
