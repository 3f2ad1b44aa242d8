"""Which classes lie where in a picture, in a few numbers: enough to tell how unlike two pictures are."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS, SAMPLES = 4, 16
"""Cells of a picture along each side, and along each side of a cell the pixels of it that are looked at."""

Layout = Mapping[int, tuple[int, ...]]
"""Id of each class that is seen -> in how many pixels of each cell, in rows from the upper left one."""


def describe_layout(label_map: NDArray[np.uint8]) -> Layout:
    """Returns how many of `SAMPLES` x `SAMPLES` pixels of each of `CELLS` x `CELLS` cells have each class.

    Args:
        label_map: (height, width) uint8, class ids, of any size.
    """
    side = CELLS * SAMPLES
    small = cv2.resize(label_map, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    cells = small.reshape(CELLS, SAMPLES, CELLS, SAMPLES).swapaxes(1, 2).reshape(CELLS**2, -1).astype(np.int64)
    counts = np.bincount((256 * np.arange(CELLS**2)[:, None] + cells).ravel(), minlength=256 * CELLS**2)
    of_cells = counts.reshape(-1, 256)
    return {int(index): tuple(of_cells[:, index].tolist()) for index in np.flatnonzero(of_cells.sum(axis=0))}


def stack_layouts(layouts: Sequence[Layout]) -> NDArray[np.int16]:
    """Returns layouts as the rows of a matrix: (n, `CELLS`**2 for each class that any of them has) int16."""
    place_of = {index: place for place, index in enumerate(sorted(set().union(*layouts)))}
    stacked = np.zeros((len(layouts), len(place_of), CELLS**2), np.int16)
    for row, layout in zip(stacked, layouts, strict=True):
        for index, counts in layout.items():
            row[place_of[index]] = counts
    return stacked.reshape(len(layouts), -1)
