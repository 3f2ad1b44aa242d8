"""Whether a network doubts where it is wrong: errors found by doubt, and the risk of those pixels that are kept.

A doubt is a number from 0 on of a pixel, larger where the network is less sure. Pixels are counted by the level of
their doubt, so that the counts of scenes add up, and all figures come from these counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from sklearn.metrics import average_precision_score, roc_auc_score

from roadseg.scenes.labels import VOID
from roadseg.segnet.segmentation import Segmentation

SHIFT = 17
"""Bits of a float32 that do not tell levels apart: 64 levels are left between one power of two and the next."""

LEVELS = 2 ** (31 - SHIFT)
"""Number of levels; the sign is no part of them, as no doubt is negative."""

LEAST = 2.0**-24
"""Doubts below count as this one: a probability of float32 comes no nearer to 1."""

COLUMNS = ["split", "resolution", "doubt", "level", "right", "wrong"]
"""Of a table of doubts; `level` is the smallest doubt that is counted in the row."""

DETECTION = [*COLUMNS[:3], "error_rate", "auroc", "average_precision", "risk_area"]
"""Of a table of what doubts find; `error_rate` is the share of wrong pixels."""


@dataclass(frozen=True)
class ErrorDetection:
    """How well errors are found by a doubt.

    Attributes:
        auroc: Area under the ROC curve, 0..1: how often a wrong pixel is doubted more than one that is right.
        average_precision: 0..1; a doubt that knows nothing has the share of the wrong pixels.
        risk_area: Area under risk against coverage, 0..1: the mean share of wrong pixels over all coverages.
    """

    auroc: float
    average_precision: float
    risk_area: float


def list_doubts(found: Segmentation, size: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
    """Returns all doubts of a network about an image, by name: (height, width) float32 each, from 0.

    `confidence` is 1 minus the softmax of the class, `entropy` that of the softmax in nats, both at the temperature of
    the model; `variance`, where there are passes with dropout, how far these are apart.

    Args:
        found: What the network says.
        size: (height, width) in pixels; doubts are resized bilinearly.
    """
    doubts = {"confidence": 1 - found.network_confidence, "entropy": np.maximum(found.entropy, 0)}
    doubts |= {} if found.variance is None else {"variance": found.variance}
    return {name: _resize(each, size) for name, each in doubts.items()}


def _resize(doubts: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if doubts.shape == size:
        return doubts
    return cv2.resize(doubts, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def count_doubts(doubts: NDArray[np.float32], truth: NDArray[np.uint8], label_map: NDArray[np.uint8]) -> coo_array:
    """Returns how many pixels of each level are right and wrong: sparse, (LEVELS, 2) int64.

    Args:
        doubts: (height, width) float32, from 0.
        truth: (height, width) uint8, class ids and void, which is dropped.
        label_map: (height, width) uint8, predicted class ids.
    """
    known = truth != VOID
    levels = np.maximum(doubts[known], np.float32(LEAST)).view(np.uint32) >> SHIFT
    wrong = truth[known] != label_map[known]
    cells, counts = np.unique(levels.astype(np.int64) * 2 + wrong, return_counts=True)
    return coo_array((counts, (cells // 2, cells % 2)), (LEVELS, 2))


def tabulate_doubts(scenes: pd.DataFrame, doubts: Sequence[Mapping[str, coo_array]]) -> pd.DataFrame:
    """Returns one row per split, doubt and level that has pixels: `COLUMNS`.

    Args:
        scenes: One row per scene with the columns split and resolution.
        doubts: Of each scene, name of a doubt -> what `count_doubts` returned; all have the same ones.
    """
    tables = [pd.DataFrame(columns=COLUMNS)]
    for (split, resolution), of_split in scenes.groupby(["split", "resolution"], sort=False):
        of_scenes = [doubts[place] for place in of_split.index]
        for doubt, first in of_scenes[0].items():
            total = sum((each[doubt] for each in of_scenes[1:]), first).toarray()
            levels = np.flatnonzero(total.any(axis=1))
            values = (levels.astype(np.uint32) << SHIFT).view(np.float32).astype(np.float64)
            rows = (split, resolution, doubt, values, total[levels, 0], total[levels, 1])
            tables.append(pd.DataFrame(dict(zip(COLUMNS, rows, strict=True))))
    types = dict.fromkeys(COLUMNS[:3], "str") | {"level": "float64", "right": "int64", "wrong": "int64"}
    return pd.concat(tables, ignore_index=True).astype(types)


def tabulate_detection(doubt_table: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per split and doubt: `DETECTION`; scores are NaN where no pixel is wrong, or all are.

    Args:
        doubt_table: As `tabulate_doubts` returns it.
    """
    rows = []
    for (split, resolution, doubt), levels in doubt_table.groupby(COLUMNS[:3], sort=False):
        found = measure_detection(levels)
        scores = (np.nan,) * 3 if found is None else (found.auroc, found.average_precision, found.risk_area)
        wrong = levels["wrong"].sum()
        rows.append((split, resolution, doubt, wrong / (wrong + levels["right"].sum()), *scores))
    types = dict.fromkeys(DETECTION[:3], "str") | dict.fromkeys(DETECTION[3:], "float64")
    return pd.DataFrame(rows, columns=DETECTION).astype(types)


def measure_detection(levels: pd.DataFrame) -> ErrorDetection | None:
    """Returns how well one doubt finds the errors of one split; None where no pixel is wrong, or all are.

    Args:
        levels: The rows of a table of doubts.
    """
    right, wrong, doubts = (levels[name].to_numpy() for name in ("right", "wrong", "level"))
    if not right.any() or not wrong.any():
        return None
    is_wrong = np.repeat([0, 1], len(levels))
    scores, weights = np.tile(doubts, 2), np.concatenate([right, wrong])
    _, risk = trace_risk(levels)
    pixels = (right + wrong)[np.argsort(doubts, kind="stable")]
    return ErrorDetection(
        auroc=float(roc_auc_score(is_wrong, scores, sample_weight=weights)),
        average_precision=float(average_precision_score(is_wrong, scores, sample_weight=weights)),
        risk_area=float(np.average(risk, weights=pixels)),
    )


def trace_risk(levels: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns coverage and risk, 0..1 each, from the pixels that are doubted least to all of them.

    At a coverage c the share c of the pixels is kept, those that are doubted least, and the risk is the share of them
    that is wrong.

    Args:
        levels: The rows of a table of doubts, of one doubt and one split; at least one.

    Reference:
        Geifman and El-Yaniv, https://arxiv.org/abs/1705.08500, section 2.
    """
    ordered = levels.sort_values("level", kind="stable")
    kept = (ordered["right"] + ordered["wrong"]).to_numpy().cumsum()
    return kept / kept[-1], ordered["wrong"].to_numpy().cumsum() / kept
