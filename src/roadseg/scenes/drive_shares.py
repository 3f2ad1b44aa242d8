"""Drives shared out to splits by given shares, so that each split has each class."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp


def share_out_drives(scenes: pd.DataFrame, held: pd.DataFrame, shares: Mapping[str, float], seed: int) -> pd.Series:
    """Returns the split of each scene: whole drives, with each class in each split where the drives allow it.

    That is a seeded shuffle of the drives, or the split nearest to it of those that lack fewest pairs of split and
    class. scikit-learn's stratifiers see one label a sample (a set of classes is one label of its own) and
    `StratifiedGroupKFold` deals groups greedily to equal folds, so there a rare class may miss a split needlessly.

    Args:
        scenes: One row per scene: scene and drive.
        held: (scenes, classes) whether each scene has each class, by scene; as `find_classes` returns it.
        shares: Split -> its share of the drives, 0..1; at most as many as there are drives.
        seed: Of the shuffle.
    """
    classes = held.loc[scenes["scene"]].groupby(scenes["drive"].to_numpy()).any()
    counts = _apportion(len(classes), list(shares.values()))
    shuffled = np.empty(len(classes), int)
    shuffled[np.random.default_rng(seed).permutation(len(classes))] = np.repeat(np.arange(len(shares)), counts)
    splits = np.array(list(shares))[_cover_classes(shuffled, classes.to_numpy(), counts)]
    return scenes["drive"].map(dict(zip(classes.index, splits.tolist(), strict=True)))


def _cover_classes(
    shuffled: NDArray[np.integer], classes: NDArray[np.bool_], counts: Sequence[int]
) -> NDArray[np.integer]:
    """Returns the split of each drive: fewest classes lacking in splits, and of these the fewest drives moved.

    Args:
        shuffled: (drives,) the split of each drive to begin with.
        classes: (drives, classes) whether each drive holds each class.
        counts: Number of drives of each split.
    """
    splits = len(counts)
    if all(classes[shuffled == split].any(axis=0).all() for split in range(splits)):
        return shuffled
    # One binary variable for each drive and split, then one for each split and class that says whether it lacks.
    places, lacks = len(shuffled) * splits, splits * classes.shape[1]
    kept = np.eye(splits)[shuffled].ravel()
    one_split_a_drive = np.kron(np.eye(len(shuffled)), np.ones(splits))
    drives_a_split = np.tile(np.eye(splits), len(shuffled))
    held_or_lacking = np.kron(classes.T, np.eye(splits))
    solution = milp(
        np.concatenate([-kept / (len(shuffled) + 1), np.ones(lacks)]),
        integrality=np.ones(places + lacks),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(np.pad(one_split_a_drive, ((0, 0), (0, lacks))), 1, 1),
            LinearConstraint(np.pad(drives_a_split, ((0, 0), (0, lacks))), counts, counts),
            LinearConstraint(np.hstack([held_or_lacking, np.eye(lacks)]), 1, np.inf),
        ],
    )
    return np.asarray(solution.x[:places].reshape(-1, splits).argmax(axis=1))


def _apportion(total: int, shares: list[float]) -> list[int]:
    """Returns counts that add up to `total`: one each, the others to whoever is furthest below its share."""
    counts = [1] * len(shares)
    for _ in range(total - len(shares)):
        lacking = [share * total - count for share, count in zip(shares, counts, strict=True)]
        counts[lacking.index(max(lacking))] += 1
    return counts
