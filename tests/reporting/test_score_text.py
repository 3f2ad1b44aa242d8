import pandas as pd
import pytest

from roadseg.reporting.score_text import describe_scores
from roadseg.scoring.scores import SCORES

SCORED = {f"{name}{end}": value for name in SCORES for end, value in (("", 0.5), (" low", 0.25), (" high", 0.75))}
UNDEFINED = dict.fromkeys(SCORED, float("nan"))
SCORE_TABLE = pd.DataFrame(
    [
        {"split": "validation", "scenes": 10, "drives": 5, "pixels": 100, **SCORED},
        {"split": "test", "scenes": 8, "drives": 4, "pixels": 0, **UNDEFINED},
    ]
)


def describe(*classes):
    rows = [(split, *each) for split, each in zip(("validation", "validation", "test"), classes, strict=False)]
    class_scores = pd.DataFrame(rows, columns=["split", "class", "iou", "low", "high"])
    return describe_scores(SCORE_TABLE, class_scores).splitlines()


def test_scores_are_told_with_their_intervals_and_a_dash_where_they_are_undefined():
    lines = describe()
    assert lines[0].split() == ["split", "validation", "test"]
    assert lines[1].split() == ["scenes", "10", "8"]
    assert lines[4].split() == ["mean_iou", "0.5000", "[0.2500,", "0.7500]", "\N{EN DASH}"]


@pytest.mark.parametrize("names", [("grass", "grass low"), ("truth", "IoU truth"), ("mean_iou", "split")])
def test_no_name_of_a_class_is_taken_for_that_of_a_score(names):
    nan = float("nan")
    lines = describe((names[0], 0.5, 0.4, 0.6), (names[1], 0.125, nan, nan), (names[0], nan, nan, nan))
    assert [line.split("  ")[0] for line in lines[-2:]] == [f"IoU {name}" for name in names]
    assert lines[-2].split()[-4:] == ["0.5000", "[0.4000,", "0.6000]", "\N{EN DASH}"]
    assert "0.1250" in lines[-1]
