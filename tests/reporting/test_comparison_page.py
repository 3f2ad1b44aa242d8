import base64
import re

import cv2
import numpy as np
import pandas as pd
import pytest

from roadseg.reporting.comparison_page import (
    ScenePictures,
    Section,
    describe_differences,
    describe_scenes,
    judge_interval,
    write_page,
)
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette

CLASSES = (SegmentationClass(name="road", colour=(128, 64, 18)), SegmentationClass(name="car", colour=(0, 0, 230)))
PALETTE = Palette(CLASSES)


def page(notes=(), sections=(), pictures=()):
    return write_page(first="run 1", second="run 2", notes=notes, sections=sections, pictures=pictures, palette=PALETTE)


@pytest.fixture
def scene():
    truth = np.array([[0, 1, 255], [0, 0, 1]], np.uint8)
    image = np.full((2, 3, 3), 90, np.uint8)
    return ScenePictures("scene 7", image, truth, np.zeros_like(truth), np.ones_like(truth))


def test_pictures_are_in_the_page_in_the_colours_of_the_classes(scene):
    html = page(pictures=[scene])
    sources = dict(re.findall(r'<img src="data:image/\w+;base64,([^"]+)" alt="(\w+)">', html))
    pictures = {
        name: cv2.imdecode(np.frombuffer(base64.b64decode(source), np.uint8), cv2.IMREAD_COLOR_RGB)
        for source, name in sources.items()
    }
    assert list(pictures) == ["image", "truth", "A", "B"]
    road, car, void = (128, 64, 18), (0, 0, 230), (0, 0, 0)
    assert pictures["truth"].tolist() == np.array([[road, car, void], [road, road, car]]).tolist()
    assert (pictures["A"] == road).all()
    assert (pictures["B"] == car).all()
    assert np.abs(pictures["image"].astype(int) - 90).max() < 8


def test_nothing_is_fetched_from_elsewhere(scene):
    html = page(["note"], [Section("title", ["a"], [["b"]])], [scene])
    sources = re.findall(r'(?:src|href)="([^"]{5})', html)
    assert len(sources) == 4
    assert set(sources) == {"data:"}
    assert "@import" not in html
    assert "<script" not in html


def test_texts_are_escaped():
    html = page(["<b>1</b>"], [Section("<i>2", ["<u>3"], [["a & <script>"]], "<s>4")])
    for text in ("<b>1", "<i>2", "<u>3", "<script>", "<s>4"):
        assert text not in html
    assert "a &amp; &lt;script&gt;" in html


def test_light_and_dark_are_both_there():
    assert 'name="color-scheme" content="light dark"' in page()
    assert "prefers-color-scheme: dark" in page()


def test_a_table_without_rows_says_so():
    html = page(sections=[Section("Parameters that differ", ["", "A", "B"], [])])
    assert re.search(r"Parameters that differ</h2>\s*<p class=\"note\">none", html)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.1, 0.1, "no clear difference"),
        (0.0, 0.0, "no clear difference"),
        (np.nan, np.nan, ""),
    ],
)
def test_an_interval_on_one_side_of_zero_is_a_verdict(low, high, verdict):
    assert judge_interval(low, high) == verdict
    assert judge_interval(-high, -low, best=0) == verdict


def test_differences_show_intervals_where_there_are_enough_drives():
    nan = float("nan")
    table = pd.DataFrame(
        [
            ("mean_iou", None, 0.5, 0.625, 0.125, 0.1, 0.2),
            ("calibration_error", None, 0.5, 0.625, 0.125, 0.1, 0.2),
            ("iou", "sky", nan, nan, nan, nan, nan),
        ],
        columns=["score", "class", "first", "second", "difference", "low", "high"],
    )
    section = describe_differences(table, title="Split test", num_drives=5)
    assert section.rows == [
        ["mean_iou", "0.5000", "0.6250", "+0.1250", "[+0.1000, +0.2000]", "better"],
        ["calibration_error", "0.5000", "0.6250", "+0.1250", "[+0.1000, +0.2000]", "worse"],
        ["IoU sky", "\N{EN DASH}", "\N{EN DASH}", "", "", ""],
    ]
    section = describe_differences(table.assign(low=nan, high=nan), title="Split test", num_drives=4)
    assert section.columns == ["score", "A", "B", "B less A"]
    assert section.rows[0] == ["mean_iou", "0.5000", "0.6250", "+0.1250"]
    assert "an interval needs at least 5 drives" in section.remark
    assert "are from 4" in section.remark


def test_scenes_are_listed_with_their_change():
    scenes = pd.DataFrame([("a_1", "a", 0.5, 0.25, -0.25)], columns=["scene", "drive", "first", "second", "difference"])
    assert describe_scenes(scenes, title="").rows == [["a_1", "a", "0.5000", "0.2500", "-0.2500"]]
