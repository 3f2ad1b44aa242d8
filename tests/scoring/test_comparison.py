import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.sparse import coo_array
from sklearn.metrics import jaccard_score

from roadseg.scoring.comparison import choose_changed, compare_scenes, compare_scores, pair_scenes
from roadseg.scoring.measures import SceneMeasures
from roadseg.scoring.metrics import count_classes
from roadseg.scoring.scores import SCORES
from roadseg.scoring.tables import ScoredScenes, tabulate_scene_classes, tabulate_scenes

ROAD, CAR = 0, 1
IOUS = ("iou road", "iou car")
RIGHT = [[6, 0], [0, 2]]
WRONG = [[3, 3], [0, 2]]


def table(matrices, names=("road", "car")):
    """The scenes of one split, with confusion matrices; a scene's drive is its id up to the underscore."""
    scenes = pd.DataFrame([("test", scene.split("_")[0], scene, "network") for scene in matrices])
    scenes = scenes.set_axis(["split", "drive", "scene", "resolution"], axis=1)
    measures = [SceneMeasures("", coo_array(np.array(each, np.int64)), None, None) for each in matrices.values()]
    return ScoredScenes(names, tabulate_scenes(scenes, measures), tabulate_scene_classes(scenes, measures, names))


def counts(*matrices):
    return [count_classes(np.array(each)).tolist() for each in matrices]


def pair(first, second, are_equal=lambda scene: True):
    return pair_scenes(table(first), table(second), are_equal)


def scores(first, second, seed=1):
    return name_rows(compare_scores(pair(first, second), seed))


def name_rows(table):
    """Names each row by its score, and by its class if it has one."""
    names = table["score"].where(table["class"].isna(), table["score"] + " " + table["class"].astype(str))
    return table.drop(columns=["score", "class"]).set_index(names)


def test_only_scenes_of_both_are_paired_whatever_their_order():
    first = {"a_1": RIGHT, "a_2": WRONG, "b_1": RIGHT}
    second = {"c_1": WRONG, "b_1": WRONG, "a_1": RIGHT}
    both = pair(first, second)
    assert both.scenes.to_dict("list") == {"drive": ["a", "b"], "scene": ["a_1", "b_1"]}
    assert both.first.tolist() == counts(RIGHT, RIGHT)
    assert both.second.tolist() == counts(RIGHT, WRONG)
    assert both.num_drives == 2


def test_scenes_of_one_name_and_other_pixels_are_not_paired():
    both = pair({"a_1": RIGHT, "a_2": RIGHT}, {"a_1": WRONG, "a_2": WRONG}, are_equal=lambda scene: scene == "a_2")
    assert list(both.scenes["scene"]) == ["a_2"]


def test_runs_without_a_common_scene_pair_none_even_with_other_classes():
    both = pair_scenes(table({"a_1": RIGHT}), table({"b_1": np.eye(3)}, ("x", "y", "z")), lambda scene: True)
    assert (len(both.scenes), len(both.first), both.num_drives) == (0, 0, 0)


def test_equal_scenes_in_other_classes_are_refused():
    with pytest.raises(ValueError, match=r"must share classes, received \['road', 'car'\] and \['car', 'road'\]"):
        pair_scenes(table({"a_1": RIGHT}), table({"a_1": RIGHT}, ("car", "road")), lambda scene: True)


def test_equal_scenes_with_other_true_pixels_are_refused():
    with pytest.raises(ValueError, match="scene 'a_2' has different annotations in the two runs"):
        pair({"a_1": RIGHT, "a_2": RIGHT}, {"a_1": WRONG, "a_2": [[5, 0], [0, 2]]})


def test_scores_are_those_of_scikit_learn_on_the_same_pixels():
    truth = [ROAD] * 6 + [CAR] * 2
    right, wrong = truth, [ROAD] * 3 + [CAR] * 5
    found = scores({"a_1": RIGHT, "b_1": WRONG}, {"a_1": RIGHT, "b_1": RIGHT})
    per_class = [jaccard_score(truth * 2, prediction, average=None) for prediction in (right + wrong, right + right)]
    for place, name in enumerate(IOUS):
        assert found.loc[name, "first"] == pytest.approx(per_class[0][place])
        assert found.loc[name, "second"] == 1
        assert found.loc[name, "difference"] == pytest.approx(1 - per_class[0][place])
    assert found.loc["mean_iou", "first"] == pytest.approx(np.mean(per_class[0]))
    assert found.loc["pixel_accuracy", "difference"] == pytest.approx(3 / 16)
    assert found[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(("drives", "has_interval"), [(4, False), (5, True)])
def test_fewer_than_five_drives_have_a_difference_and_no_interval(drives, has_interval):
    # Ten scenes in either case: it is drives that count.
    first = {f"{index % drives}_{index}": WRONG for index in range(10)}
    found = scores(first, dict.fromkeys(first, RIGHT))
    assert found.loc["pixel_accuracy", "difference"] == pytest.approx(3 / 8)
    assert found["low"].notna().all() == found["high"].notna().all() == has_interval


def test_every_score_of_class_counts_is_compared_and_then_each_class():
    found = scores({"a_1": WRONG}, {"a_1": RIGHT})
    assert list(found.index) == [*(each.name for each in SCORES.values() if each.statistic == "counts"), *IOUS]


def test_one_scene_has_differences():
    found = scores({"a_1": WRONG}, {"a_1": RIGHT})
    assert found.loc["iou car", "first"] == pytest.approx(2 / 5)
    assert found.loc["iou car", "difference"] == pytest.approx(3 / 5)


def test_equal_runs_differ_by_nothing():
    random = np.random.default_rng(0)
    run = {f"{drive}_1": random.integers(1, 9, (2, 2)) for drive in range(6)}
    found = scores(run, run)
    assert len(found) > len(IOUS)
    assert (found[["difference", "low", "high"]] == 0).all(axis=None)


def test_interval_is_the_paired_one_of_scipy_up_to_the_draws():
    random = np.random.default_rng(3)
    hits = random.binomial(100, 0.6, 20)
    gains = random.binomial(20, 0.5, 20) - 5
    first, second = (
        {f"{drive}_1": [[each, 100 - each], [0, 50]] for drive, each in enumerate(counts)}
        for counts in (hits, hits + gains)
    )
    found = scores(first, second).loc["pixel_accuracy"]
    theirs = scipy.stats.bootstrap(
        (gains / 150,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(5)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found["low"] == pytest.approx(theirs.low, abs=0.15 * width)
    assert found["high"] == pytest.approx(theirs.high, abs=0.15 * width)


def test_a_class_that_is_absent_has_no_difference():
    matrix = [[6, 2, 0], [0, 4, 0], [0, 0, 0]]
    run = table({f"{drive}_1": matrix for drive in range(5)}, ("road", "car", "sky"))
    found = name_rows(compare_scores(pair_scenes(run, run, lambda scene: True), 1))
    assert found.loc["iou sky"].isna().all()
    assert found.loc["mean_iou", "first"] == pytest.approx((6 / 8 + 4 / 6) / 2)


def test_a_class_that_one_run_alone_invents_is_undefined_in_the_other():
    first = table({"a_1": [[8, 0], [0, 0]]})
    second = table({"a_1": [[6, 2], [0, 0]]})
    found = name_rows(compare_scores(pair_scenes(first, second, lambda scene: True), 1))
    assert np.isnan(found.loc["iou car", "first"])
    assert found.loc["iou car", "second"] == 0
    assert np.isnan(found.loc["iou car", "difference"])
    assert found.loc["mean_iou", "difference"] == pytest.approx((6 / 8 + 0) / 2 - 1)


def test_scenes_are_ordered_by_what_they_gained_and_void_ones_left_out():
    void = [[0, 0], [0, 0]]
    first = {"a_1": WRONG, "a_2": RIGHT, "a_3": void, "a_4": RIGHT}
    second = {"a_1": RIGHT, "a_2": RIGHT, "a_3": void, "a_4": WRONG}
    changed = compare_scenes(pair(first, second))
    assert list(changed["scene"]) == ["a_1", "a_2", "a_4"]
    gain = 1 - (3 / 6 + 2 / 5) / 2
    assert list(changed["difference"]) == pytest.approx([gain, 0, -gain])


def test_the_most_changed_scenes_come_first_on_either_side_and_equal_ones_on_none():
    scenes = pd.DataFrame({"scene": list("abcde"), "difference": [0.3, 0.1, 0.0, -0.1, -0.4]})
    better, worse = choose_changed(scenes, 6)
    assert (list(better["scene"]), list(worse["scene"])) == (["a", "b"], ["e", "d"])
    better, worse = choose_changed(scenes, 1)
    assert (list(better["scene"]), list(worse["scene"])) == (["a"], ["e"])
    assert [len(each) for each in choose_changed(scenes, 0)] == [0, 0]
