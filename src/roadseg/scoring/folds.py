"""Scores of the folds of a k-fold: each fold, their mean and their spread."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from roadseg.scoring.scores import SCORES


def tabulate_folds(summaries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Returns one row per score and then one per IoU of a class, over the folds.

    Args:
        summaries: Per fold, in order, all scores of one split, as `summarise_split` returns them.

    Returns:
        Columns `score`, `class` (missing where the score is of no class), the number of each fold, `mean` and
        `deviation`: the standard deviation with one degree of freedom less than folds. If a score is undefined in a
        fold, such as the IoU of a class that it lacks, it is NaN there, and mean and deviation leave this fold out.
    """
    folds = range(len(summaries))
    rows = [(name, None, *(each.get(name) for each in summaries)) for name in SCORES]
    rows += [("iou", name, *(each["classes"][name]["iou"] for each in summaries)) for name in summaries[0]["classes"]]
    table = pd.DataFrame(rows, columns=["score", "class", *folds]).astype(dict.fromkeys(folds, "float64"))
    values = table[[*folds]]
    return table.assign(mean=values.mean(axis=1), deviation=values.std(axis=1, ddof=1))
