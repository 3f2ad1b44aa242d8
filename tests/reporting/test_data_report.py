import base64
import re
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from roadseg.reporting.data_report import (
    UNSPLIT,
    count_faults,
    count_scenes,
    count_sizes,
    share_pixels,
    write_data_report,
)
from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScene, PreparedScenes

EVEN, ODD = np.array([[0, 0], [1, 255]], np.uint8), np.array([[2, 2], [2, 2]], np.uint8)
SPLIT = pd.DataFrame(
    {"scene": ["a_1", "b_1", "b_2"], "drive": ["a", "b", "b"], "split": ["train", "validation", "validation"]}
)
LEFT_OUT = {
    "scene": "d_1",
    "drive": "d",
    "published_split": None,
    "usable": False,
    "faults": [["image broken", "<cut> off"]],
    **dict.fromkeys(("height", "width", "pixels", "image_hash", "image", "label_map")),
}


def scene(label_map, raw_size, *faults):
    return PreparedScene(np.full((2, 2, 3), 200, np.uint8), label_map, raw_size, faults)


@pytest.fixture
def prepared(in_memory):
    """Four scenes of four drives and one that can't be used; `c_1` has no labels."""
    pole = Fault(FaultKind.EMPTY_POLYGON, "1 pole")
    usable = in_memory(
        {
            "a_1": scene(EVEN, (20, 30), pole, Fault(FaultKind.VERTEX_OUTSIDE, "2 car")),
            "b_1": scene(ODD, (20, 30), pole),
            "b_2": scene(EVEN, (10, 30)),
            "c_1": scene(None, (20, 30)),
        }
    )
    manifest = usable.manifest
    return PreparedScenes({**manifest, "scenes": [*manifest["scenes"], LEFT_OUT]}, usable._read)


@pytest.fixture
def index(prepared):
    return prepared.tabulate().merge(SPLIT[["scene", "split"]], how="left", on="scene").fillna({"split": UNSPLIT})


def test_scenes_are_counted_by_split(index):
    assert count_scenes(index).to_dict("index") == {
        "train": {"drives": 1, "scenes": 1, "labelled": 1, "left out": 0},
        "validation": {"drives": 1, "scenes": 2, "labelled": 2, "left out": 0},
        UNSPLIT: {"drives": 2, "scenes": 2, "labelled": 0, "left out": 1},
    }


def test_pixels_are_shared_among_the_classes_of_a_split_without_void(prepared, index):
    shares = share_pixels(index, prepared.tabulate_pixels(), ["class 0", "class 1", "class 2"])
    assert shares["train"].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert shares["validation"].tolist() == pytest.approx([2 / 7, 1 / 7, 4 / 7])
    assert list(shares) == ["train", "validation"]


def test_sizes_are_counted_by_split(index):
    sizes = count_sizes(index)
    assert list(sizes.index) == ["10 x 30", "20 x 30"]  # nothing of the scene that can't be used
    assert sizes.loc["20 x 30"].to_dict() == {"train": 1, "validation": 1, UNSPLIT: 1}
    assert sizes.loc["10 x 30"].to_dict() == {"train": 0, "validation": 1, UNSPLIT: 0}


def test_faults_are_counted_by_kind_and_outcome(prepared):
    assert count_faults(prepared.tabulate_faults()).to_dict("index") == {
        "empty polygon": {"used": 2, "left out": 0},
        "image broken": {"used": 0, "left out": 1},
        "vertex outside the frame": {"used": 1, "left out": 0},
    }


def test_no_faults_are_an_empty_count(in_memory):
    counts = count_faults(in_memory({"a_1": scene(EVEN, (2, 2))}).tabulate_faults())
    assert counts.empty
    assert list(counts) == ["used", "left out"]


def page(prepared, split=SPLIT):
    return write_data_report(
        prepared, prepared.tabulate(), prepared.tabulate_pixels(), split, Palette(prepared.classes)
    )


def section(html, title):
    return re.search(rf"<h2>{title}</h2>(.*?)(<h2>|</body>)", html, re.DOTALL)[1]


def test_page_has_a_section_for_each_question(prepared):
    html = page(prepared)
    titles = re.findall("<h2>(.*?)</h2>", html)
    assert titles == [
        "Scenes",
        "Pixels of each class",
        "Classes that a split lacks",
        "Sizes of the raw images",
        "Scenes per drive",
        "Faults",
        "Faults, scene by scene",
        "Drives in more than one split",
        "Equal images in more than one split",
        "Pictures: train",
        "Pictures: validation",
    ]
    assert UNSPLIT in section(html, "Scenes")
    assert "train: class 2" in section(html, "Classes that a split lacks")
    assert "66.67%" in section(html, "Pixels of each class")
    assert "rgb(128, 64, 18)" in section(html, "Pixels of each class")
    assert "4 rows" in section(html, "Faults, scene by scene")


def test_text_from_the_data_set_cannot_break_the_page(prepared):
    assert "&lt;cut&gt; off" in page(prepared)
    assert "<cut>" not in page(prepared)


def test_shared_drives_and_equal_images_are_named(prepared):
    for row in prepared.rows[:3]:
        row["image_hash"] = "77"
    split = SPLIT.assign(drive=["a", "a", "b"])
    html = page(prepared, split)
    assert "a: train, validation" in section(html, "Drives in more than one split")
    assert [name in section(html, "Equal images in more than one split") for name in ("a_1", "b_1", "b_2")] == [
        True
    ] * 3


def test_what_there_is_none_of_says_so(prepared):
    html = page(prepared)
    for title in ("Drives in more than one split", "Equal images in more than one split"):
        assert "none" in section(html, title)


def test_pictures_show_the_scenes_of_a_split_with_their_labels(prepared):
    encoded = re.search('base64,(.*?)"', section(page(prepared), "Pictures: validation"))[1]
    sheet = np.asarray(Image.open(BytesIO(base64.b64decode(encoded, validate=True))))
    assert sheet.shape == (304, 4 * 304, 3)
    # The image is 200 all over; class 2 is (70, 130, 180): half of each.
    assert np.abs(sheet[100:200, 100:200].astype(int) - (135, 165, 190)).max() <= 3
    assert (sheet[100:200, 800:] > 250).all()


def test_long_tables_are_cut_and_say_so(prepared, monkeypatch):
    monkeypatch.setattr("roadseg.reporting.data_report.LONGEST", 3)
    table = section(page(prepared), "Faults, scene by scene")
    assert "and 1 more" in table
    assert table.count("<tr") == 1 + 3
