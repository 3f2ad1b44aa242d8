import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array

from roadseg.scoring.measures import SceneMeasures
from roadseg.scoring.tables import (
    COUNTS,
    ScoredScenes,
    add_up,
    choose_examples,
    list_scenes,
    sum_splits,
    tabulate_calibration,
    tabulate_confusion,
    tabulate_scene_classes,
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


def measures(matrix, boundary_f1=None, calibration=None, scaled=None):
    return SceneMeasures("", coo_array(np.array(matrix, np.int64)), boundary_f1, calibration, scaled)


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


def test_confusion_is_a_row_for_each_cell_that_has_pixels():
    table = tabulate_confusion(SCENES[1:2], MATRICES[1:2], NAMES)
    expected = {
        "split": ["train"] * 3,
        "drive": ["B"] * 3,
        "scene": ["b1"] * 3,
        "resolution": [AT] * 3,
        "truth": ["road", "road", "sky"],
        "predicted": ["road", "sky", "sky"],
        "pixels": [6, 4, 5],
    }
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


def test_cells_do_not_grow_with_the_classes_that_do_not_occur():
    matrix = np.zeros((255, 255), np.int64)
    matrix[254, 3] = 7
    names = [f"class {index}" for index in range(255)]
    table = tabulate_confusion(SCENES, [coo_array(matrix)] * 3, names)
    assert table[["truth", "predicted", "pixels"]].to_numpy().tolist() == [["class 254", "class 3", 7]] * 3
    assert len(tabulate_scene_classes(SCENES, [measures(matrix)] * 3, names)) == 2 * 3


def test_matrices_of_a_split_are_added_up_in_whole_numbers():
    table = tabulate_confusion(SCENES, MATRICES, NAMES)
    sums = sum_splits(table, NAMES, ["test", "validation", "train"])
    assert list(sums) == ["test", "validation", "train"]
    assert sums["train"].tolist() == [[LARGE + 6, 2, 4], [5, 95, 0], [3, 0, 1002]]
    assert sums["test"].tolist() == MATRICES[2].tolist()
    assert sums["validation"].tolist() == np.zeros((3, 3)).tolist()


def test_a_table_of_another_version_is_refused_with_what_to_do():
    wide = SCENES.assign(truth="road", road=1, car=2)
    with pytest.raises(ValueError, match=r"predicted, pixels, received .*, truth, road, car: .* score the model"):
        sum_splits(wide, NAMES, ["train"])


def test_a_table_of_other_classes_is_refused():
    table = tabulate_confusion(SCENES, MATRICES, NAMES)
    with pytest.raises(ValueError, match=r"the classes are \['road', 'car'\], received a table that names \['sky'\]"):
        sum_splits(table, NAMES[:2], ["train"])


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
    each = [measures([[1]], None, factor * counts, 2 * factor * counts) for factor in (1, 10, 100, 1000)]
    table = tabulate_calibration(scenes, each)
    assert list(table.columns) == ["split", "drive", "resolution", "softmax", "bin", "pixels", "hits", "confidence"]
    assert table["bin"].tolist() == list(range(1, 16)) * 6
    for (split, drive), factor in {("train", "A"): 101, ("train", "B"): 10, ("test", "A"): 1000}.items():
        for softmax, times in (("plain", 1), ("scaled", 2)):
            rows = table[(table[["split", "drive", "softmax"]] == [split, drive, softmax]).all(axis=1)]
            np.testing.assert_array_equal(rows[["pixels", "hits", "confidence"]], times * factor * counts)


def test_calibration_that_was_not_asked_for_is_an_empty_table():
    table = tabulate_calibration(SCENES, [measures(each) for each in MATRICES])
    assert table.empty
    assert list(table.columns) == ["split", "drive", "resolution", "softmax", "bin", "pixels", "hits", "confidence"]


VOID = measures(np.zeros((3, 3)), np.full(3, np.nan))
TWO = SCENES[1:].reset_index(drop=True)


def test_each_scene_has_its_scores():
    table = tabulate_scenes(TWO, [measures(MATRICES[1]), VOID])
    assert list(table.columns) == [*SCENES, "pixels", "mean_iou", "pixel_accuracy"]
    assert table[list(SCENES)].to_numpy().tolist() == TWO.to_numpy().tolist()
    # road 6 of 6 + 4, sky 5 of 5 + 4; no car
    assert table["pixels"].tolist() == [15, 0]
    assert table["mean_iou"].tolist() == pytest.approx([(6 / 10 + 5 / 9) / 2, math.nan], nan_ok=True)
    assert table["pixel_accuracy"].tolist() == pytest.approx([11 / 15, math.nan], nan_ok=True)


def test_each_class_of_a_scene_has_its_counts_and_scores():
    table = tabulate_scene_classes(TWO, [measures(MATRICES[1], np.array([0.5, np.nan, 1])), VOID], NAMES)
    assert table[["scene", "class", *COUNTS]].to_numpy().tolist() == [["b1", "road", 6, 10, 6], ["b1", "sky", 5, 5, 9]]
    assert table["iou"].tolist() == [6 / 10, 5 / 9]
    assert table["boundary_f1"].tolist() == [0.5, 1]


def test_boundaries_that_were_not_asked_for_are_undefined():
    table = tabulate_scene_classes(SCENES, [measures(each) for each in MATRICES], NAMES)
    assert table["boundary_f1"].isna().tolist() == [True] * len(table)
    assert len(table) > 0


def test_counts_of_classes_come_back_in_the_order_that_is_asked_for():
    each = [measures(MATRICES[0], np.array([0.25, np.nan, 1])), measures(MATRICES[1]), VOID]
    scored = ScoredScenes(NAMES, tabulate_scenes(SCENES, each), tabulate_scene_classes(SCENES, each, NAMES))
    counts, f1s = scored.read_classes(pd.Series(["007", "a1"]))
    assert counts.dtype == np.int64
    assert counts[0].tolist() == np.zeros((3, 3)).tolist()
    assert counts[1].tolist() == [[LARGE, LARGE + 2, LARGE + 8], [95, 100, 97], [997, 1000, 997]]
    np.testing.assert_equal(f1s, [[np.nan] * 3, [0.25, np.nan, 1]])


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
