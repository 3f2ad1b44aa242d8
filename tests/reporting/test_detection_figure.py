"""Risk against coverage, as a figure and as a part of a page."""

import pandas as pd
import pytest

from roadseg.reporting.detection_figure import draw_detection, write_detection_curves

COLUMNS = ["split", "resolution", "doubt", "level", "right", "wrong"]


def doubts(*rows):
    return pd.DataFrame([(split, "network", "entropy", *row) for split, *row in rows], columns=COLUMNS)


def test_a_panel_per_split_ends_at_the_share_of_wrong_pixels_and_the_best_curve_begins_to_rise_at_that_of_right_ones():
    figure = draw_detection(doubts(("train", 0.1, 5, 0), ("test", 0.1, 3, 0), ("test", 0.2, 0, 1)))
    assert [axes.get_title() for axes in figure.axes] == ["train", "test"]
    entropy, best = (line.get_xydata().tolist() for line in figure.axes[1].lines)
    assert entropy == [[0.75, 0], [1, 0.25]]
    assert best[:2] == [[0, 0], [0.75, 0]]
    assert best[-1] == pytest.approx([1, 0.25])


def test_where_all_pixels_are_wrong_the_risk_is_1_from_the_first_pixel_on():
    (axes,) = draw_detection(doubts(("test", 0.1, 0, 4))).axes
    risks = axes.lines[1].get_ydata()
    assert risks.tolist() == [0, 0] + [1] * 99


def test_a_page_has_a_panel_of_each_split_in_its_own_colours_and_without_names_that_panels_share():
    curves = write_detection_curves(doubts(("train", 0.1, 5, 1), ("test", 0.1, 3, 0), ("test", 0.2, 0, 1)))
    assert list(curves) == ["train", "test"]
    assert "entropy: AUROC 1.0000" in curves["test"]
    assert "stroke: var(--training)" in curves["test"]
    assert '<g id="' not in curves["test"]
