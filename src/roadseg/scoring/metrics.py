"""Scores computed from the class counts of a confusion matrix, and those of one class.

Rows of a confusion matrix are the true classes, columns the predicted ones; other tools print the transpose. Of each
class, scores need its hits, its true pixels and its predicted pixels: the class counts. They add up over scenes, so add
counts and never average scores: IoU is a ratio, and the mean of the ratios of batches is not the ratio of the sums; it
changes with the size and the order of the batches.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

VOID = 255
"""Id of the pixels that nobody annotated: they are dropped."""


def count_confusion(truth: NDArray[np.uint8], prediction: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """Returns the confusion matrix of label maps: entry (i, j) counts pixels of true class i that were predicted as j.

    Args:
        truth: Any shape, uint8, class ids 0..num_classes-1, 255 = void, which is dropped.
        prediction: Same shape, any integer type, class ids 0..num_classes-1, also where the truth is void.
        num_classes: Number of classes K, at most 255.

    Returns:
        (K, K) int64, true classes along the rows.

    Raises:
        ValueError: If the shapes differ, the truth is not uint8, or an id is neither a class nor, in the truth, void.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"truth and prediction must have equal shapes, received {truth.shape} and {prediction.shape}")
    if truth.dtype != np.uint8:
        raise ValueError(f"truth must be uint8 class ids, received {truth.dtype}")
    if prediction.size and not 0 <= prediction.min() <= prediction.max() < num_classes:
        raise _unknown_ids("prediction", np.unique(prediction), num_classes)
    # The wide integer first: a product of uint8 wraps as soon as K * K passes 255.
    pairs = truth.astype(np.int64) * num_classes + prediction
    counts = np.bincount(pairs.ravel(), minlength=256 * num_classes).reshape(256, num_classes)
    if counts[num_classes:VOID].any():
        raise _unknown_ids("truth", np.unique(truth[truth != VOID]), num_classes)
    return counts[:num_classes].astype(np.int64)


def count_classes(matrix: Any) -> NDArray[np.int64]:
    """Returns the class counts of a confusion matrix: (K, 3) int64, of each class its hits, true and predicted pixels.

    Args:
        matrix: (K, K) int64, true classes along the rows; a NumPy array, or a sparse one of SciPy.
    """
    return np.stack([matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)], axis=1)


def class_iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the intersection over union of each class: hits / (true + predicted - hits).

    Args:
        counts: (K, 3), as `count_classes` returns them.

    Returns:
        (K,) float64, 0..1; NaN for a class that is neither in the truth nor in the prediction.
    """
    hits, true, predicted = counts.T
    return _divide(hits, true + predicted - hits)


def mean_iou(counts: NDArray[np.int64]) -> float:
    """Returns the mean IoU over the classes that occur in truth or prediction, 0..1; NaN without pixels."""
    return _mean_of_defined(class_iou(counts))


def pixel_accuracy(counts: NDArray[np.int64]) -> float:
    """Returns the share of the annotated pixels that got their true class, 0..1; NaN without pixels."""
    hits, true, _ = counts.sum(axis=0)
    return float(_divide(hits, true))


def class_accuracy(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the recall of each class, hits / true: (K,) float64, 0..1; NaN for a class not in the truth."""
    hits, true, _ = counts.T
    return _divide(hits, true)


def mean_class_accuracy(counts: NDArray[np.int64]) -> float:
    """Returns the mean recall over the classes in the truth, 0..1 (balanced accuracy); NaN without pixels."""
    return _mean_of_defined(class_accuracy(counts))


def frequency_weighted_iou(counts: NDArray[np.int64]) -> float:
    """Returns the mean IoU, each class weighted by its share of the true pixels, 0..1; NaN without pixels.

    Defined in Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", section 5.
    """
    true = counts[:, 1]
    return float(_divide(np.nansum(true * class_iou(counts)), true.sum()))


def _divide(numerator: Any, denominator: Any) -> NDArray[np.float64]:
    """Returns the quotient, NaN where the denominator is 0, without a warning."""
    undefined = np.full(np.shape(numerator), np.nan)
    quotient: NDArray[np.float64] = np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)
    return quotient


def _mean_of_defined(scores: NDArray[np.float64]) -> float:
    """Returns the mean of what is not NaN; NaN when nothing is left."""
    defined = scores[~np.isnan(scores)]
    return float(_divide(defined.sum(), len(defined)))


def _unknown_ids(role: str, ids: NDArray[Any], num_classes: int) -> ValueError:
    """Returns the error that names the ids that are not a class."""
    unknown = ids[(ids < 0) | (ids >= num_classes)].tolist()
    void = f" or {VOID} (void)" if role == "truth" else ""
    return ValueError(f"{role}: class ids must be 0..{num_classes - 1}{void}, received {unknown}")
