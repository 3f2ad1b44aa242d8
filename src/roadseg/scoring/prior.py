"""What a guess scores that never looks at the image: the most frequent class of each pixel."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def fit_class_prior(label_maps: Iterable[NDArray[np.uint8]], num_classes: int) -> NDArray[np.uint8]:
    """Returns the most frequent class of each pixel, the lower id where two are equally frequent.

    Args:
        label_maps: (height, width) uint8 each, class ids 0..num_classes-1; any other id, such as void, is not counted.
        num_classes: Number of classes.

    Returns:
        (height, width) uint8, class ids; 0 where a pixel is void in all label maps.

    Raises:
        ValueError: If there are no label maps.
    """
    counts = None
    for label_map in label_maps:
        if counts is None:
            counts = np.zeros((*label_map.shape, num_classes), np.int32)
        rows, columns = np.nonzero(label_map < num_classes)
        counts[rows, columns, label_map[rows, columns]] += 1  # a pixel stands once in it, so no count is lost
    if counts is None:
        raise ValueError("a class prior is fitted on label maps, received none")
    most_frequent: NDArray[np.uint8] = np.argmax(counts, axis=-1).astype(np.uint8)
    return most_frequent
