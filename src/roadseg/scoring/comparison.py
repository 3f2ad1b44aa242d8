"""How the scores of two runs differ over the scenes that both have scored.

Scores of different scenes cannot be compared, so scores are compared over the scenes that two runs share, and
intervals over the drives of these. Differences are the second run less the first: above 0 the second is better, except
for an error, which is best at 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scoring.bootstrap import bootstrap_differences
from roadseg.scoring.metrics import class_iou, mean_iou
from roadseg.scoring.scores import list_scores
from roadseg.scoring.tables import ScoredScenes, add_up


@dataclass(frozen=True)
class PairedScenes:
    """Scenes that two runs have scored.

    Attributes:
        class_names: K names in the order of the ids.
        scenes: The columns drive and scene.
        first: (scenes, K, 3) int64, class counts of the first run.
        second: Same shape, of the second run, scene by scene.
    """

    class_names: Sequence[str]
    scenes: pd.DataFrame
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @property
    def num_drives(self) -> int:
        """Number of drives of the scenes."""
        return int(self.scenes["drive"].nunique())


def pair_scenes(first: ScoredScenes, second: ScoredScenes, are_equal: Callable[[str], bool]) -> PairedScenes:
    """Returns the scenes that two runs have scored.

    Args:
        first: Of the first run.
        second: Of the same split, in the second run.
        are_equal: Whether a scene that both name is the same in pixels and labels.

    Raises:
        InputError: If equal scenes have different classes, or different true pixels.
    """
    theirs = set(second.scene_scores["scene"])
    shared = [scene in theirs and are_equal(scene) for scene in first.scene_scores["scene"]]
    scenes = first.scene_scores.loc[shared, ["drive", "scene"]].reset_index(drop=True)
    classes = [list(each.class_names) for each in (first, second)]
    if scenes.empty:
        none, _ = first.read_classes(scenes["scene"])
        return PairedScenes(classes[0], scenes, none, none)
    if classes[0] != classes[1]:
        raise InputError(f"two runs that share scenes must share classes, received {classes[0]} and {classes[1]}")
    counts = [each.read_classes(scenes["scene"])[0] for each in (first, second)]
    pair = PairedScenes(classes[0], scenes, *counts)
    _check_truth(pair)
    return pair


def compare_scores(pair: PairedScenes, seed: int) -> pd.DataFrame:
    """Returns the scores of two runs over the scenes that they share, and 95 % intervals of the differences.

    Args:
        pair: One or more scenes.
        seed: Repeats the draws.

    Returns:
        One row per score, then one per class with its score `iou`; the columns score, class (missing where the score is
        of no class), first, second, difference, low and high. NaN where a score is undefined; low and high also where
        there are fewer drives than an interval takes.
    """
    first, second = (np.stack(list(add_up(pair.scenes["drive"], each).values())) for each in (pair.first, pair.second))
    differences = bootstrap_differences(second, first, _score_all, seed)
    names = [*((each.name, None) for each in list_scores("counts")), *(("iou", name) for name in pair.class_names)]
    scores = zip(_score_all(first.sum(axis=0)), _score_all(second.sum(axis=0)), strict=True)
    rows = []
    for name, (ours, theirs), drawn in zip(names, scores, differences, strict=True):
        low, high = (drawn.low, drawn.high) if drawn else (np.nan, np.nan)
        rows.append((*name, ours, theirs, theirs - ours, low, high))
    return pd.DataFrame(rows, columns=["score", "class", "first", "second", "difference", "low", "high"])


def compare_scenes(pair: PairedScenes) -> pd.DataFrame:
    """Returns the mean IoU of each scene in two runs, the scenes that gained most first.

    Returns:
        The columns scene, drive, first, second and difference; scenes without a score (all void) are left out.
    """
    table = pair.scenes[["scene", "drive"]].assign(
        first=[mean_iou(counts) for counts in pair.first],
        second=[mean_iou(counts) for counts in pair.second],
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


def _score_all(counts: NDArray[np.int64]) -> list[float]:
    return [*(each.compute(counts) for each in list_scores("counts")), *class_iou(counts)]


def _check_truth(pair: PairedScenes) -> None:
    others = (pair.first[..., 1] != pair.second[..., 1]).any(axis=1)
    if others.any():
        scene = pair.scenes["scene"].tolist()[int(np.argmax(others))]
        raise InputError(f"scene '{scene}' has different annotations in the two runs")
