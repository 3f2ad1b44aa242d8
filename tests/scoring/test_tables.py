import math

import numpy as np
import pandas as pd
import pytest

from roadseg.scoring.measures import SceneMeasures
from roadseg.scoring.tables import (
    add_up,
    choose_examples,
    list_scenes,
    read_confusion,
    sum_splits,
    tabulate_calibration,
    tabulate_confusion,
    tabulate_scenes,
)

NAMES = ["road", "car", "sky"]
LARGE = 2**53 + 1  # a float would round it
MATRICES = [
    np.array([[LARGE, 2, 0], [5, 95, 0], [3, 0, 997]]),
    np.array([[6, 0, 4], [0, 0, 0], [0, 0, 5]]),
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
]
AT = "native"
SCENES = pd.DataFrame(
    [("train", "A", "a1", AT), ("train", "B", "b1", AT), ("test", "201", "007", AT)],
    columns=["split", "drive", "scene", "resolution"],
)


def measures(matrix, boundary_f1=None, calibration=None):
    return SceneMeasures("", np.array(matrix), boundary_f1, calibration)


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


def test_scenes_are_listed_split_by_split_with_their_drives():
    table = pd.DataFrame(
        {"scene": ["z", "b", "a", "y"], "drive": ["1", "2", "2", "1"], "split": ["test", "train", "train", "test"]}
    )
    expected = [("train", "2", "a", AT), ("train", "2", "b", AT), ("test", "1", "y", AT), ("test", "1", "z", AT)]
    assert list(list_scenes(table, AT).itertuples(index=False, name=None)) == expected


def test_confusion_is_a_block_a_scene_of_true_rows_and_predicted_columns():
    table = tabulate_confusion(SCENES[1:2], MATRICES[1:2], NAMES)
    expected = {
        "split": ["train"] * 3,
        "drive": ["B"] * 3,
        "scene": ["b1"] * 3,
        "resolution": [AT] * 3,
        "truth": NAMES,
        "road": [6, 0, 0],
        "car": [0, 0, 0],
        "sky": [4, 0, 5],
    }
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


@pytest.mark.parametrize("through", ["memory", "csv"])
def test_confusion_comes_back_in_whole_numbers_and_in_order(tmp_path, through):
    table = tabulate_confusion(SCENES, MATRICES, NAMES)
    if through == "csv":
        table.to_csv(tmp_path / "confusion.csv", index=False)
        table = pd.read_csv(tmp_path / "confusion.csv", dtype={"split": str, "drive": str, "scene": str})
    scenes, matrices = read_confusion(table)
    pd.testing.assert_frame_equal(scenes, SCENES)
    assert matrices.dtype == np.int64
    np.testing.assert_array_equal(matrices, MATRICES)


def test_matrices_of_a_split_are_added_up():
    sums = sum_splits(tabulate_confusion(SCENES, MATRICES, NAMES))
    assert list(sums) == ["train", "test"]
    assert sums["train"].tolist() == [[LARGE + 6, 2, 4], [5, 95, 0], [3, 0, 1002]]
    assert sums["test"].tolist() == MATRICES[2].tolist()


def test_counts_are_added_up_by_group_in_the_order_of_the_groups():
    sums = add_up(pd.Series(["b", "a", "b"]), np.array([[1, 2], [3, 4], [5, 6]]))
    assert {name: counts.tolist() for name, counts in sums.items()} == {"b": [6, 8], "a": [3, 4]}
    assert list(sums) == ["b", "a"]


def test_calibration_is_added_up_by_drive():
    counts = np.arange(45.0).reshape(15, 3)
    scenes = pd.DataFrame(
        [("train", "A", "a1", AT), ("train", "B", "b1", AT), ("train", "A", "a2", AT), ("test", "A", "a3", AT)],
        columns=SCENES.columns,
    )
    each = [measures([[1]], calibration=factor * counts) for factor in (1, 10, 100, 1000)]
    table = tabulate_calibration(scenes, each)
    assert list(table.columns) == ["split", "drive", "resolution", "bin", "pixels", "hits", "confidence"]
    assert table["bin"].tolist() == list(range(1, 16)) * 3
    for (split, drive), factor in {("train", "A"): 101, ("train", "B"): 10, ("test", "A"): 1000}.items():
        rows = table[(table["split"] == split) & (table["drive"] == drive)]
        np.testing.assert_array_equal(rows[["pixels", "hits", "confidence"]], factor * counts)


def test_calibration_that_was_not_asked_for_is_an_empty_table():
    table = tabulate_calibration(SCENES, [measures(each) for each in MATRICES])
    assert table.empty
    assert list(table.columns) == ["split", "drive", "resolution", "bin", "pixels", "hits", "confidence"]


def test_each_scene_has_its_scores_and_those_of_its_classes():
    void = measures(np.zeros((3, 3), np.int64), np.full(3, np.nan))
    table = tabulate_scenes(
        SCENES[1:].reset_index(drop=True), [measures(MATRICES[1], np.array([0.5, np.nan, 1])), void], NAMES
    )
    assert table[list(SCENES)].to_numpy().tolist() == SCENES[1:].to_numpy().tolist()
    first = table.iloc[0]
    # road 6 of 6 + 4, sky 5 of 5 + 4; no car
    assert (first["pixels"], first["IoU road"], first["IoU sky"]) == (15, 6 / 10, 5 / 9)
    assert first["mean_iou"] == pytest.approx((6 / 10 + 5 / 9) / 2)
    assert first["pixel_accuracy"] == pytest.approx(11 / 15)
    assert (first["boundary F1 road"], first["boundary F1 sky"]) == (0.5, 1)
    assert pd.isna(first[["IoU car", "boundary F1 car"]]).all()
    assert table.iloc[1]["pixels"] == 0
    assert table.iloc[1].drop([*SCENES, "pixels"]).isna().all()


def test_boundaries_that_were_not_asked_for_are_empty_columns():
    table = tabulate_scenes(SCENES, [measures(each) for each in MATRICES], NAMES)
    assert table[[f"boundary F1 {name}" for name in NAMES]].isna().all(axis=None)


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
