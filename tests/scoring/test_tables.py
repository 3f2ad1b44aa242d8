import math

import numpy as np
import pandas as pd
import pytest

from roadseg.scoring.metrics import summarise_confusion
from roadseg.scoring.tables import (
    choose_examples,
    read_confusion,
    score_predictions,
    tabulate_confusion,
    tabulate_scores,
)

NAMES = ["road", "car", "sky"]
LARGE = 2**53 + 1  # a float would round it
MATRICES = {
    "train": np.array([[LARGE, 2, 0], [5, 95, 0], [3, 0, 997]]),
    "test": np.array([[6, 0, 4], [0, 0, 0], [0, 0, 5]]),
    "extra": np.zeros((3, 3), np.int64),
}


def label_map(*rows):
    return np.array(rows, np.uint8)


def scene_scores(**splits):
    """Returns scene scores of splits, a list of mean IoUs each; scenes are called after split and place."""
    rows = [
        {"scene": f"{split}{place}", "split": split, "mean_iou": score}
        for split, scores in splits.items()
        for place, score in enumerate(scores)
    ]
    return pd.DataFrame(rows)


def ranks(examples):
    return list(zip(examples["scene"], examples["rank"], strict=True))


def test_scenes_are_scored_one_by_one_and_counted_together():
    predictions = [
        ("a", label_map([0, 0, 1, 255]), label_map([0, 1, 1, 2])),
        ("b", label_map([2, 2, 2, 2]), label_map([2, 2, 2, 2])),
        ("c", label_map([255, 255, 255, 255]), label_map([0, 1, 2, 0])),
    ]
    total, rows = score_predictions(iter(predictions), 3)
    assert total.dtype == np.int64
    assert total.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 4]]
    assert [(row["scene"], row["pixels"]) for row in rows] == [("a", 3), ("b", 4), ("c", 0)]
    # a: IoU 1/2 of class 0, 1/2 of class 1; class 2 does not occur
    assert rows[0]["mean_iou"] == pytest.approx(0.5)
    assert rows[0]["pixel_accuracy"] == pytest.approx(2 / 3)
    assert (rows[1]["mean_iou"], rows[1]["pixel_accuracy"]) == (1, 1)
    assert math.isnan(rows[2]["mean_iou"])
    assert math.isnan(rows[2]["pixel_accuracy"])


def test_no_scenes_give_an_empty_matrix():
    total, rows = score_predictions([], 3)
    assert total.tolist() == [[0, 0, 0]] * 3
    assert rows == []


def test_confusion_is_a_table_of_true_rows_and_predicted_columns():
    table = tabulate_confusion({"test": MATRICES["test"]}, NAMES)
    expected = {
        "split": ["test"] * 3,
        "truth": NAMES,
        "road": [6, 0, 0],
        "car": [0, 0, 0],
        "sky": [4, 0, 5],
    }
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


@pytest.mark.parametrize("through", ["memory", "csv"])
def test_confusion_comes_back_in_whole_numbers_and_the_order_of_the_splits(tmp_path, through):
    table = tabulate_confusion(MATRICES, NAMES)
    if through == "csv":
        table.to_csv(tmp_path / "confusion.csv", index=False)
        table = pd.read_csv(tmp_path / "confusion.csv")
    matrices = read_confusion(table)
    assert list(matrices) == ["train", "test", "extra"]
    for split, matrix in matrices.items():
        assert matrix.dtype == np.int64
        np.testing.assert_array_equal(matrix, MATRICES[split])


def test_scores_are_a_row_a_split_with_the_iou_of_each_class():
    summaries = {split: summarise_confusion(MATRICES[split], NAMES) for split in ("test", "extra")}
    table = tabulate_scores(summaries, {"test": 3, "extra": 0})
    assert list(table.columns) == [
        "split",
        "scenes",
        "pixels",
        "mean_iou",
        "pixel_accuracy",
        "mean_class_accuracy",
        "frequency_weighted_iou",
        "IoU road",
        "IoU car",
        "IoU sky",
    ]
    test = table.iloc[0]
    assert (test["split"], test["scenes"], test["pixels"]) == ("test", 3, 15)
    # road 6 of 6 + 4, sky 5 of 5 + 4; no car
    assert test["IoU road"] == pytest.approx(6 / 10)
    assert test["IoU sky"] == pytest.approx(5 / 9)
    assert pd.isna(test["IoU car"])
    assert test["mean_iou"] == pytest.approx((6 / 10 + 5 / 9) / 2)
    assert test["pixel_accuracy"] == pytest.approx(11 / 15)
    assert test["mean_class_accuracy"] == pytest.approx((6 / 10 + 1) / 2)
    assert test["frequency_weighted_iou"] == pytest.approx(10 / 15 * 6 / 10 + 5 / 15 * 5 / 9)
    assert table.iloc[1, 3:].isna().all()


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ([0.5], [("test0", "best")]),
        ([0.1, 0.9], [("test1", "best"), ("test0", "worst")]),
        ([0.5, 0.1, 0.9], [("test2", "best"), ("test0", "median"), ("test1", "worst")]),
        ([0.1, 0.2, 0.3, 0.4], [("test3", "best"), ("test2", "median"), ("test0", "worst")]),
        ([0.1, 0.2, 0.3, 0.4, 0.5], [("test4", "best"), ("test2", "median"), ("test0", "worst")]),
        ([0.5, 0.5, 0.5], [("test0", "best"), ("test1", "median"), ("test2", "worst")]),
        ([math.nan, 0.5], [("test1", "best")]),
        ([0.3, math.nan, 0.5], [("test2", "best"), ("test0", "worst")]),
    ],
)
def test_examples_are_the_best_the_median_and_the_worst_scene(scores, chosen):
    assert ranks(choose_examples(scene_scores(test=scores))) == chosen


def test_examples_are_chosen_in_each_split_in_order():
    examples = choose_examples(scene_scores(train=[0.2, 0.1], validation=[math.nan], test=[0.3]))
    assert ranks(examples) == [("train0", "best"), ("train1", "worst"), ("test0", "best")]
    assert list(examples.index) == [0, 1, 2]
    assert examples["mean_iou"].tolist() == [0.2, 0.1, 0.3]


def test_choice_of_examples_does_not_depend_on_the_order_of_the_scenes():
    table = scene_scores(test=[0.5, 0.5, 0.1, 0.9, 0.5])
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(choose_examples(shuffled), choose_examples(table))
