"""How the scores of two runs differ over the scenes that both have scored.

A score of other scenes tells nothing of a network, so scores are compared over the scenes that two runs share, and
intervals over the drives of these. Differences are the second run less the first: above 0 the second is better.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.scoring.bootstrap import bootstrap_difference
from roadseg.scoring.metrics import (
    class_iou,
    frequency_weighted_iou,
    mean_class_accuracy,
    mean_iou,
    pixel_accuracy,
)
from roadseg.scoring.tables import KEYS, add_up, read_confusion

PAIRED_SCORES: Mapping[str, Callable[[NDArray[Any]], float]] = {
    "mean_iou": mean_iou,
    "pixel_accuracy": pixel_accuracy,
    "mean_class_accuracy": mean_class_accuracy,
    "frequency_weighted_iou": frequency_weighted_iou,
}
"""The scores that confusion matrices give."""


@dataclass(frozen=True)
class PairedScenes:
    """Scenes that two runs have scored.

    Attributes:
        class_names: K names in the order of the ids.
        scenes: The columns drive and scene.
        first: (scenes, K, K) int64, confusion matrices of the first run, true classes along the rows.
        second: Same shape, of the second run, scene by scene.
    """

    class_names: tuple[str, ...]
    scenes: pd.DataFrame
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @property
    def num_drives(self) -> int:
        """How many drives the scenes are of."""
        return int(self.scenes["drive"].nunique())


def pair_scenes(first: pd.DataFrame, second: pd.DataFrame, are_equal: Callable[[str], bool]) -> PairedScenes:
    """Returns the scenes that are in both tables.

    Args:
        first: Rows of one split of a table that `tabulate_confusion` made.
        second: Of the same split in that of another run.
        are_equal: Whether a scene that both name is the same in pixels and labels.

    Raises:
        ValueError: If a scene is the same and the classes differ, or its true pixels do.
    """
    (ours, matrices), (theirs, others) = read_confusion(first), read_confusion(second)
    place_of = {scene: place for place, scene in enumerate(theirs["scene"])}
    shared = [scene in place_of and are_equal(scene) for scene in ours["scene"]]
    scenes = ours.loc[shared, ["drive", "scene"]].reset_index(drop=True)
    classes = [tuple(table.columns.drop([*KEYS, "truth"])) for table in (first, second)]
    if scenes.empty:
        none = matrices[:0]
        return PairedScenes(classes[0], scenes, none, none)
    if classes[0] != classes[1]:
        raise ValueError(f"two runs that share scenes must share classes, received {classes[0]} and {classes[1]}")
    places = [place_of[scene] for scene in scenes["scene"]]
    pair = PairedScenes(classes[0], scenes, matrices[np.flatnonzero(shared)], others[places])
    _check_truth(pair)
    return pair


def compare_scores(pair: PairedScenes, seed: int) -> pd.DataFrame:
    """Returns the scores of two runs over the scenes that they share, and 95 % intervals of the differences.

    Args:
        pair: One or more scenes.
        seed: Repeats the draws.

    Returns:
        A row a score, then a row a class with its IoU; the columns score, first, second, difference, low and high. NaN
        where a score is undefined; low and high also where there are fewer drives than an interval takes.
    """
    first, second = (np.stack(list(add_up(pair.scenes["drive"], each).values())) for each in (pair.first, pair.second))
    scores = dict(PAIRED_SCORES) | {
        f"IoU {name}": partial(_iou_of, index) for index, name in enumerate(pair.class_names)
    }
    rows = []
    for name, score in scores.items():
        ours, theirs = score(first.sum(axis=0)), score(second.sum(axis=0))
        drawn = bootstrap_difference(second, first, score, seed)
        low, high = (drawn.low, drawn.high) if drawn else (np.nan, np.nan)
        rows.append((name, ours, theirs, theirs - ours, low, high))
    return pd.DataFrame(rows, columns=["score", "first", "second", "difference", "low", "high"])


def compare_scenes(pair: PairedScenes) -> pd.DataFrame:
    """Returns the mean IoU of each scene in two runs, the scenes that gained most first.

    Returns:
        The columns scene, drive, first, second and difference; scenes without a score, void throughout, are left out.
    """
    table = pair.scenes[["scene", "drive"]].assign(
        first=[mean_iou(matrix) for matrix in pair.first],
        second=[mean_iou(matrix) for matrix in pair.second],
    )
    table["difference"] = table["second"] - table["first"]
    scored = table.dropna(subset="difference")
    return scored.sort_values(["difference", "scene"], ascending=[False, True], ignore_index=True)


def choose_changed(scenes: pd.DataFrame, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the scenes that got better, the most changed first, and those that got worse; at most so many of each.

    Args:
        scenes: As `compare_scenes` returns them.
        count: From 0.
    """
    better = scenes[scenes["difference"] > 0].head(count)
    worse = scenes[scenes["difference"] < 0].iloc[::-1].head(count)
    return better.reset_index(drop=True), worse.reset_index(drop=True)


def _iou_of(index: int, matrix: NDArray[np.int64]) -> float:
    return float(class_iou(matrix)[index])


def _check_truth(pair: PairedScenes) -> None:
    others = (pair.first.sum(axis=2) != pair.second.sum(axis=2)).any(axis=1)
    if others.any():
        scene = pair.scenes["scene"].tolist()[int(np.argmax(others))]
        raise ValueError(f"scene '{scene}' has other true pixels in each of two runs that should have scored the same")
