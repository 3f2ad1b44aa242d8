import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from roadseg.errors import FileError
from roadseg.reading.labelme_file import read_labelme
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

SIZE = (4, 6)


def shape(label, points, kind="polygon", **more):
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def square(left, right, bottom=3):
    return [[left, 0], [right, 0], [right, bottom], [left, bottom]]


def mask_of(rows):
    content = io.BytesIO()
    Image.fromarray(np.array(rows, bool)).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def write(folder, *shapes, size=SIZE, **changes):
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "..\\images\\a.jpg",
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }
    path = folder / "a.json"
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def draw(path, labels=None, image_size=SIZE):
    """Returns the first letter of the name of each pixel, row by row, and the faults."""
    label_map, names, faults = read_labelme(path, labels, image_size)
    return ["".join(names[raw_id][0] for raw_id in row) for row in label_map.tolist()], faults


@pytest.mark.parametrize(
    ("each", "rows"),
    [
        (shape("road", square(1, 3, 2)), ["urrruu", "urrruu", "urrruu", "uuuuuu"]),
        (shape("road", square(1, 3, 2), None), ["urrruu", "urrruu", "urrruu", "uuuuuu"]),
        (shape("road", [[4, 2], [1, 1]], "rectangle"), ["uuuuuu", "urrrru", "urrrru", "uuuuuu"]),
        (shape("road", [[1, 1], [4, 1], [4, 2], [1, 2]], "rectangle"), ["uuuuuu", "urrrru", "urrrru", "uuuuuu"]),
        (
            shape("road", [[1, 1], [4, 1], [4, 2], [1, 2]], "oriented_rectangle"),
            ["uuuuuu", "urrrru", "urrrru", "uuuuuu"],
        ),
        (shape("road", [[2, 2], [2, 1]], "circle"), ["uuuuuu", "uuruuu", "urrruu", "uuruuu"]),
        (
            shape("road", [[1, 1], [3, 2]], "mask", mask=mask_of([[1, 0, 1], [0, 1, 0]])),
            ["uuuuuu", "ururuu", "uuruuu", "uuuuuu"],
        ),
    ],
    ids=["polygon", "no type", "rectangle", "rectangle of four", "oriented", "circle", "mask"],
)
def test_shapes_are_drawn(tmp_path, each, rows):
    assert draw(write(tmp_path, each)) == (rows, [])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_coordinate_that_is_no_number_is_named(tmp_path, value):
    with pytest.raises(UnusableSceneError) as error:
        draw(write(tmp_path, shape("road", [[value, 0], [1, 1], [2, 0]])))
    assert error.value.fault.detail == (
        f"'{tmp_path}/a.json': Input should be a finite number, received {value} at shapes.0.points.0.0"
    )


def test_mask_beyond_the_frame_ends_at_the_border(tmp_path):
    path = write(tmp_path, shape("road", [[4, 3], [7, 4]], "mask", mask=mask_of([[1, 1, 1], [1, 1, 1]])))
    assert draw(path) == (["uuuuuu"] * 3 + ["uuuurr"], [Fault(FaultKind.VERTEX_OUTSIDE, "1 road")])


@pytest.mark.parametrize(
    ("kind", "points", "thick"),
    [("line", [[20, 5], [20, 35]], 10), ("linestrip", [[20, 5], [20, 20], [20, 35]], 10), ("point", [[20, 20]], 11)],
)
def test_lines_are_ten_pixels_wide_and_points_discs_of_radius_five(tmp_path, kind, points, thick):
    path = write(tmp_path, shape("road", points, kind), size=(40, 40))
    rows, faults = draw(path, image_size=(40, 40))
    assert (rows[20].count("r"), faults) == (thick, [])


def test_later_shapes_lie_on_top(tmp_path):
    road, car = shape("road", square(0, 5)), shape("car", square(2, 3), group_id=1)
    assert draw(write(tmp_path, road, car))[0] == ["rrccrr"] * 4
    assert draw(write(tmp_path, car, road))[0] == ["rrrrrr"] * 4


def test_labels_are_translated_and_those_without_a_name_not_drawn(tmp_path):
    path = write(tmp_path, shape("road", square(0, 5)), shape("car", square(0, 1)), shape("plate", square(4, 5)))
    assert draw(path, labels={"car": "vehicle", "plate": None})[0] == ["vvrrrr"] * 4


@pytest.mark.parametrize("changes", [{"imageHeight": None, "imageWidth": None}, {}])
def test_file_without_a_size_has_that_of_the_image(tmp_path, changes):
    path = write(tmp_path, shape("road", square(0, 5)), **changes)
    content = json.loads(path.read_text())
    if not changes:
        del content["imageHeight"], content["imageWidth"]
    path.write_text(json.dumps(content))
    assert draw(path) == (["rrrrrr"] * 4, [])


def test_what_is_wrong_with_shapes_is_noted(tmp_path):
    shapes = [
        shape("road", square(0, 5)),
        shape("car", []),
        shape("car", [[0, 0], [5, 5]]),
        shape("van", [[1, 1]], "circle"),
        shape("sky", [[0, 0], [7, 1]], "rectangle"),
        shape("tree", [], "mask"),
    ]
    rows, faults = draw(write(tmp_path, *shapes), image_size=(8, 12))
    assert rows == ["ssssss"] * 2 + ["rrrrrr"] * 2
    assert faults == [
        Fault(FaultKind.OTHER_SIZE, "(4, 6), the image has (8, 12)"),
        Fault(FaultKind.EMPTY_POLYGON, "1 car, 1 tree"),
        Fault(FaultKind.SHORT_POLYGON, "1 car, 1 van"),
        Fault(FaultKind.VERTEX_OUTSIDE, "1 car, 1 sky"),
    ]


def test_file_without_shapes_is_background(tmp_path):
    assert draw(write(tmp_path)) == (["uuuuuu"] * 4, [Fault(FaultKind.NO_OBJECTS, "all of it is unlabeled")])


@pytest.mark.parametrize(
    ("each", "words"),
    [
        (shape("road", square(0, 5), "cube"), "at shapes.0.shape_type"),
        (shape(7, square(0, 5)), "at shapes.0.label"),
        (shape("road", [[0, "left"]]), "at shapes.0.points.0.1"),
        (shape("road", [[0, 0], [1, 1]], "mask"), "a shape of the type mask has no mask"),
        (shape("road", [[0, 0], [1, 1]], "mask", mask="no base64!"), "the mask of a shape is no picture"),
        (shape("road", [[0, 0], [1, 1]], "mask", mask="aGVsbG8="), "the mask of a shape is no picture"),
        (shape("road", [[0, 0], [1, 1]], "mask", mask="größe"), "the mask of a shape is no picture"),
        (shape("road", [[0, 0], [9e5, 0]], "circle"), "a circle has a radius of 900000 pixels, expected 32768 at most"),
    ],
)
def test_shape_that_is_broken_is_named_with_the_file(tmp_path, each, words):
    path = write(tmp_path, each)
    with pytest.raises(UnusableSceneError) as error:
        draw(path)
    assert error.value.fault.kind is FaultKind.ANNOTATION_BROKEN
    assert error.value.fault.detail.startswith(f"'{path}': ")
    assert words in error.value.fault.detail


@pytest.mark.parametrize("content", [b"", b"no json", b'{"imgHeight": 4, "imgWidth": 6, "objects": []}'])
def test_file_of_another_form_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UnusableSceneError, match=rf"^annotation broken: '{path}': "):
        draw(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=rf"'{tmp_path}/a.json' can't be read"):
        draw(tmp_path / "a.json")
