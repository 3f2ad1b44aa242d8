"""Suspect annotations, beside maps and sums worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from roadseg.scenes.labels import VOID
from roadseg.scoring.disagreement import (
    Disagreement,
    SuspectOptions,
    find_disagreement,
    find_regions,
    rate_labels,
    tabulate_suspect_regions,
    tabulate_suspect_scenes,
)
from roadseg.segnet.segmentation import Segmentation

SCENES = pd.DataFrame(
    [("train", "A", "A/0", "native"), ("test", "B", "B/0", "native"), ("test", "B", "B/1", "native")],
    columns=["split", "drive", "scene", "resolution"],
)


def options(regions=60, confidence=0.75):
    return SuspectOptions(regions=regions, confidence=confidence)


def regions_of(truth, label_map, confidence=1.0, **kept):
    truth, label_map = np.array(truth, np.uint8), np.array(label_map, np.uint8)
    confidence = np.broadcast_to(np.array(confidence, np.float32), truth.shape)
    return find_regions(truth, label_map, confidence, options(**kept)).tolist()


def test_regions_of_one_pair_are_apart_where_they_do_not_touch_and_larger_ones_come_first():
    truth = np.zeros((4, 6), np.uint8)
    label_map = [[0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0], [0, 0, 0, 2, 0, 0], [0, 0, 0, 2, 0, 0]]
    # top, left, height, width, pixels, confidence; corners touch
    assert regions_of(truth, label_map) == [[0, 2, 1, 3, 3, 2, 3, 1], [0, 2, 0, 1, 1, 1, 1, 1]]


def test_a_region_is_of_one_pair_of_classes():
    truth = [[1, 1, 1, 0, 0]]
    label_map = [[2, 2, 2, 2, 1]]
    assert regions_of(truth, label_map) == [
        [1, 2, 0, 0, 1, 3, 3, 1],
        [0, 1, 0, 4, 1, 1, 1, 1],  # of equally bad ones the one whose classes come first
        [0, 2, 0, 3, 1, 1, 1, 1],
    ]


def test_void_is_in_no_region_and_parts_them():
    assert regions_of([[0, VOID, 0, 0]], [[1, 1, 1, 1]]) == [[0, 1, 0, 2, 1, 2, 2, 1], [0, 1, 0, 0, 1, 1, 1, 1]]


def test_pixels_of_which_the_network_is_less_sure_than_asked_for_are_in_no_region():
    confidence = [[0.75, 0.875, 0.74, 1.0]]
    # 0.75 + 0.875 = 1.625 is more than 1.0; exactly 0.75 is sure
    assert regions_of([[0] * 4], [[1] * 4], confidence) == [
        [0, 1, 0, 0, 1, 2, 2, 0.8125],
        [0, 1, 0, 3, 1, 1, 1, 1.0],
    ]


def test_the_surer_of_two_equally_large_regions_comes_first_and_only_the_worst_are_kept():
    found = regions_of([[0, 0, 0]], [[1, 0, 1]], [[0.75, 1, 0.875]])
    assert [region[3] for region in found] == [2, 0]
    assert regions_of([[0, 0, 0]], [[1, 0, 1]], [[0.75, 1, 0.875]], regions=1) == found[:1]
    assert regions_of([[0, 0, 0]], [[1, 0, 1]], regions=0) == []


def test_agreement_has_no_region():
    assert regions_of([[0, 1]], [[0, 1]]) == []


def test_label_quality_is_the_soft_minimum_of_what_is_given_to_the_annotated_class():
    probabilities = np.array([0.9, 0.5, 0.1], np.float32)
    assert rate_labels(probabilities) == pytest.approx(probabilities @ softmax((1 - probabilities) / 0.1))
    assert rate_labels(np.ones(4, np.float32)) == 1
    assert rate_labels(np.zeros(4, np.float32)) == 0
    assert np.isnan(rate_labels(np.zeros(0, np.float32)))


def test_a_network_and_an_annotation_are_compared_at_the_size_of_the_network_and_at_its_temperature():
    # With temperature 2 the odds are 8 : 1 : 1 on the left and 1 : 3 : 6 on the right.
    logits = 2 * np.log(np.array([[[8, 1, 1], [1, 3, 6]]], np.float32))
    truth = np.repeat([[0, 0, 1, 1]], 2, axis=0).astype(np.uint8)
    found = find_disagreement(Segmentation(logits, (2, 4), temperature=2.0), truth, options(confidence=0.6 - 1e-6))
    expected = np.array([0.8, 0.3])
    assert found.label_quality == pytest.approx(expected @ softmax((1 - expected) / 0.1), rel=1e-5)
    assert found.regions.tolist() == [[1, 2, 0, 1, 1, 1, 1, pytest.approx(0.6)]]


def test_a_scene_that_is_void_throughout_has_no_quality_and_no_region():
    found = find_disagreement(
        Segmentation(np.zeros((1, 2, 3), np.float32), (1, 2)), np.full((1, 2), VOID, np.uint8), options(confidence=0)
    )
    assert np.isnan(found.label_quality)
    assert len(found.regions) == 0


def test_scenes_are_ranked_from_the_lowest_quality_on_and_those_without_are_left_out():
    none = np.zeros((0, 8))
    table = tabulate_suspect_scenes(
        SCENES, [Disagreement(0.5, none), Disagreement(np.nan, none), Disagreement(0.1, none)]
    )
    assert list(table.itertuples(index=False, name=None)) == [
        (1, "test", "B", "B/1", "network", 0.1),
        (2, "train", "A", "A/0", "network", 0.5),
    ]
    assert tabulate_suspect_scenes(SCENES, [None] * 3).empty


def test_regions_of_all_scenes_are_ranked_together():
    small, large, middle = ([0, 2, 4, 3, 2, 5, pixels, 0.5] for pixels in (4, 9, 6))
    found = [Disagreement(0.5, np.array(rows, float).reshape(-1, 8)) for rows in ([middle, small], [], [large])]
    table = tabulate_suspect_regions(SCENES, found, ["road", "car", "sky"], options(regions=2))
    assert list(table.itertuples(index=False, name=None)) == [
        (1, "test", "B", "B/1", "network", "road", "sky", 4, 3, 2, 5, 9, 0.5),
        (2, "train", "A", "A/0", "network", "road", "sky", 4, 3, 2, 5, 6, 0.5),
    ]
    empty = tabulate_suspect_regions(SCENES, [None] * 3, ["road"], options())
    assert list(empty) == list(table)
    assert empty.empty
    pd.testing.assert_series_equal(empty.dtypes, table.dtypes)
