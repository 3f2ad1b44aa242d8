"""The scores of an evaluation as text, for the log."""

import numpy as np
import pandas as pd

from roadseg.reporting.numbers import write_score
from roadseg.scoring.scores import SCORES


def describe_scores(score_table: pd.DataFrame, class_scores: pd.DataFrame) -> str:
    """Returns scores as text, intervals in brackets: one row per score, then one per class; one column per split.

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


def _describe_score(value: float, low: float = np.nan, high: float = np.nan) -> str:
    text = write_score(value) if isinstance(value, float) else str(value)
    return text if np.isnan(low) else f"{text} [{write_score(low)}, {write_score(high)}]"
