"""What a guess scores that never looks at the image: the most frequent class of each pixel."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import InputError


def fit_class_prior(label_maps: Iterable[NDArray[np.uint8]], num_classes: int) -> NDArray[np.uint8]:
    """Returns the most frequent class of each pixel, the lower id where two are equally frequent.

    Args:
        label_maps: (height, width) uint8 each, class ids 0..num_classes-1; any other id, such as void, is not counted.
        num_classes: Number of classes.

    Returns:
        (height, width) uint8, class ids; 0 where a pixel is void in all label maps.

    Raises:
        InputError: If there are no label maps.
    """
    counts = None
    for label_map in label_maps:
        if counts is None:  # of each pixel, the classes and then all other ids
            counts = np.zeros((*label_map.shape, num_classes + 1), np.int32)
            first_cells = np.arange(label_map.size) * (num_classes + 1)
        counts.ravel()[first_cells + np.minimum(label_map, num_classes).ravel()] += 1
    if counts is None:
        raise InputError("a class prior needs label maps, received none")
    most_frequent: NDArray[np.uint8] = np.argmax(counts[..., :num_classes], axis=-1).astype(np.uint8)
    return most_frequent
