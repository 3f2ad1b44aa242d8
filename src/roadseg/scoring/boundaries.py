"""How well the boundaries of objects are found: the boundary F1 of the SegNet paper."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.scenes.labels import VOID

TOLERANCE = 0.0075
"""How far apart boundaries may be, as a share of the image's diagonal: that of the SegNet paper."""


def boundary_tolerance(size: tuple[int, int]) -> float:
    """Returns how many pixels apart boundaries may be in a picture of (height, width) pixels.

    Below 67x67 pixels or so that is less than 1: there, only boundary pixels at the same place match.
    """
    return TOLERANCE * math.hypot(*size)


def boundary_f1(
    truth: NDArray[np.uint8], label_map: NDArray[np.uint8], num_classes: int, tolerance: float
) -> NDArray[np.float64]:
    """Returns the F1 of precision and recall of the boundary pixels of each class.

    A boundary pixel of a class has one of its four neighbours in another class. Precision is the share of the
    predicted boundary pixels with a true one of the class within the tolerance, recall the share of the true ones with
    a predicted one. Nobody knows where a boundary at void is: void pixels are void in the prediction too, and neither
    they nor the edge of the picture make a neighbour a boundary pixel.

    Args:
        truth: (height, width) uint8, class ids and void.
        label_map: (height, width) uint8, predicted class ids.
        num_classes: Number of classes K.
        tolerance: In pixels between centres, at least 0; see `boundary_tolerance`.

    Returns:
        (K,) float64, 0..1: 0 where no boundary is predicted, NaN where the truth has none. A class that is predicted
        but not in the truth lowers the precision of the classes around it.

    Reference:
        Csurka et al., "What is a good evaluation measure for semantic segmentation?", BMVC 2013;
        SegNet, https://arxiv.org/abs/1511.00561.
    """
    known = truth != VOID
    true_edges, predicted_edges = (np.where(_find_boundaries(each, known), each, VOID) for each in (truth, label_map))
    disc = _draw_disc(tolerance)
    scores = np.full(num_classes, np.nan)
    for index in np.unique(true_edges[true_edges != VOID]):
        true_pixels, predicted = ((edges == index).view(np.uint8) for edges in (true_edges, predicted_edges))
        found, missed = _count_matches(true_pixels, predicted, disc)
        right, wrong = _count_matches(predicted, true_pixels, disc)
        precision, recall = right / max(right + wrong, 1), found / (found + missed)
        scores[index] = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return scores


def _find_boundaries(label_map: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which pixels have a neighbour of another class, both of them known: (height, width)."""
    boundaries = np.zeros(label_map.shape, bool)
    for here, there in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1),), (slice(1, None),)),
    ):
        differ = (label_map[here] != label_map[there]) & known[here] & known[there]
        boundaries[here] |= differ
        boundaries[there] |= differ
    return boundaries


def _draw_disc(radius: float) -> NDArray[np.uint8]:
    """Returns which offsets from the middle are within the radius: (n, n) uint8, 0 or 1, n odd."""
    offsets = np.arange(-math.floor(radius), math.floor(radius) + 1)
    return (np.hypot(offsets[:, None], offsets) <= radius).astype(np.uint8)


def _count_matches(pixels: NDArray[np.uint8], others: NDArray[np.uint8], disc: NDArray[np.uint8]) -> tuple[int, int]:
    """Returns how many of the pixels have one of the others within the disc, and how many do not."""
    near_others = cv2.dilate(others, disc)
    matched = cv2.countNonZero(cv2.bitwise_and(pixels, near_others))
    return matched, cv2.countNonZero(pixels) - matched
