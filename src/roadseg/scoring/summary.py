"""The scores of splits and of drives, with intervals, from the tables of an evaluation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.scoring.bootstrap import bootstrap_intervals
from roadseg.scoring.calibration import NUM_BINS, calibration_error
from roadseg.scoring.metrics import (
    class_iou,
    frequency_weighted_iou,
    mean_class_accuracy,
    mean_iou,
    pixel_accuracy,
    summarise_counts,
)
from roadseg.scoring.tables import BINS, add_up, read_scene_classes

Summary = dict[str, Any]


@dataclass(frozen=True)
class DriveStatistics:
    """What the scores of drives are computed from; the sum over drives is that of their split.

    Attributes:
        drives: Their names.
        scenes: (drives,) int64, how many scenes each has.
        counts: (drives, K, 3) int64, as `count_classes` returns them.
        boundaries: (drives, K + 1, 2) float64, sum of the boundary F1 of the scenes with boundaries of a class, and
            number of these; the last row is that of the means over the classes of a scene.
        calibration: (drives, bins, 3) float64, as `count_calibration` returns it.
    """

    drives: Sequence[str]
    scenes: NDArray[np.int64]
    counts: NDArray[np.int64]
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
    "mean_iou": ("counts", mean_iou),
    "pixel_accuracy": ("counts", pixel_accuracy),
    "mean_class_accuracy": ("counts", mean_class_accuracy),
    "frequency_weighted_iou": ("counts", frequency_weighted_iou),
    "boundary_f1": ("boundaries", mean_boundary_f1),
    "calibration_error": ("calibration", calibration_error),
}
"""Name of a score -> which statistics it is computed from, and how from their sum."""


def read_statistics(
    scene_scores: pd.DataFrame,
    scene_class_scores: pd.DataFrame,
    calibration_table: pd.DataFrame,
    class_names: Sequence[str],
) -> dict[str, DriveStatistics]:
    """Returns the statistics of each split that has scenes, from the tables of an evaluation."""
    statistics = {}
    for split, scenes in scene_scores.groupby("split", sort=False):
        drives = scenes["drive"]
        counts, of_classes = read_scene_classes(scene_class_scores, scenes["scene"], class_names)
        f1s = np.column_stack([of_classes, pd.DataFrame(of_classes).mean(axis=1)])
        boundaries = np.stack([np.nan_to_num(f1s), ~np.isnan(f1s)], axis=-1)
        of_split = calibration_table[calibration_table["split"] == split]
        bins = {drive: each[BINS].to_numpy(np.float64) for drive, each in of_split.groupby("drive")}
        names = drives.unique().tolist()
        statistics[str(split)] = DriveStatistics(
            names,
            np.array([(drives == name).sum() for name in names]),
            np.stack(list(add_up(drives, counts).values())),
            np.stack(list(add_up(drives, boundaries).values())),
            np.stack([bins.get(drive, np.zeros((NUM_BINS, len(BINS)))) for drive in names]),
        )
    return statistics


def score_or_none(score: float) -> float | None:
    """Returns a score as JSON can hold it: None where it is NaN."""
    return None if np.isnan(score) else float(score)


def average_over_batches(
    scene_scores: pd.DataFrame, scene_class_scores: pd.DataFrame, class_names: Sequence[str], batch_size: int
) -> dict[str, float | None]:
    """Returns, for each split, the mean over batches with pixels of their mean IoU, 0..1; None where no batch has any.

    Notebooks print it, and it is here to be compared with them alone. IoU is a ratio: a class with few pixels in a
    batch has a low one, a class that a batch lacks has none, and the last batch counts as much as the others. So the
    mean depends on the size and the order of the batches.

    Args:
        scene_scores: As `tabulate_scenes` made it.
        scene_class_scores: As `tabulate_scene_classes` made it.
        class_names: K names in the order of the ids.
        batch_size: Scenes a batch, in the order of the table of scenes.
    """
    averages = {}
    for split, scenes in scene_scores.groupby("split", sort=False):
        counts, _ = read_scene_classes(scene_class_scores, scenes["scene"], class_names)
        starts = range(0, len(counts), batch_size)
        scores = pd.Series([mean_iou(counts[start : start + batch_size].sum(axis=0)) for start in starts])
        averages[str(split)] = score_or_none(scores.mean())
    return averages


def summarise_split(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    """Returns all scores of a split as plain Python values, ready for JSON; what is undefined is None.

    Args:
        statistics: Of the split's drives.
        class_names: K names in the order of the ids.
        seed: Repeats the intervals.

    Returns:
        What `summarise_counts` returns, and `scenes`, `drives`, `boundary_f1` (also of each class),
        `calibration_error`, and `intervals`: for each score and for the IoU of each class its 95 % interval, a pair
        or None. All are None where there are fewer drives than `MIN_DRIVES`.
    """
    summary: Summary = {"scenes": int(statistics.scenes.sum()), "drives": len(statistics.drives)}
    summary |= summarise_counts(statistics.counts.sum(axis=0), class_names)
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
    """Returns one row a split: scenes, drives and pixels, and its scores, each with the ends of its interval beside it.

    Args:
        summaries: Split -> what `summarise_split` returned.

    Returns:
        A score is followed by the columns `SCORE low` and `SCORE high`; NaN where one is undefined.
    """
    rows = []
    for split, summary in summaries.items():
        row = {name: summary[name] for name in ("scenes", "drives", "pixels")}
        for name in SCORES:
            low, high = summary["intervals"][name] or (None, None)
            row |= {name: summary[name], f"{name} low": low, f"{name} high": high}
        rows.append({"split": split} | row)
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(table.columns[4:], "float64") | {"split": "str"})


def tabulate_class_scores(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Returns one row for each split and class: `pixels`, `iou` and its interval from `low` to `high`, and more scores.

    Args:
        summaries: Split -> what `summarise_split` returned.

    Returns:
        The columns split, class, pixels, iou, low, high, accuracy and boundary_f1; NaN where one is undefined.
    """
    rows = []
    for split, summary in summaries.items():
        for name, each in summary["classes"].items():
            low, high = summary["intervals"][f"IoU {name}"] or (None, None)
            scores = (each["iou"], low, high, each["accuracy"], each["boundary_f1"])
            rows.append((split, name, each["pixels"], *scores))
    columns = ["split", "class", "pixels", "iou", "low", "high", "accuracy", "boundary_f1"]
    types = {"split": "str", "class": "str"} | dict.fromkeys(columns[3:], "float64")
    return pd.DataFrame(rows, columns=columns).astype(types)


def describe_scores(score_table: pd.DataFrame, class_scores: pd.DataFrame) -> str:
    """Returns scores as text: a row a score, then one a class with its IoU; a column a split, intervals in brackets.

    Args:
        score_table: As `tabulate_scores` returns it, with more columns or without.
        class_scores: As `tabulate_class_scores` returns it.
    """
    texts: dict[str, dict[str, str]] = {}
    ends = {f"{name} {end}" for name in SCORES for end in ("low", "high")}
    for name in map(str, score_table.columns.difference(["split", *ends], sort=False)):
        interval = [score_table[f"{name} {end}"] for end in ("low", "high")] if name in SCORES else []
        texts[name] = dict(zip(score_table["split"], map(_describe_score, score_table[name], *interval), strict=True))
    for class_name, rows in class_scores.groupby("class", sort=False):
        described = map(_describe_score, rows["iou"], rows["low"], rows["high"])
        texts[f"IoU {class_name}"] = dict(zip(rows["split"], described, strict=True))
    return pd.DataFrame.from_dict(texts, orient="index").rename_axis(columns="split").to_string()


def tabulate_drives(statistics: Mapping[str, DriveStatistics], resolution: str) -> pd.DataFrame:
    """Returns one row a drive of each split: resolution, scenes and pixels, and scores."""
    rows = []
    for split, each in statistics.items():
        for index, drive in enumerate(each.drives):
            row: Summary = {"split": split, "drive": drive, "resolution": resolution}
            row |= {"scenes": each.scenes[index], "pixels": each.counts[index, :, 1].sum()}
            rows.append(row | {name: score(getattr(each, kind)[index]) for name, (kind, score) in SCORES.items()})
    return pd.DataFrame(rows).astype({"split": "str", "drive": "str", "resolution": "str"})


def _find_intervals(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    intervals: Summary = {}
    for kind in ("counts", "boundaries", "calibration"):
        names = [name for name, (needed, _) in SCORES.items() if needed == kind]
        names += [f"IoU {name}" for name in class_names] if kind == "counts" else []
        drawn = bootstrap_intervals(getattr(statistics, kind), partial(_score_all, kind), seed)
        intervals |= dict(zip(names, drawn, strict=True))
    return intervals


def _score_all(kind: str, sums: NDArray[Any]) -> list[float]:
    scores = [score(sums) for needed, score in SCORES.values() if needed == kind]
    return [*scores, *class_iou(sums)] if kind == "counts" else scores


def _describe_score(value: Any, low: float = np.nan, high: float = np.nan) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if np.isnan(low) else f"{text} [{low:.4f}, {high:.4f}]"
