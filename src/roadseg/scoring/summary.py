"""The scores of splits and of drives, with intervals, from the tables of an evaluation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.scoring.bootstrap import bootstrap_interval
from roadseg.scoring.calibration import NUM_BINS, calibration_error
from roadseg.scoring.metrics import (
    class_iou,
    frequency_weighted_iou,
    mean_class_accuracy,
    mean_iou,
    pixel_accuracy,
    summarise_confusion,
)
from roadseg.scoring.tables import BINS, BOUNDARY, add_up, read_confusion

Summary = dict[str, Any]


@dataclass(frozen=True)
class DriveStatistics:
    """What the scores of drives are computed from; the sum over drives is that of their split.

    Attributes:
        drives: Their names.
        scenes: (drives,) int64, how many scenes each has.
        confusion: (drives, K, K) int64, true classes along the rows.
        boundaries: (drives, K + 1, 2) float64, sum of the boundary F1 of the scenes with boundaries of a class, and
            number of these; the last row is that of the means over the classes of a scene.
        calibration: (drives, bins, 3) float64, as `count_calibration` returns it.
    """

    drives: Sequence[str]
    scenes: NDArray[np.int64]
    confusion: NDArray[np.int64]
    boundaries: NDArray[np.float64]
    calibration: NDArray[np.float64]


def class_boundary_f1(boundaries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the boundary F1 of each class, averaged over the scenes that have it: (K,), NaN where none has.

    Args:
        boundaries: (K + 1, 2) sums and numbers of scenes, as in `DriveStatistics`.
    """
    sums, scenes = boundaries[:-1].T
    means: NDArray[np.float64] = np.divide(sums, scenes, out=np.full(len(sums), np.nan), where=scenes > 0)
    return means


def mean_boundary_f1(boundaries: NDArray[np.float64]) -> float:
    """Returns the boundary F1 as in the SegNet paper, 0..1: mean over the classes of a scene, then over the scenes.

    Args:
        boundaries: (K + 1, 2), as in `DriveStatistics`; without scenes the F1 is NaN.
    """
    total, scenes = boundaries[-1]
    return float(total / scenes) if scenes else float("nan")


SCORES: Mapping[str, tuple[str, Callable[[NDArray[Any]], float]]] = {
    "mean_iou": ("confusion", mean_iou),
    "pixel_accuracy": ("confusion", pixel_accuracy),
    "mean_class_accuracy": ("confusion", mean_class_accuracy),
    "frequency_weighted_iou": ("confusion", frequency_weighted_iou),
    "boundary_f1": ("boundaries", mean_boundary_f1),
    "calibration_error": ("calibration", calibration_error),
}
"""Name of a score -> which statistics it is computed from, and how from their sum."""


def read_statistics(
    confusion_table: pd.DataFrame,
    calibration_table: pd.DataFrame,
    scene_scores: pd.DataFrame,
    class_names: Sequence[str],
) -> dict[str, DriveStatistics]:
    """Returns the statistics of each split that has scenes, from the tables of an evaluation."""
    scenes, matrices = read_confusion(confusion_table)
    columns = scene_scores[[f"{BOUNDARY}{name}" for name in class_names]].astype(np.float64)
    f1s = np.column_stack([columns, columns.mean(axis=1)])
    boundaries = np.stack([np.nan_to_num(f1s), ~np.isnan(f1s)], axis=-1)
    statistics = {}
    for split, rows in scenes.groupby("split", sort=False):
        drives = scenes.loc[rows.index, "drive"]
        of_split = calibration_table[calibration_table["split"] == split]
        bins = {drive: each[BINS].to_numpy(np.float64) for drive, each in of_split.groupby("drive")}
        names = drives.unique().tolist()
        statistics[str(split)] = DriveStatistics(
            names,
            drives.value_counts()[names].to_numpy(),
            np.stack(list(add_up(drives, matrices[rows.index]).values())),
            np.stack(list(add_up(drives, boundaries[rows.index]).values())),
            np.stack([bins.get(drive, np.zeros((NUM_BINS, len(BINS)))) for drive in names]),
        )
    return statistics


def score_or_none(score: float) -> float | None:
    """Returns a score as JSON can hold it: None where it is NaN."""
    return None if np.isnan(score) else float(score)


def average_over_batches(confusion_table: pd.DataFrame, batch_size: int) -> dict[str, float | None]:
    """Returns, for each split, the mean over batches with pixels of their mean IoU, 0..1; None where no batch has any.

    Notebooks print it, and it is here to be compared with them alone. IoU is a ratio: a class with few pixels in a
    batch has a low one, a class that a batch lacks has none, and the last batch counts as much as the others. So the
    mean depends on the size and the order of the batches.

    Args:
        confusion_table: As `tabulate_confusion` made it.
        batch_size: Scenes a batch, in the order of the table.
    """
    scenes, matrices = read_confusion(confusion_table)
    averages = {}
    for split, rows in scenes.groupby("split", sort=False):
        batches = [rows.index[start : start + batch_size] for start in range(0, len(rows), batch_size)]
        scores = pd.Series([mean_iou(matrices[batch].sum(axis=0)) for batch in batches])
        averages[str(split)] = score_or_none(scores.mean())
    return averages


def summarise_split(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    """Returns all scores of a split as plain Python values, ready for JSON; what is undefined is None.

    Args:
        statistics: Of the split's drives.
        class_names: K names in the order of the ids.
        seed: Repeats the intervals.

    Returns:
        What `summarise_confusion` returns, and `scenes`, `drives`, `boundary_f1` (also of each class),
        `calibration_error`, and `intervals`: for each score and for the IoU of each class its 95 % interval, a pair
        or None. All are None where there are fewer drives than `MIN_DRIVES`.
    """
    summary: Summary = {"scenes": int(statistics.scenes.sum()), "drives": len(statistics.drives)}
    summary |= summarise_confusion(statistics.confusion.sum(axis=0), class_names)
    f1s = class_boundary_f1(statistics.boundaries.sum(axis=0))
    for name, f1 in zip(class_names, f1s, strict=True):
        summary["classes"][name]["boundary_f1"] = score_or_none(f1)
    for name in ("boundary_f1", "calibration_error"):
        kind, score = SCORES[name]
        value = score(getattr(statistics, kind).sum(axis=0))
        summary[name] = score_or_none(value)
    summary["intervals"] = _find_intervals(statistics, class_names, seed)
    return summary


def tabulate_scores(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Returns one row a split: scenes, drives and pixels, its scores, the IoU of each class, and intervals.

    Args:
        summaries: Split -> what `summarise_split` returned.

    Returns:
        A score with an interval is followed by the columns `SCORE low` and `SCORE high`; the last columns are those of
        the classes.
    """
    rows = []
    for split, summary in summaries.items():
        values = {name: summary[name] for name in SCORES}
        ious = {f"IoU {name}": each["iou"] for name, each in summary["classes"].items()}
        row = {name: summary[name] for name in ("scenes", "drives", "pixels")}
        for name, value in (values | ious).items():
            low, high = summary["intervals"][name] or (None, None)
            row |= {name: value, f"{name} low": low, f"{name} high": high}
        rows.append({"split": split} | row)
    return pd.DataFrame(rows)


def describe_scores(score_table: pd.DataFrame) -> str:
    """Returns a table that `tabulate_scores` made as text: a column a split, intervals in brackets."""
    table = score_table.set_index("split")
    texts = pd.DataFrame(index=table.index)
    for name in (each for each in table if not str(each).endswith((" low", " high"))):
        texts[name] = [f"{value:.4f}" if isinstance(value, float) else str(value) for value in table[name]]
        if f"{name} low" in table:
            ends = zip(table[f"{name} low"], table[f"{name} high"], strict=True)
            texts[name] += ["" if pd.isna(low) else f" [{low:.4f}, {high:.4f}]" for low, high in ends]
    return texts.T.to_string()


def tabulate_drives(
    statistics: Mapping[str, DriveStatistics], class_names: Sequence[str], resolution: str
) -> pd.DataFrame:
    """Returns one row a drive of each split: resolution, scenes and pixels, scores, and the IoU of each class."""
    rows = []
    for split, each in statistics.items():
        for index, drive in enumerate(each.drives):
            matrix = each.confusion[index]
            row: Summary = {"split": split, "drive": drive, "resolution": resolution}
            row |= {"scenes": each.scenes[index], "pixels": matrix.sum()}
            row |= {name: score(getattr(each, kind)[index]) for name, (kind, score) in SCORES.items()}
            row |= dict(zip((f"IoU {name}" for name in class_names), class_iou(matrix), strict=True))
            rows.append(row)
    return pd.DataFrame(rows)


def _find_intervals(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    intervals: Summary = {
        name: bootstrap_interval(getattr(statistics, kind), score, seed) for name, (kind, score) in SCORES.items()
    }
    for index, name in enumerate(class_names):
        intervals[f"IoU {name}"] = bootstrap_interval(statistics.confusion, partial(_iou_of, index), seed)
    return intervals


def _iou_of(index: int, matrix: NDArray[np.int64]) -> float:
    return float(class_iou(matrix)[index])
