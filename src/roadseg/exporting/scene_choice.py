"""Which images an export uses: training scenes to calibrate with, validation scenes and images of ties to prove on."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scenes.splits import group_by_split

Image = NDArray[np.uint8]

Images = NDArray[np.uint8]

LabelMaps = NDArray[np.uint8]

ReadPair = Callable[[str], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""From a scene id to image and label map."""


def read_proving_scenes(read_pair: ReadPair, split_table: pd.DataFrame, count: int) -> tuple[Images, LabelMaps]:
    """Returns images and label maps of validation scenes, spread over all of them: (scenes, height, width, ...) uint8.

    Args:
        read_pair: Reads a scene at the size that the files take.
        split_table: scene -> drive and split.
        count: How many; all where there are fewer.

    Raises:
        InputError: If there are none.
    """
    chosen = _choose(split_table, "validation", count)
    if not chosen:
        raise InputError("the split has no labelled validation scenes, on which an exported model must be proved")
    images, label_maps = zip(*map(read_pair, chosen), strict=True)
    return np.stack(images), np.stack(label_maps)


def read_calibration_images(read_pair: ReadPair, split_table: pd.DataFrame, count: int) -> dict[str, Image]:
    """Returns images of training scenes, spread over all of them: scene id -> (height, width, 3) uint8.

    Args:
        read_pair: Reads a scene at the size that the files take.
        split_table: scene -> drive and split.
        count: How many; all where there are fewer, perhaps none.
    """
    return {scene: read_pair(scene)[0] for scene in _choose(split_table, "train", count)}


def draw_ties(size: Sequence[int]) -> Images:
    """Returns a dark image and one of another colour, (2, height, width, 3) uint8."""
    return np.array([[0, 0, 0], [90, 120, 37]], np.uint8)[:, None, None].repeat(size[0], 1).repeat(size[1], 2)


def _choose(split_table: pd.DataFrame, split: str, count: int) -> list[str]:
    found = group_by_split(split_table)[split]
    places = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[place] for place in places]
