"""Which prepared scenes an export uses: training scenes to calibrate with, validation scenes to prove on."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import group_by_split

Image = NDArray[np.uint8]

Images = NDArray[np.uint8]

LabelMaps = NDArray[np.uint8]


def read_proving_scenes(scenes: PreparedScenes, split_table: pd.DataFrame, count: int) -> tuple[Images, LabelMaps]:
    """Returns images and label maps of validation scenes, spread over all of them: (scenes, height, width, ...) uint8.

    Args:
        scenes: Scene id -> prepared scene.
        split_table: scene -> drive and split.
        count: How many; all where there are fewer.

    Raises:
        InputError: If there are none.
    """
    chosen = _choose(split_table, "validation", count)
    if not chosen:
        raise InputError("the split has no labelled validation scenes, on which an exported model must be proved")
    images, label_maps = zip(*map(scenes.read_pair, chosen), strict=True)
    return np.stack(images), np.stack(label_maps)


def read_calibration_images(scenes: PreparedScenes, split_table: pd.DataFrame, count: int) -> dict[str, Image]:
    """Returns images of training scenes, spread over all of them: scene id -> (height, width, 3) uint8.

    Args:
        scenes: Scene id -> prepared scene.
        split_table: scene -> drive and split.
        count: How many; all where there are fewer, perhaps none.
    """
    return {scene: scenes[scene].image for scene in _choose(split_table, "train", count)}


def _choose(split_table: pd.DataFrame, split: str, count: int) -> list[str]:
    found = group_by_split(split_table)[split]
    places = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[place] for place in places]
