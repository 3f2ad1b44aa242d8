"""The scores of splits and of drives, with intervals, from the tables of an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scoring.bootstrap import Interval, bootstrap_intervals
from roadseg.scoring.calibration import NUM_BINS
from roadseg.scoring.metrics import class_accuracy, class_iou, mean_iou
from roadseg.scoring.scores import SCORES, Statistic, list_scores
from roadseg.scoring.tables import BINS, ScoredScenes, add_up

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
        scaled_calibration: The same of the confidences at the temperature of the model; 0 throughout without one.
    """

    drives: Sequence[str]
    scenes: NDArray[np.int64]
    counts: NDArray[np.int64]
    boundaries: NDArray[np.float64]
    calibration: NDArray[np.float64]
    scaled_calibration: NDArray[np.float64]


def class_boundary_f1(boundaries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the boundary F1 of each class, averaged over the scenes that have it: (K,), NaN where none has.

    Args:
        boundaries: (K + 1, 2) sums and numbers of scenes, as in `DriveStatistics`.
    """
    sums, scenes = boundaries[:-1].T
    means: NDArray[np.float64] = np.divide(sums, scenes, out=np.full(len(sums), np.nan), where=scenes > 0)
    return means


def read_statistics(scored: ScoredScenes, calibration_table: pd.DataFrame) -> dict[str, DriveStatistics]:
    """Returns the statistics of each split that has scenes, from the tables of an evaluation."""
    statistics = {}
    for split, scenes in scored.scene_scores.groupby("split", sort=False):
        drives = scenes["drive"]
        counts, of_classes = scored.read_classes(scenes["scene"])
        f1s = np.column_stack([of_classes, pd.DataFrame(of_classes).mean(axis=1)])
        boundaries = np.stack([np.nan_to_num(f1s), ~np.isnan(f1s)], axis=-1)
        names = drives.unique().tolist()
        statistics[str(split)] = DriveStatistics(
            names,
            np.array([(drives == name).sum() for name in names]),
            np.stack(list(add_up(drives, counts).values())),
            np.stack(list(add_up(drives, boundaries).values())),
            *(_read_bins(calibration_table, str(split), names, softmax) for softmax in ("plain", "scaled")),
        )
    return statistics


def _read_bins(table: pd.DataFrame, split: str, drives: Sequence[str], softmax: str) -> NDArray[np.float64]:
    """Returns the calibration counts of drives, (drives, bins, 3), 0 where the table has none."""
    if "softmax" not in table:
        raise InputError(
            "the calibration table has no column 'softmax': it was saved by another version of this project, so score "
            "the model again"
        )
    rows = table[(table["split"] == split) & (table["softmax"] == softmax)]
    bins = {drive: each[BINS].to_numpy(np.float64) for drive, each in rows.groupby("drive")}
    return np.stack([bins.get(drive, np.zeros((NUM_BINS, len(BINS)))) for drive in drives])


def score_or_none(score: float) -> float | None:
    """Returns a score for JSON: None if it is NaN."""
    return None if np.isnan(score) else float(score)


def average_over_batches(scored: ScoredScenes, batch_size: int) -> dict[str, float | None]:
    """Returns, for each split, the mean over batches with pixels of their mean IoU, 0..1; None where no batch has any.

    Old notebooks print it; compare it only with them. IoU is a ratio: a class with few pixels in a
    batch has a low one, a class that a batch lacks has none, and the last batch counts as much as the others. So the
    mean depends on the size and the order of the batches.

    Args:
        scored: The scenes.
        batch_size: Scenes per batch, in the order of the table of scenes.
    """
    averages = {}
    for split, scenes in scored.scene_scores.groupby("split", sort=False):
        counts, _ = scored.read_classes(scenes["scene"])
        starts = range(0, len(counts), batch_size)
        scores = pd.Series([mean_iou(counts[start : start + batch_size].sum(axis=0)) for start in starts])
        averages[str(split)] = score_or_none(scores.mean())
    return averages


def summarise_counts(counts: NDArray[np.int64], class_names: Sequence[str]) -> Summary:
    """Returns the scores that class counts give as plain Python numbers, ready for JSON; what is undefined is None.

    Args:
        counts: (K, 3), as `count_classes` returns them.
        class_names: K names in the order of the ids.

    Returns:
        The scores; `pixels`, the true ones; `classes`, of each its `iou`, `accuracy` and `pixels`; `absent_classes`,
        names of those that are neither in the truth nor in the prediction: the mean IoU leaves them out.

    Raises:
        ValueError: If there are not K class names.
    """
    if len(counts) != len(class_names):
        raise ValueError(f"{len(class_names)} class names do not fit the counts of {len(counts)} classes")
    ious = class_iou(counts)
    rows = zip(class_names, ious, class_accuracy(counts), counts[:, 1], strict=True)
    return _compute_scores("counts", counts) | {
        "pixels": int(counts[:, 1].sum()),
        "classes": {
            name: {"iou": score_or_none(iou), "accuracy": score_or_none(accuracy), "pixels": int(pixels)}
            for name, iou, accuracy, pixels in rows
        },
        "absent_classes": [name for name, iou in zip(class_names, ious, strict=True) if np.isnan(iou)],
    }


def summarise_split(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    """Returns all scores of a split as plain Python values, ready for JSON; what is undefined is None.

    Args:
        statistics: Of the split's drives.
        class_names: K names in the order of the ids.
        seed: Repeats the intervals.

    Returns:
        What `summarise_counts` returns, and `scenes`, `drives`, all other scores, the `boundary_f1` of each class too,
        and `intervals`, which `find_interval` reads: `scores` (name -> 95 % interval) and `classes` (name of a class ->
        `iou` -> interval). One is a pair or None; all are None where there are fewer drives than `MIN_DRIVES`.
    """
    summary: Summary = {"scenes": int(statistics.scenes.sum()), "drives": len(statistics.drives)}
    summary |= summarise_counts(statistics.counts.sum(axis=0), class_names)
    f1s = class_boundary_f1(statistics.boundaries.sum(axis=0))
    for name, f1 in zip(class_names, f1s, strict=True):
        summary["classes"][name]["boundary_f1"] = score_or_none(f1)
    for statistic in get_args(Statistic)[1:]:
        summary |= _compute_scores(statistic, getattr(statistics, statistic).sum(axis=0))
    summary["intervals"] = _find_intervals(statistics, class_names, seed)
    return summary


def find_interval(summary: Mapping[str, Any], score: str, class_name: str | None = None) -> Interval | None:
    """Returns the 95 % interval of a score of a split.

    Args:
        summary: What `summarise_split` returned, or what a file or a run record has kept of it.
        score: Its name; of a class it is `iou`.
        class_name: None for a score of all classes.
    """
    intervals = summary["intervals"]
    interval: Interval | None
    if "scores" not in intervals:  # older programs had one mapping for both
        interval = intervals[score if class_name is None else f"IoU {class_name}"]
    else:
        interval = intervals["scores"][score] if class_name is None else intervals["classes"][class_name][score]
    return interval


def tabulate_scores(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Returns one row per split: scenes, drives, pixels, and its scores, each with the ends of its interval beside it.

    Args:
        summaries: Split -> what `summarise_split` returned.

    Returns:
        A score is followed by the columns `SCORE low` and `SCORE high`; NaN where one is undefined.
    """
    rows = []
    for split, summary in summaries.items():
        row = {name: summary[name] for name in ("scenes", "drives", "pixels")}
        for name in SCORES:
            low, high = find_interval(summary, name) or (None, None)
            row |= {name: summary[name], f"{name} low": low, f"{name} high": high}
        rows.append({"split": split} | row)
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(table.columns[4:], "float64") | {"split": "str"})


def tabulate_class_scores(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Returns one row per split and class: `pixels`, `iou` and its interval from `low` to `high`, and more scores.

    Args:
        summaries: Split -> what `summarise_split` returned.

    Returns:
        The columns split, class, pixels, iou, low, high, accuracy and boundary_f1; NaN where one is undefined.
    """
    rows = []
    for split, summary in summaries.items():
        for name, each in summary["classes"].items():
            low, high = find_interval(summary, "iou", name) or (None, None)
            scores = (each["iou"], low, high, each["accuracy"], each["boundary_f1"])
            rows.append((split, name, each["pixels"], *scores))
    columns = ["split", "class", "pixels", "iou", "low", "high", "accuracy", "boundary_f1"]
    types = {"split": "str", "class": "str"} | dict.fromkeys(columns[3:], "float64")
    return pd.DataFrame(rows, columns=columns).astype(types)


def tabulate_drives(statistics: Mapping[str, DriveStatistics], resolution: str) -> pd.DataFrame:
    """Returns one row per drive of each split: resolution, scenes and pixels, and scores."""
    rows = []
    for split, each in statistics.items():
        for index, drive in enumerate(each.drives):
            row: Summary = {"split": split, "drive": drive, "resolution": resolution}
            row |= {"scenes": each.scenes[index], "pixels": each.counts[index, :, 1].sum()}
            scores = {name: score.compute(getattr(each, score.statistic)[index]) for name, score in SCORES.items()}
            rows.append(row | scores)
    return pd.DataFrame(rows).astype({"split": "str", "drive": "str", "resolution": "str"})


def _compute_scores(statistic: Statistic, sums: NDArray[Any]) -> Summary:
    return {each.name: score_or_none(each.compute(sums)) for each in list_scores(statistic)}


def _find_intervals(statistics: DriveStatistics, class_names: Sequence[str], seed: int) -> Summary:
    scores: dict[str, Interval | None] = {}
    classes: dict[str, dict[str, Interval | None]] = {}
    for statistic in get_args(Statistic):
        drawn = bootstrap_intervals(getattr(statistics, statistic), partial(_score_all, statistic), seed)
        names = [each.name for each in list_scores(statistic)]
        scores |= dict(zip(names, drawn, strict=False))
        if statistic == "counts":
            classes |= {name: {"iou": each} for name, each in zip(class_names, drawn[len(names) :], strict=True)}
    return {"scores": scores, "classes": classes}


def _score_all(statistic: Statistic, sums: NDArray[Any]) -> list[float]:
    scores = [each.compute(sums) for each in list_scores(statistic)]
    return [*scores, *class_iou(sums)] if statistic == "counts" else scores
