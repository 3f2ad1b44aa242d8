"""Doubts and errors, beside scikit-learn on the single pixels and beside figures worked by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from roadseg.scenes.labels import VOID
from roadseg.scoring.error_detection import (
    LEAST,
    count_doubts,
    list_doubts,
    measure_detection,
    tabulate_detection,
    tabulate_doubts,
    trace_risk,
)
from roadseg.segnet.segmentation import Segmentation


def tabulate(scenes, splits=None):
    """Returns the table of scenes (doubts, truth, label map) with one doubt, `entropy`."""
    keys = pd.DataFrame({"split": splits or ["test"] * len(scenes), "resolution": "network"})
    return tabulate_doubts(keys, [{"entropy": count_doubts(*scene)} for scene in scenes])


def draw_scene(generator, size=(50, 70)):
    """Returns doubts, and label maps that differ more often where the doubt is larger; some of the truth is void."""
    doubts = generator.gamma(0.5, 0.4, size).astype(np.float32)
    truth = generator.integers(0, 3, size).astype(np.uint8)
    wrong = generator.random(size) < 1 - np.exp(-doubts)
    label_map = np.where(wrong, (truth + 1) % 3, truth).astype(np.uint8)
    truth[generator.random(size) < 0.1] = VOID
    return doubts, truth, label_map


def test_figures_of_counts_are_those_that_scikit_learn_gives_for_the_single_pixels():
    generator = np.random.default_rng(1)
    scenes = [draw_scene(generator) for _ in range(3)]
    found = measure_detection(tabulate(scenes))
    doubts, truth, label_map = (np.concatenate([scene[part].ravel() for scene in scenes]) for part in range(3))
    known = truth != VOID
    wrong = (truth != label_map)[known]
    assert found.auroc == pytest.approx(roc_auc_score(wrong, doubts[known]), abs=1e-4)
    assert found.average_precision == pytest.approx(average_precision_score(wrong, doubts[known]), abs=3e-3)
    order = np.argsort(doubts[known], kind="stable")
    risks = wrong[order].cumsum() / np.arange(1, len(order) + 1)
    assert found.risk_area == pytest.approx(risks.mean(), abs=3e-3)


def test_risk_and_coverage_by_hand():
    doubts = np.array([[0.125, 0.125, 0.25, 0.5, 1.0]], np.float32)
    truth = np.array([[0, 0, 0, 0, VOID]], np.uint8)
    label_map = np.array([[0, 0, 1, 0, 1]], np.uint8)
    table = tabulate([(doubts, truth, label_map)])
    assert table["level"].tolist() == [0.125, 0.25, 0.5]
    assert table["right"].tolist() == [2, 0, 1]
    assert table["wrong"].tolist() == [0, 1, 0]
    coverage, risk = trace_risk(table)
    assert coverage.tolist() == [0.5, 0.75, 1.0]
    assert risk.tolist() == [0.0, pytest.approx(1 / 3), 0.25]
    found = measure_detection(table)
    assert found.auroc == pytest.approx(2 / 3)  # two of the three right pixels are doubted less than the wrong one
    assert found.average_precision == pytest.approx(1 / 2)  # the wrong pixel is the second of those doubted most
    assert found.risk_area == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)


def test_a_doubt_that_knows_nothing_finds_no_errors():
    truth = np.zeros((2, 4), np.uint8)
    label_map = np.array([[0, 0, 0, 1]] * 2, np.uint8)
    found = measure_detection(tabulate([(np.full((2, 4), 0.3, np.float32), truth, label_map)]))
    assert (found.auroc, found.average_precision, found.risk_area) == (0.5, 0.25, 0.25)


@pytest.mark.parametrize("predicted", [0, 1])
def test_where_all_is_right_or_all_is_wrong_there_is_nothing_to_find(predicted):
    scene = np.full((2, 2), 0.3, np.float32), np.zeros((2, 2), np.uint8), np.full((2, 2), predicted, np.uint8)
    assert measure_detection(tabulate([scene])) is None


def test_splits_are_counted_apart_and_the_least_doubt_holds_all_below():
    doubts = np.array([[0.0, LEAST / 4, LEAST]], np.float32)
    scene = doubts, np.zeros((1, 3), np.uint8), np.array([[0, 0, 1]], np.uint8)
    table = tabulate([scene, scene, scene], ["train", "test", "train"])
    rows = [("train", LEAST, 4, 2), ("test", LEAST, 2, 1)]
    assert list(table[["split", "level", "right", "wrong"]].itertuples(index=False, name=None)) == rows


def test_no_scene_gives_a_table_without_rows():
    table = tabulate_doubts(pd.DataFrame({"split": [], "resolution": []}), [])
    assert list(table) == ["split", "resolution", "doubt", "level", "right", "wrong"]
    assert table.empty


def test_doubts_of_a_network_are_small_where_it_is_sure_and_have_the_size_that_is_asked_for():
    logits = np.zeros((2, 3, 4), np.float32)
    logits[0, 0] = (9, 0, 0, 0)
    variance = np.full((2, 3), 0.25, np.float32)
    doubts = list_doubts(Segmentation(logits, (4, 6), variance=variance), (2, 3))
    assert list(doubts) == ["confidence", "entropy", "variance"]
    sure = np.exp(9) / (np.exp(9) + 3)
    assert doubts["confidence"][0, 0] == pytest.approx(1 - sure, rel=1e-3)
    assert doubts["confidence"][1, 2] == 0.75
    assert doubts["entropy"][1, 2] == pytest.approx(np.log(4))
    assert (doubts["variance"] == 0.25).all()
    larger = list_doubts(Segmentation(logits, (4, 6)), (4, 6))
    assert list(larger) == ["confidence", "entropy"]
    assert {each.shape for each in larger.values()} == {(4, 6)}


def test_a_row_per_split_and_doubt_says_what_it_finds():
    scene = np.array([[0.1, 0.9]], np.float32), np.zeros((1, 2), np.uint8), np.array([[0, 1]], np.uint8)
    right = scene[0], scene[1], scene[1]
    table = tabulate_detection(tabulate([scene, right], ["test", "train"]))
    rows = table[["split", "doubt", "error_rate", "auroc", "average_precision"]]
    assert rows.iloc[0].tolist() == ["test", "entropy", 0.5, 1.0, 1.0]
    assert rows.iloc[1].tolist()[:3] == ["train", "entropy", 0.0]
    assert rows.iloc[1].isna().tolist() == [False, False, False, True, True]
