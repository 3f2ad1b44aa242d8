"""Every row of the table of scores: against values worked by hand, without a fault, without pixels, and in the docs."""

import re
from pathlib import Path

import numpy as np
import pytest

from roadseg.scoring.scores import SCORES, list_scores

MEASURES = Path(__file__).parents[2] / "docs/measures.md"

WORKED = {
    "counts": np.array([[3, 4, 3], [2, 5, 3], [1, 1, 4]]),  # of three classes: hits, true and predicted pixels
    "boundaries": np.array([[1.5, 3], [0.5, 2], [2.1, 3]]),  # of two classes and their mean: sum of F1, scenes
    "calibration": np.array([[4, 3, 2.0], [6, 3, 5.0]]),  # of two bins: pixels, hits, sum of confidences
    "scaled_calibration": np.array([[4, 3, 2.5], [6, 3, 4.0]]),
}
VALUES = {
    "mean_iou": (3 / 4 + 2 / 6 + 1 / 4) / 3,
    "pixel_accuracy": 6 / 10,
    "mean_class_accuracy": (3 / 4 + 2 / 5 + 1) / 3,
    "frequency_weighted_iou": 4 / 10 * 3 / 4 + 5 / 10 * 2 / 6 + 1 / 10 * 1 / 4,
    "boundary_f1": 2.1 / 3,
    "calibration_error": 4 / 10 * (3 - 2) / 4 + 6 / 10 * (5 - 3) / 6,
    "scaled_calibration_error": 4 / 10 * (3 - 2.5) / 4 + 6 / 10 * (4 - 3) / 6,
}
FAULTLESS = {
    "counts": np.array([[4, 4, 4], [0, 0, 0], [6, 6, 6]]),
    "boundaries": np.array([[2.0, 2], [0, 0], [3, 3]]),
    "calibration": np.array([[4, 1, 1.0], [6, 6, 6]]),
    "scaled_calibration": np.array([[4, 1, 1.0], [6, 6, 6]]),
}


def test_every_score_is_worked_by_hand() -> None:
    assert {name: each.compute(WORKED[each.statistic]) for name, each in SCORES.items()} == pytest.approx(VALUES)


@pytest.mark.parametrize("name", SCORES)
def test_a_network_without_a_fault_has_the_best_score(name: str) -> None:
    assert SCORES[name].compute(FAULTLESS[SCORES[name].statistic]) == SCORES[name].best


@pytest.mark.parametrize("name", SCORES)
def test_without_pixels_there_is_no_score(name: str) -> None:
    assert np.isnan(SCORES[name].compute(np.zeros_like(WORKED[SCORES[name].statistic])))


def test_scores_of_a_statistic_keep_their_order() -> None:
    listed = [each.name for statistic in WORKED for each in list_scores(statistic)]
    assert sorted(listed, key=list(SCORES).index) == list(SCORES)
    counted = [each.name for each in list_scores("counts")]
    assert counted == sorted(counted, key=list(SCORES).index)
    assert {"mean_iou", "pixel_accuracy"} < set(counted)
    assert not {"boundary_f1", "calibration_error"} & set(counted)


def test_the_documentation_explains_every_score() -> None:
    explained = re.findall(r"^\| ([^|]+) \|", MEASURES.read_text(encoding="utf-8"), re.MULTILINE)
    missing = [f"| {each.title} | {each.meaning} | why |" for each in SCORES.values() if each.title not in explained]
    assert missing == [], f"{MEASURES.name} lacks these rows"
