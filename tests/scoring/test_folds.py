import numpy as np
import pandas as pd
import pytest

from roadseg.scoring.folds import tabulate_folds
from roadseg.scoring.scores import SCORES


def summarise(overall, **iou_of):
    """Returns a summary with a mean IoU and the IoU of each class alone."""
    return dict.fromkeys(SCORES) | {
        "mean_iou": overall,
        "classes": {name: {"iou": iou} for name, iou in iou_of.items()},
    }


def test_mean_and_deviation_are_over_folds():
    # By hand: the mean of 0.25, 0.5 and 0.75 is 0.5, the squares are 0.0625, 0 and 0.0625, their sum over 2 is 0.0625.
    table = tabulate_folds([summarise(0.25, sky=1.0), summarise(0.5, sky=0.5), summarise(0.75, sky=0.0)])
    of_all = table[table["score"] == "mean_iou"]
    assert of_all[[0, 1, 2, "mean", "deviation"]].to_numpy().tolist() == [[0.25, 0.5, 0.75, 0.5, 0.25]]
    assert of_all["class"].isna().all()
    of_sky = table[table["score"] == "iou"]
    assert of_sky[["class", 0, 1, 2, "mean", "deviation"]].to_numpy().tolist() == [["sky", 1.0, 0.5, 0.0, 0.5, 0.5]]


def test_every_score_and_every_class_has_a_row():
    table = tabulate_folds([summarise(0.5, mean_iou=0.1, sky=0.2)] * 3)
    assert table["score"].tolist() == [*SCORES, "iou", "iou"]
    assert table["class"].tolist()[-2:] == ["mean_iou", "sky"]  # a class may be called as a score


def test_a_class_that_a_fold_lacks_is_left_out_of_its_mean():
    table = tabulate_folds([summarise(0.5, sky=0.25), summarise(0.5, sky=None), summarise(0.5, sky=0.75)])
    row = table[table["class"] == "sky"].iloc[0]
    assert np.isnan(row[1])
    assert row["mean"] == 0.5
    assert row["deviation"] == pytest.approx(0.125**0.5)  # 2 x 0.0625 over 1
    undefined = table[table["score"] == "boundary_f1"].iloc[0]
    assert pd.isna(undefined[["mean", "deviation"]]).all()
