import json

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array

from roadseg.scoring.measures import SceneMeasures
from roadseg.scoring.metrics import count_classes, mean_iou
from roadseg.scoring.scores import SCORES, list_scores
from roadseg.scoring.summary import (
    average_over_batches,
    class_boundary_f1,
    find_interval,
    read_statistics,
    summarise_counts,
    summarise_split,
    tabulate_class_scores,
    tabulate_drives,
    tabulate_scores,
)
from roadseg.scoring.tables import (
    ScoredScenes,
    list_scenes,
    tabulate_calibration,
    tabulate_scene_classes,
    tabulate_scenes,
)

NAMES = ["road", "car", "sky"]
COUNTS = np.array([[3, 4, 3], [2, 5, 3], [1, 1, 4]])  # of each class: hits, true and predicted pixels


def evaluated(drives, *, further=True):
    """Returns the statistics of an evaluation of two scenes a drive, all in the split 'test', and their measures."""
    random = np.random.default_rng(4)
    rows = [(f"{drive}_{frame}", drive, "test") for drive in drives for frame in range(2)]
    scenes = list_scenes(pd.DataFrame(rows, columns=["scene", "drive", "split"]), "network")
    measures = []
    for scene in scenes["scene"]:
        matrix = random.integers(0, 50, (3, 3)) + 200 * np.eye(3, dtype=np.int64)
        f1 = np.array([random.uniform(), random.uniform(), np.nan])
        pixels = random.integers(1, 9, 15)
        calibration = np.stack([pixels, random.binomial(pixels, 0.5), 0.6 * pixels], axis=1)
        measures.append(
            SceneMeasures(scene, coo_array(matrix), *((f1, calibration, 2 * calibration) if further else (None, None)))
        )
    scored = ScoredScenes(NAMES, tabulate_scenes(scenes, measures), tabulate_scene_classes(scenes, measures, NAMES))
    return read_statistics(scored, tabulate_calibration(scenes, measures)), measures


def add_counts(measures):
    return sum(count_classes(each.confusion) for each in measures)


def test_statistics_add_up_to_those_of_all_scenes():
    statistics, measures = evaluated("DACB")
    test = statistics["test"]
    assert test.drives == ["A", "B", "C", "D"]
    assert test.scenes.tolist() == [2, 2, 2, 2]
    np.testing.assert_array_equal(test.counts[1], add_counts(measures[2:4]))
    np.testing.assert_array_equal(test.counts.sum(axis=0), add_counts(measures))
    np.testing.assert_allclose(test.calibration[3], measures[6].calibration + measures[7].calibration)
    np.testing.assert_allclose(test.boundaries[0, 1], [measures[0].boundary_f1[1] + measures[1].boundary_f1[1], 2])
    np.testing.assert_allclose(test.boundaries[:, 2], 0)
    np.testing.assert_allclose(test.boundaries[0, 3], [sum(np.mean(each.boundary_f1[:2]) for each in measures[:2]), 2])


def test_boundary_f1_is_that_of_scenes_averaged():
    boundaries = np.array([[1.5, 3], [0.5, 2], [0, 0], [2.1, 3]])
    np.testing.assert_allclose(class_boundary_f1(boundaries), [0.5, 0.25, np.nan])


def batches(rows, matrices, batch_size):
    """Returns the mean over batches of each split, of scenes given as scene, drive and split."""
    scenes = list_scenes(pd.DataFrame(rows, columns=["scene", "drive", "split"]), "network")
    measures = [SceneMeasures("", coo_array(each), None, None) for each in matrices]
    scored = ScoredScenes(NAMES, tabulate_scenes(scenes, measures), tabulate_scene_classes(scenes, measures, NAMES))
    return average_over_batches(scored, batch_size)


def test_mean_over_batches_is_a_mean_of_ratios():
    rows = [("a", "A", "test"), ("b", "A", "test"), ("c", "B", "test"), ("d", "B", "train")]
    right, wrong = np.diag([10, 0, 0]), np.array([[0, 0, 0], [10, 0, 0], [0, 0, 0]])
    matrices = [right, right, right, wrong]  # of train, then of a, b and c
    # a and b: IoU 1; c: road 0 of 10, car 0 of 10. Together road 20 of 30, car 0 of 10
    assert batches(rows, matrices, 2) == {"train": 1, "test": 0.5}
    assert batches(rows, matrices, 3) == {"train": 1, "test": pytest.approx(1 / 3)}


def test_batches_without_pixels_are_in_no_mean_over_batches():
    rows = [("a", "A", "train"), ("b", "A", "train"), ("c", "B", "test")]
    void, right = np.zeros((3, 3), np.int64), np.diag([10, 0, 0])
    assert batches(rows, [void, right, void], 1) == {"train": 1, "test": None}


def test_five_drives_have_intervals_around_their_scores():
    statistics, measures = evaluated("ABCDE")
    summary = summarise_split(statistics["test"], NAMES, seed=1)
    assert (summary["scenes"], summary["drives"]) == (10, 5)
    assert summary["mean_iou"] == pytest.approx(mean_iou(add_counts(measures)))
    values = {name: summary[name] for name in ("mean_iou", "boundary_f1", "calibration_error", "pixel_accuracy")}
    found = {name: find_interval(summary, name) for name in values}
    values |= {("iou", name): each["iou"] for name, each in summary["classes"].items()}
    found |= {("iou", name): find_interval(summary, "iou", name) for name in NAMES}
    for name, value in values.items():
        low, high = found[name]
        assert low < value < high, name
    assert summary["classes"]["road"]["boundary_f1"] == pytest.approx(
        np.mean([each.boundary_f1[0] for each in measures])
    )
    assert summary["classes"]["sky"]["boundary_f1"] is None
    assert summary["boundary_f1"] == pytest.approx(np.mean([np.nanmean(each.boundary_f1) for each in measures]))


def test_four_drives_have_no_intervals():
    statistics, _ = evaluated("ABCD")
    intervals = summarise_split(statistics["test"], NAMES, seed=1)["intervals"]
    assert set(intervals["scores"].values()) == {None}
    assert intervals["classes"] == {name: {"iou": None} for name in NAMES}


def test_no_class_is_taken_for_a_score_and_intervals_of_older_programs_are_found():
    names = ["mean_iou", "scores", "IoU mean_iou"]
    summary = summarise_split(evaluated("ABCDE")[0]["test"], names, seed=1)
    intervals = summary["intervals"]
    assert list(intervals["scores"]) == list(SCORES)
    assert list(intervals["classes"]) == names
    older = intervals["scores"] | {f"IoU {name}": each["iou"] for name, each in intervals["classes"].items()}
    for each in (summary, summary | {"intervals": older}):
        assert {name: find_interval(each, name) for name in SCORES} == intervals["scores"]
        assert {name: {"iou": find_interval(each, "iou", name)} for name in names} == intervals["classes"]


def test_measures_that_were_not_asked_for_are_none():
    statistics, _ = evaluated("ABCDE", further=False)
    summary = summarise_split(statistics["test"], NAMES, seed=1)
    assert (summary["boundary_f1"], summary["calibration_error"]) == (None, None)
    assert find_interval(summary, "boundary_f1") is find_interval(summary, "calibration_error") is None
    assert summary["classes"]["road"]["boundary_f1"] is None
    assert summary["mean_iou"] > 0


def test_scores_are_a_row_a_split_with_intervals_beside_them():
    statistics, _ = evaluated("ABCDE")
    summary = summarise_split(statistics["test"], NAMES, seed=1)
    table = tabulate_scores({"test": summary})
    with_intervals = [f"{name}{bound}" for name in SCORES for bound in ("", " low", " high")]
    assert list(table.columns[:4]) == ["split", "scenes", "drives", "pixels"]
    assert [name for name in table.columns if name in with_intervals] == with_intervals
    (row,) = table.to_dict("records")
    assert row["mean_iou"] == summary["mean_iou"]
    assert [row["mean_iou low"], row["mean_iou high"]] == list(find_interval(summary, "mean_iou"))


def test_classes_are_a_row_a_split_with_intervals_beside_them():
    five, four = (summarise_split(evaluated(drives)[0]["test"], NAMES, seed=1) for drives in ("ABCDE", "ABCD"))
    table = tabulate_class_scores({"validation": five, "test": four})
    assert table[["split", "class"]].to_numpy().tolist() == [
        [split, name] for split in ("validation", "test") for name in NAMES
    ]
    car = table.iloc[1]
    assert [car["pixels"], car["iou"], car["accuracy"], car["boundary_f1"]] == [
        five["classes"]["car"][name] for name in ("pixels", "iou", "accuracy", "boundary_f1")
    ]
    assert [car["low"], car["high"]] == list(find_interval(five, "iou", "car"))
    assert table["low"].isna().tolist() == table["high"].isna().tolist() == 3 * [False] + 3 * [True]


def test_drives_are_a_row_each():
    statistics, measures = evaluated("AB")
    table = tabulate_drives(statistics, "native")
    assert set(table["resolution"]) == {"native"}
    assert table[["split", "drive", "scenes"]].to_numpy().tolist() == [["test", "A", 2], ["test", "B", 2]]
    counts = add_counts(measures[2:4])
    assert table["pixels"][1] == counts[:, 1].sum()
    assert table["mean_iou"][1] == pytest.approx(mean_iou(counts))


def test_counts_beyond_single_precision_stay_exact():
    counts = count_classes(np.array([[2**53 // 4, 1], [0, 2**25 + 1]]))
    assert summarise_counts(counts, ["road", "sky"])["pixels"] == 2**51 + 2**25 + 2


def test_summary_names_scores_and_absent_classes():
    matrix = np.array([[3, 1, 0, 0], [0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0]])
    summary = summarise_counts(count_classes(matrix), ["road", "walk", "sky", "car"])
    scores = {each.name: summary.pop(each.name) for each in list_scores("counts")}
    assert scores["mean_iou"] == pytest.approx((0.75 + 0 + 1) / 3)
    assert scores["pixel_accuracy"] == 0.875
    assert summary == {
        "pixels": 8,
        "classes": {
            "road": {"iou": 0.75, "accuracy": 0.75, "pixels": 4},
            "walk": {"iou": 0.0, "accuracy": None, "pixels": 0},
            "sky": {"iou": 1.0, "accuracy": 1.0, "pixels": 4},
            "car": {"iou": None, "accuracy": None, "pixels": 0},
        },
        "absent_classes": ["car"],
    }


@pytest.mark.parametrize("counts", [COUNTS, np.zeros((3, 3), np.int64), np.array([[0, 0, 0], [5, 5, 5], [0, 0, 0]])])
def test_summary_survives_strict_json(counts):
    summary = summarise_counts(counts, ["road", "walk", "sky"])
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_summary_holds_numbers_of_python_not_of_numpy():
    summary = summarise_counts(COUNTS, ["road", "walk", "sky"])
    assert {type(summary["mean_iou"]), type(summary["classes"]["sky"]["iou"])} == {float}
    assert {type(summary["pixels"]), type(summary["classes"]["sky"]["pixels"])} == {int}


def test_summary_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match="2 class names do not fit the counts of 3 classes"):
        summarise_counts(COUNTS, ["road", "sky"])
