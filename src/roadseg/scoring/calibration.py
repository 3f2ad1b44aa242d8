"""Whether the confidences of a network are right: the expected calibration error."""

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scenes.labels import VOID

NUM_BINS = 15
"""Bins of equal width that confidences are sorted into, as in the paper."""


def count_calibration(
    truth: NDArray[np.uint8], label_map: NDArray[np.uint8], confidence: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Returns how often pixels of each confidence are right; the counts of scenes add up.

    Args:
        truth: (height, width) uint8, class ids and void, which is dropped.
        label_map: (height, width) uint8, predicted class ids.
        confidence: (height, width), 0..1, probability of the predicted class.

    Returns:
        (NUM_BINS, 3) float64; in each bin the number of pixels and of those that are right, and the sum of confidences.
        Bin i holds the confidences above i / NUM_BINS up to (i + 1) / NUM_BINS, and the first one 0 too.

    Raises:
        InputError: If a confidence is not in 0..1.
    """
    known = truth != VOID
    confidences = confidence[known].astype(np.float64)
    if not ((confidences >= 0) & (confidences <= 1)).all():
        wrong = confidences[~((confidences >= 0) & (confidences <= 1))]
        raise InputError(f"confidences must be 0..1, received {wrong[0]} and {len(wrong) - 1} more that are not")
    bins = np.maximum(np.ceil(confidences * NUM_BINS).astype(np.int64) - 1, 0)
    hits = truth[known] == label_map[known]
    return np.stack([np.bincount(bins, weights, NUM_BINS) for weights in (None, hits, confidences)], axis=1)


def calibration_error(counts: NDArray[np.float64]) -> float:
    """Returns the mean distance of accuracy and confidence over the bins, each with its share of the pixels.

    Args:
        counts: (bins, 3), as `count_calibration` returns them.

    Returns:
        0..1; 0 if, of the pixels with confidence p, the share p is right; NaN without pixels.

    Reference:
        Guo et al., https://arxiv.org/abs/1706.04599, equation 3.
    """
    pixels, hits, confidences = counts.T
    # |hits / pixels - confidences / pixels| * pixels / all pixels
    return float(np.abs(hits - confidences).sum() / pixels.sum()) if pixels.any() else float("nan")
