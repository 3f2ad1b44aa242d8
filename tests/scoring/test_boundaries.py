import math

import numpy as np
import pytest

from roadseg.scoring.boundaries import boundary_f1, boundary_tolerance


def label_map(*rows):
    return np.array([[255 if pixel == "." else int(pixel) for pixel in row] for row in rows], np.uint8)


def slow_f1(truth, prediction, num_classes, tolerance):
    """The definition, pixel by pixel and pair by pair."""
    scores = np.full(num_classes, np.nan)
    height, width = truth.shape

    def boundary(labels, wanted):
        found = []
        for y in range(height):
            for x in range(width):
                if labels[y, x] != wanted or truth[y, x] == 255:
                    continue
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                inside = [(a, b) for a, b in around if 0 <= a < height and 0 <= b < width and truth[a, b] != 255]
                if any(labels[a, b] != wanted for a, b in inside):
                    found.append((y, x))
        return found

    def matched(ones, others):
        return sum(any(math.dist(one, other) <= tolerance for other in others) for one in ones) / len(ones)

    for each in range(num_classes):
        true, predicted = boundary(truth, each), boundary(prediction, each)
        if true:
            precision, recall = (matched(predicted, true), matched(true, predicted)) if predicted else (0, 0)
            scores[each] = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return scores


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 2.3, 5])
@pytest.mark.parametrize("size", [(9, 14), (1, 20), (20, 1), (2, 2)])
def test_it_is_what_the_definition_says(size, tolerance):
    random = np.random.default_rng(1)
    for _ in range(5):
        truth = np.kron(random.choice(np.array([0, 1, 2, 255], np.uint8), size), np.ones((2, 3), np.uint8))
        prediction = np.kron(random.integers(0, 4, size).astype(np.uint8), np.ones((2, 3), np.uint8))
        expected = slow_f1(truth, prediction, 4, tolerance)
        np.testing.assert_allclose(boundary_f1(truth, prediction, 4, tolerance), expected, rtol=1e-12)


def test_a_boundary_within_the_tolerance_is_met():
    truth, shifted = label_map("00001111"), label_map("00111111")
    # the boundary pixels of class 0 are at 3 and at 1, of class 1 at 4 and at 2
    assert boundary_f1(truth, shifted, 2, 2.0).tolist() == [1, 1]
    assert boundary_f1(truth, shifted, 2, 1.9).tolist() == [0, 0]


def test_precision_and_recall_count_the_same():
    truth, prediction = label_map("00001111"), label_map("00001110")
    # class 0: 3 is met; 7 is predicted where there is none: precision 1/2, recall 1
    assert boundary_f1(truth, prediction, 2, 0.0)[0] == pytest.approx(2 / 3)


def test_a_class_that_is_not_predicted_scores_0_and_one_without_a_boundary_has_no_score():
    f1 = boundary_f1(label_map("0011"), label_map("0000"), 3, 1.0)
    assert f1[:2].tolist() == [0, 0]
    assert math.isnan(f1[2])
    assert np.isnan(boundary_f1(label_map("0000"), label_map("0011"), 3, 1.0)).all()


def test_at_void_there_is_no_boundary():
    assert np.isnan(boundary_f1(label_map("00..11"), label_map("000111"), 2, 1.0)).all()
    assert np.isnan(boundary_f1(label_map("......"), label_map("000111"), 2, 1.0)).all()
    # what is predicted under void is neither right nor wrong
    truth = label_map("0011..")
    assert boundary_f1(truth, label_map("001101"), 2, 0.0).tolist() == [1, 1]


def test_tolerance_is_a_share_of_the_diagonal():
    assert boundary_tolerance((360, 480)) == pytest.approx(4.5)
    assert boundary_tolerance((300, 400)) == pytest.approx(3.75)


@pytest.mark.parametrize(("down", "right"), [(0, 2), (1, 1), (1, 2), (2, 3), (1, 3), (3, 4)])
def test_one_pixel_is_met_up_to_its_very_distance(down, right):
    truth, prediction = np.zeros((2, 9, 9), np.uint8)
    truth[3, 3] = prediction[3 + down, 3 + right] = 1
    distance = math.hypot(down, right)
    assert boundary_f1(truth, prediction, 2, distance)[1] == 1
    assert boundary_f1(truth, prediction, 2, distance - 1e-6)[1] == 0


def test_below_one_pixel_only_the_same_place_is_met():
    assert boundary_tolerance((30, 60)) < 1
    assert boundary_f1(label_map("0011"), label_map("0111"), 2, boundary_tolerance((30, 60))).tolist() == [0, 0]
    assert boundary_f1(label_map("0011"), label_map("0011"), 2, boundary_tolerance((30, 60))).tolist() == [1, 1]


def test_the_edge_of_the_picture_is_no_boundary():
    # Class 1 fills a corner; of its four pixels, the one in the corner has no neighbour of class 0.
    truth, prediction = label_map("1100", "1100", "0000"), label_map("0000", "0100", "0000")
    assert boundary_f1(truth, prediction, 2, 0.0)[1] == pytest.approx(2 * 1 * (1 / 3) / (1 + 1 / 3))
