import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import confusion_matrix, jaccard_score

from roadseg.training.metric import PART, RunningMeanIoU


@pytest.fixture
def batches():
    """Three batches of unequal sizes with void; class 3 neither occurs nor is predicted, class 4 is only predicted."""
    generator = np.random.default_rng(0)
    result = []
    for size in (1, 4, 2):
        labels = generator.choice([0, 1, 2, 255], (size, 6, 7)).astype("uint8")
        logits = generator.normal(size=(size, 6, 7, 5)).astype("float32")
        logits[..., 3] = -9
        result.append((labels, logits))
    return result


def valid_pixels(batches):
    labels = np.concatenate([labels.ravel() for labels, _ in batches])
    predicted = np.concatenate([logits.argmax(-1).ravel() for _, logits in batches])
    return labels[labels != 255], predicted[labels != 255]


def updated(batches):
    metric = RunningMeanIoU(num_classes=5)
    for labels, logits in batches:
        metric.update_state(labels, logits)
    return metric


def confusion_of(metric):
    low, high = np.asarray(keras.ops.convert_to_numpy(metric.counts), "int64")
    return low + high * PART


def test_confusion_matrix_is_that_of_scikit_learn(batches):
    expected = confusion_matrix(*valid_pixels(batches), labels=range(5))
    np.testing.assert_array_equal(confusion_of(updated(batches)), expected)


def test_mean_iou_is_that_of_scikit_learn_over_all_batches(batches):
    truth, predicted = valid_pixels(batches)
    expected = jaccard_score(truth, predicted, labels=[0, 1, 2, 4], average="macro")
    assert float(updated(batches).result()) == pytest.approx(expected)


def test_mean_iou_worked_by_hand():
    metric = RunningMeanIoU(num_classes=3)
    logits = np.array([[[[9, 0, 0], [9, 0, 0], [0, 9, 0], [0, 9, 0]]]], "float32")
    metric.update_state(np.array([[[0, 1, 1, 255]]]), logits)
    assert float(metric.result()) == 0.5  # both 1 of 2 pixels; class 2 is absent


def test_reset_forgets_everything(batches):
    metric = updated(batches)
    metric.reset_state()
    assert float(metric.result()) == 0
    metric.update_state(*batches[0])
    assert float(metric.result()) == float(updated(batches[:1]).result())


def test_counts_stay_exact_where_they_fill_their_low_part():
    metric = RunningMeanIoU(num_classes=2)
    metric.counts.assign(np.array([[[PART - 1, 0], [0, PART - 1]], [[0, 0], [0, 2**30]]]))
    logits = np.array([[[[1, 0], [1, 0], [0, 1]]]], "float32")
    metric.update_state(np.array([[[0, 0, 1]]], "uint8"), logits)
    np.testing.assert_array_equal(confusion_of(metric), [[2**24 + 1, 0], [0, 2**54 + 2**24]])
    np.testing.assert_array_equal(metric.counts, [[[1, 0], [0, 0]], [[1, 0], [0, 2**30 + 1]]])


def test_mean_iou_of_more_pixels_than_an_int32_holds():
    metric = RunningMeanIoU(num_classes=2)
    high = 2**33 // PART
    metric.counts.assign(np.array([[[0, 0], [0, 0]], [[high, high], [0, 2 * high]]]))
    assert float(metric.result()) == pytest.approx((1 / 2 + 2 / 3) / 2)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_metric_can_be_traced(batches, jit_compile):
    metric = RunningMeanIoU(num_classes=5)
    update = tf.function(metric.update_state, jit_compile=jit_compile)
    for labels, logits in batches:
        update(tf.constant(labels), tf.constant(logits))
    np.testing.assert_array_equal(confusion_of(metric), confusion_of(updated(batches)))


def test_metric_survives_its_configuration():
    metric = RunningMeanIoU(num_classes=7, name="iou")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert isinstance(copy, RunningMeanIoU)
    assert copy.get_config() == metric.get_config()
