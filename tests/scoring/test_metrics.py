"""Scores against scikit-learn and against matrices worked by hand."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, jaccard_score

from roadseg.scenes import labels
from roadseg.scoring import metrics

# Class 0: 3 of 4 found. Class 1: 2 of 5 found, 1 false alarm from 0. Class 2: 1 of 1, 3 false alarms from 1.
WORKED = np.array([[3, 1, 0], [0, 2, 3], [0, 0, 1]])


COUNTS = np.array([[3, 4, 3], [2, 5, 3], [1, 1, 4]])  # of each class of WORKED: hits, true and predicted pixels


def random_label_maps(num_classes, shape=(24, 37), void_share=0.1, seed=7):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes, shape).astype(np.uint8)
    prediction = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, num_classes, shape)).astype(np.uint8)
    truth[rng.random(shape) < void_share] = metrics.VOID
    return truth, prediction


def test_void_is_the_void_of_the_label_space():
    assert metrics.VOID == labels.VOID


def test_rows_are_true_classes_and_columns_predicted_ones():
    truth = np.array([[0, 0, 1]], np.uint8)
    prediction = np.array([[0, 1, 1]], np.uint8)
    assert metrics.count_confusion(truth, prediction, 2).tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize("num_classes", [2, 7, 19, 255])
def test_confusion_agrees_with_scikit_learn(num_classes):
    truth, prediction = random_label_maps(num_classes)
    known = truth != metrics.VOID
    expected = confusion_matrix(truth[known], prediction[known], labels=range(num_classes))
    counted = metrics.count_confusion(truth, prediction, num_classes)
    assert counted.dtype == np.int64
    np.testing.assert_array_equal(counted, expected)


def test_ids_whose_pair_number_exceeds_255_are_not_wrapped():
    matrix = metrics.count_confusion(np.full((4, 4), 18, np.uint8), np.full((4, 4), 17, np.uint8), 19)
    assert matrix[18, 17] == 16
    assert matrix.sum() == 16


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_predictions_of_any_integer_type_are_counted_alike(dtype):
    truth, prediction = random_label_maps(7)
    expected = metrics.count_confusion(truth, prediction, 7)
    np.testing.assert_array_equal(metrics.count_confusion(truth, prediction.astype(dtype), 7), expected)


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 4), (2, 3, 4), (1, 1)])
def test_any_shape_is_counted(shape):
    matrix = metrics.count_confusion(np.ones(shape, np.uint8), np.zeros(shape, np.uint8), 3)
    assert matrix.tolist() == [[0, 0, 0], [int(np.prod(shape)), 0, 0], [0, 0, 0]]


def test_label_maps_are_left_as_they_are():
    truth, prediction = random_label_maps(7)
    before = truth.copy(), prediction.copy()
    metrics.count_confusion(truth, prediction, 7)
    np.testing.assert_array_equal((truth, prediction), before)


def test_matrices_of_batches_add_up_to_the_matrix_of_the_whole():
    truth, prediction = random_label_maps(7, shape=(10, 16, 20))
    batches = [metrics.count_confusion(truth[i : i + 3], prediction[i : i + 3], 7) for i in range(0, 10, 3)]
    np.testing.assert_array_equal(sum(batches), metrics.count_confusion(truth, prediction, 7))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        metrics.count_confusion(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)


def test_truth_of_another_type_is_refused():
    with pytest.raises(ValueError, match="uint8 class ids, received int64"):
        metrics.count_confusion(np.zeros(3, np.int64), np.zeros(3, np.uint8), 2)


def test_true_ids_that_are_no_class_are_named():
    with pytest.raises(ValueError, match=r"truth: class ids must be 0\.\.6 or 255 \(void\), received \[7, 254\]"):
        metrics.count_confusion(np.array([0, 7, 254, 255], np.uint8), np.zeros(4, np.uint8), 7)


@pytest.mark.parametrize("unknown", [-1, 7, 255, 263])
def test_predicted_ids_that_are_no_class_are_named_even_where_the_truth_is_void(unknown):
    with pytest.raises(ValueError, match=rf"prediction: class ids must be 0\.\.6, received \[{unknown}\]"):
        metrics.count_confusion(np.array([0, 255], np.uint8), np.array([0, unknown]), 7)


@pytest.mark.parametrize("form", [np.asarray, coo_array])
def test_classes_are_counted_from_a_matrix_of_either_form(form):
    counts = metrics.count_classes(form(WORKED))
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, COUNTS)


def test_scores_of_a_worked_matrix():
    np.testing.assert_allclose(metrics.class_iou(COUNTS), [3 / 4, 2 / 6, 1 / 4])
    np.testing.assert_allclose(metrics.class_accuracy(COUNTS), [3 / 4, 2 / 5, 1])
    assert metrics.mean_iou(COUNTS) == pytest.approx((3 / 4 + 1 / 3 + 1 / 4) / 3)
    assert metrics.pixel_accuracy(COUNTS) == pytest.approx(6 / 10)
    assert metrics.mean_class_accuracy(COUNTS) == pytest.approx((0.75 + 0.4 + 1) / 3)
    assert metrics.frequency_weighted_iou(COUNTS) == pytest.approx(0.4 * 3 / 4 + 0.5 / 3 + 0.1 / 4)


@pytest.mark.parametrize("num_classes", [2, 7, 19])
def test_scores_agree_with_scikit_learn(num_classes):
    truth, prediction = random_label_maps(num_classes)
    counts = metrics.count_classes(metrics.count_confusion(truth, prediction, num_classes))
    known = truth != metrics.VOID
    pair = truth[known], prediction[known]
    np.testing.assert_allclose(metrics.class_iou(counts), jaccard_score(*pair, average=None))
    assert metrics.mean_iou(counts) == pytest.approx(jaccard_score(*pair, average="macro"))
    assert metrics.frequency_weighted_iou(counts) == pytest.approx(jaccard_score(*pair, average="weighted"))
    assert metrics.pixel_accuracy(counts) == pytest.approx(accuracy_score(*pair))
    assert metrics.mean_class_accuracy(counts) == pytest.approx(balanced_accuracy_score(*pair))


@pytest.mark.parametrize(("matrix", "score"), [(np.diag([5, 1, 9]), 1.0), (np.array([[0, 4], [6, 0]]), 0.0)])
def test_perfect_is_one_and_all_wrong_is_zero(matrix, score):
    counts = metrics.count_classes(matrix)
    assert metrics.mean_iou(counts) == score
    assert metrics.pixel_accuracy(counts) == score
    assert metrics.mean_class_accuracy(counts) == score
    assert metrics.frequency_weighted_iou(counts) == score


def test_a_class_that_never_occurs_is_left_out_of_every_mean():
    counts = np.array([[3, 4, 4], [3, 4, 4], [0, 0, 0]])
    np.testing.assert_equal(metrics.class_iou(counts), [0.6, 0.6, np.nan])
    assert metrics.mean_iou(counts) == pytest.approx(0.6)
    assert metrics.mean_class_accuracy(counts) == pytest.approx(0.75)
    assert metrics.frequency_weighted_iou(counts) == pytest.approx(0.6)


def test_a_class_that_is_only_predicted_lowers_the_mean_iou_but_has_no_accuracy():
    counts = np.array([[3, 4, 3], [0, 0, 1]])
    np.testing.assert_equal(metrics.class_iou(counts), [0.75, 0.0])
    np.testing.assert_equal(metrics.class_accuracy(counts), [0.75, np.nan])
    assert metrics.mean_iou(counts) == 0.375
    assert metrics.mean_class_accuracy(counts) == 0.75


def test_scores_without_pixels_are_undefined():
    matrix = metrics.count_confusion(np.full((2, 2), metrics.VOID, np.uint8), np.zeros((2, 2), np.uint8), 3)
    counts = metrics.count_classes(matrix)
    assert not counts.any()
    assert np.isnan(metrics.class_iou(counts)).all()
    assert np.isnan(metrics.class_accuracy(counts)).all()
    for score in (
        metrics.mean_iou,
        metrics.pixel_accuracy,
        metrics.mean_class_accuracy,
        metrics.frequency_weighted_iou,
    ):
        assert np.isnan(score(counts))
