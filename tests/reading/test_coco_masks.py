import json
import re
import sys

import numpy as np
import pytest
from pycocotools import mask as mask_api
from pycocotools.coco import COCO

from roadseg.errors import RoadSegError
from roadseg.reading.coco_masks import read_coco
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

SIZE = (4, 6)
LEFT, RIGHT = [0, 0, 3, 0, 3, 4, 0, 4], [3, 0, 6, 0, 6, 4, 3, 4]


def draw(*objects, labels=None, image_size=SIZE, path="all.json", height=SIZE[0], width=SIZE[1]):
    """Returns the first letter of the name of each pixel of (label, segmentation), row by row, and the faults."""
    listed = [{"label": label, "segmentation": segmentation} for label, segmentation in objects]
    content = json.dumps({"height": height, "width": width, "objects": listed}).encode()
    label_map, names, faults = read_coco(path, content, labels, image_size)
    assert label_map.dtype == np.uint8
    return ["".join(names[raw_id][0] for raw_id in row) for row in label_map.tolist()], faults


def runs(rows):
    """Returns a mask as runs down its columns, the first of them of zeros."""
    pixels = "".join("".join(column) for column in zip(*rows, strict=True))
    counts = [len(run[0]) for run in re.finditer(r"0+|1+", pixels)]
    return {"size": [len(rows), len(rows[0])], "counts": counts if pixels[0] == "0" else [0, *counts]}


def compressed(rows):
    encoded = mask_api.encode(np.asfortranarray([[int(pixel) for pixel in row] for row in rows], np.uint8))
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}


ROWS = ["010010", "010010", "000011", "100001"]


@pytest.mark.parametrize("encode", [runs, compressed])
def test_masks_of_runs_are_drawn(encode):
    assert draw(("road", encode(ROWS))) == (
        ["".join("r" if pixel == "1" else "u" for pixel in row) for row in ROWS],
        [],
    )


def test_polygons_are_drawn_and_those_of_one_object_together():
    assert draw(("road", [LEFT])) == (["rrruuu"] * 4, [])
    assert draw(("road", [LEFT, [5, 0, 6, 0, 6, 4, 5, 4]])) == (["rrruur"] * 4, [])


def test_later_objects_lie_on_top():
    road, car = ("road", [[0, 0, 6, 0, 6, 4, 0, 4]]), ("car", runs(ROWS))
    assert draw(road, car)[0] == ["".join("c" if pixel == "1" else "r" for pixel in row) for row in ROWS]
    assert draw(car, road)[0] == ["rrrrrr"] * 4


def test_names_are_translated_and_those_without_one_not_drawn():
    objects = ("road", [LEFT]), ("car", [RIGHT]), ("plate", [LEFT])
    assert draw(*objects, labels={"car": "van", "plate": None})[0] == ["rrrvvv"] * 4


@pytest.mark.parametrize("side", [None, 0])
def test_size_that_is_unknown_is_that_of_the_image(side):
    assert draw(("road", [LEFT]), height=side, width=side) == (["rrruuu"] * 4, [])


def test_label_maps_are_those_of_the_official_tool(tmp_path):
    random = np.random.default_rng(3)
    annotations = []
    for number in range(40):
        polygons = [(random.uniform(0, 1, 2 * int(random.integers(3, 7))) * 48).round(2).tolist() for _ in range(2)]
        pixels = np.asfortranarray(random.integers(0, 2, (48, 64)), np.uint8)
        mask = {"size": [48, 64], "counts": mask_api.encode(pixels)["counts"].decode()}
        mask = mask if number % 8 == 0 else polygons
        annotations.append({"id": number + 1, "image_id": 1, "category_id": number % 5 + 1, "segmentation": mask})
    official = COCO()
    official.dataset = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 48, "width": 64}],
        "annotations": annotations,
        "categories": [{"id": number, "name": str(number)} for number in range(1, 6)],
    }
    official.createIndex()
    expected = np.zeros((48, 64), int)
    for each in official.loadAnns(official.getAnnIds(imgIds=1)):
        expected[official.annToMask(each) == 1] = each["category_id"]
    objects = ((str(each["category_id"]), each["segmentation"]) for each in annotations)
    rows, faults = draw(*objects, image_size=(48, 64), height=48, width=64)
    assert [[0 if letter == "u" else int(letter) for letter in row] for row in rows] == expected.tolist()
    assert faults == []


def test_what_is_wrong_with_objects_is_noted():
    objects = [
        ("road", [LEFT]),
        ("car", []),
        ("car", None),
        ("van", [[]]),
        ("van", [[1, 1, 2, 2], RIGHT]),
        ("sky", [[0, 0, 7, 0, 0, 1]]),
    ]
    rows, faults = draw(*objects, image_size=(8, 12))
    assert rows[1:] == ["rrrvvv"] * 3
    assert faults == [
        Fault(FaultKind.OTHER_SIZE, "(4, 6), the image has (8, 12)"),
        Fault(FaultKind.EMPTY_POLYGON, "2 car, 1 van"),
        Fault(FaultKind.SHORT_POLYGON, "1 van"),
        Fault(FaultKind.VERTEX_OUTSIDE, "1 sky"),
    ]


def test_image_without_objects_is_background():
    assert draw() == (["uuuuuu"] * 4, [Fault(FaultKind.NO_OBJECTS, "all of it is unlabeled")])


WRONG_NUMBER = "pixels, expected 24 of (4, 6)"


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ("here", "the segmentation of an object 'road': Input should be a valid list"),
        ([[0, 0, "left", 1, 2, 2]], "the segmentation of an object 'road': Input should be a valid number"),
        ([0, 0, 1, 1, 2, 2], "the segmentation of an object 'road': Input should be a valid list"),
        ([[0, 0, 1, 1, 2, 2, 3]], "a polygon of an object 'road' has an x without a y"),
        ([[0, 0, 1, 1, 2, 1e300]], "the segmentation of an object 'road': Input should be less than"),
        ({"size": [4, 6]}, "the segmentation of an object 'road': Field required at counts"),
        ({"size": [4, 6], "counts": None}, "the segmentation of an object 'road'"),
        ({"size": [4, 6], "counts": []}, f"0 {WRONG_NUMBER}"),
        ({"size": [4, 6], "counts": [3, 4]}, f"7 {WRONG_NUMBER}"),
        ({"size": [4, 6], "counts": [3, 22]}, f"25 {WRONG_NUMBER}"),
        ({"size": [4, 6], "counts": [3, 10**30]}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": [-3, 27]}, "the runs of a mask are broken"),
        ({"size": [6, 4], "counts": [3, 21]}, f"a mask of size (6, 4) has 24 {WRONG_NUMBER}"),
        ({"size": [4, 6], "counts": ""}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": "1"}, f"1 {WRONG_NUMBER}"),
        ({"size": [4, 6], "counts": "~~~zz{{"}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": "oooooooooooooooooo0"}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": "1o"}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": "ä"}, "the runs of a mask are broken"),
        ({"size": [4, 6], "counts": "4O"}, "the runs of a mask are broken"),
    ],
)
def test_segmentation_that_is_broken_is_named_with_the_file(segmentation, words):
    with pytest.raises(UnusableSceneError) as error:
        draw(("road", segmentation))
    assert error.value.fault.kind is FaultKind.ANNOTATION_BROKEN
    assert error.value.fault.detail.startswith("'all.json': ")
    assert words in error.value.fault.detail
    assert "\n" not in error.value.fault.detail


def test_compressed_runs_of_every_kind_are_counted():
    random = np.random.default_rng(5)
    for share in (0, 0.001, 0.01, 0.3, 0.5, 0.99, 1):
        pixels = np.asfortranarray(random.random((211, 173)) < share, np.uint8)
        counts = mask_api.encode(pixels)["counts"].decode()
        rows, _ = draw(("road", {"size": [211, 173], "counts": counts}), image_size=(211, 173), height=211, width=173)
        assert [[letter == "r" for letter in row] for row in rows] == pixels.astype(bool).tolist()


def test_missing_pycocotools_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(RoadSegError, match="COCO's form need pycocotools: pip install pycocotools"):
        draw(("road", [LEFT]))
