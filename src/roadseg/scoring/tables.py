"""The tables of an evaluation, which hold what all its scores can be computed from again: one row or block a scene."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.scenes.splits import group_by_split
from roadseg.scoring.metrics import class_iou, mean_iou, pixel_accuracy

if TYPE_CHECKING:
    from roadseg.scoring.measures import SceneMeasures  # Keras, for which what reads tables need not wait

Count = TypeVar("Count", bound=np.generic)

KEYS = ["split", "drive", "scene", "resolution"]
"""Columns that say which scene a row speaks of, and at which resolution its pixels are counted."""

BOUNDARY = "boundary F1 "
"""Start of the column of a class."""

BINS = ["pixels", "hits", "confidence"]
"""Columns of a calibration table, as `count_calibration` returns them."""


def list_scenes(split_table: pd.DataFrame, resolution: str) -> pd.DataFrame:
    """Returns the columns of `KEYS` of all scenes in the order in which they are scored: train first, each sorted."""
    drives = split_table.set_index("scene")["drive"]
    splits = group_by_split(split_table)
    rows = [(split, drives[scene], scene, resolution) for split, ids in splits.items() for scene in ids]
    return pd.DataFrame(rows, columns=KEYS)


def tabulate_confusion(
    scenes: pd.DataFrame, matrices: Sequence[NDArray[np.int64]], class_names: Sequence[str]
) -> pd.DataFrame:
    """Returns confusion matrices as one table: `KEYS`, true class, and a column for each predicted class.

    Args:
        scenes: As `list_scenes` returns them.
        matrices: (K, K) int64 of each scene.
        class_names: K names in the order of the ids.
    """
    table = scenes.loc[scenes.index.repeat(len(class_names)), KEYS].reset_index(drop=True)
    counts = np.concatenate([np.zeros((0, len(class_names)), np.int64), *matrices])
    truth = pd.Series(list(class_names) * len(scenes), dtype=str, name="truth")
    return pd.concat([table, truth, pd.DataFrame(counts, columns=list(class_names))], axis=1)


def read_confusion(table: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Returns the scenes of a table that `tabulate_confusion` made, and their matrices: (scenes, K, K) int64."""
    counts = table.drop(columns=[*KEYS, "truth"]).to_numpy(np.int64)
    num_classes = counts.shape[1]
    return table[KEYS].iloc[::num_classes].reset_index(drop=True), counts.reshape(-1, num_classes, num_classes)


def sum_splits(table: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Returns the (K, K) int64 confusion matrix of each split of a table that `tabulate_confusion` made."""
    scenes, matrices = read_confusion(table)
    return add_up(scenes["split"], matrices)


def add_up(groups: pd.Series, counts: NDArray[Count]) -> dict[str, NDArray[Count]]:
    """Returns the sum of the counts of each group, in the order in which the groups first occur.

    Args:
        groups: (scenes,) split or drive of each scene.
        counts: (scenes, ...) what is added.
    """
    return {str(group): counts[(groups == group).to_numpy()].sum(axis=0) for group in groups.unique()}


def tabulate_calibration(scenes: pd.DataFrame, measures: "Sequence[SceneMeasures]") -> pd.DataFrame:
    """Returns the calibration counts of each drive: split, drive, resolution, bin from 1, and the columns of `BINS`.

    Args:
        scenes: As `list_scenes` returns them.
        measures: Of these scenes; where calibration was not asked for, the table is empty.
    """
    keys = ["split", "drive", "resolution"]
    columns = [*keys, "bin", *BINS]
    blocks = [pd.DataFrame(columns=columns)]
    for split, drive, resolution in scenes[keys].drop_duplicates().itertuples(index=False):
        rows = np.flatnonzero((scenes["split"] == split) & (scenes["drive"] == drive))
        counts = [each for row in rows if (each := measures[int(row)].calibration) is not None]
        if counts:
            block = pd.DataFrame(np.sum(counts, axis=0), columns=BINS)
            named = block.assign(split=split, drive=drive, resolution=resolution, bin=block.index + 1)
            blocks.append(named[columns])
    return pd.concat(blocks[1:] or blocks, ignore_index=True)


def tabulate_scenes(
    scenes: pd.DataFrame, measures: "Sequence[SceneMeasures]", class_names: Sequence[str]
) -> pd.DataFrame:
    """Returns the scores of each scene: its pixels, mean IoU and accuracy, IoU and boundary F1 of each class.

    Args:
        scenes: As `list_scenes` returns them.
        measures: Of these scenes.
        class_names: K names in the order of the ids.

    Returns:
        The columns of `KEYS`, `pixels` (not void), `mean_iou`, `pixel_accuracy`, `IoU CLASS` and `boundary F1 CLASS`;
        NaN where a scene is void throughout, or a class does not occur in it, or boundaries were not asked for.
    """
    rows = []
    for each in measures:
        unknown = np.full(len(class_names), np.nan)
        ious = dict(zip((f"IoU {name}" for name in class_names), class_iou(each.confusion), strict=True))
        boundaries = unknown if each.boundary_f1 is None else each.boundary_f1
        f1s = dict(zip((f"{BOUNDARY}{name}" for name in class_names), boundaries, strict=True))
        scores = {"mean_iou": mean_iou(each.confusion), "pixel_accuracy": pixel_accuracy(each.confusion)}
        rows.append({"pixels": int(each.confusion.sum())} | scores | ious | f1s)
    return pd.concat([scenes, pd.DataFrame(rows)], axis=1)


def choose_examples(scene_scores: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the best, the median and the worst scene of each split by mean IoU, with the column `rank`.

    A split of two scenes has a best and a worst one, a split of one a single row. Scenes without a score are left out.
    """
    chosen = [scene_scores.head(0).assign(rank="")]
    for _, rows in scene_scores.dropna(subset="mean_iou").groupby("split", sort=False):
        ordered = rows.sort_values(["mean_iou", "scene"], ascending=[False, True], ignore_index=True)
        last = len(ordered) - 1
        places = {0: "best"} | ({last // 2: "median"} if last > 1 else {}) | ({last: "worst"} if last else {})
        chosen.append(ordered.loc[list(places)].assign(rank=list(places.values())))
    return pd.concat(chosen, ignore_index=True)
