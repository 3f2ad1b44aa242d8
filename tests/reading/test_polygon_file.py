import json

import numpy as np
import pytest

from roadseg.errors import FileError
from roadseg.reading.polygon_file import read_polygons
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

SIZE = (2, 6)
LABELS = {"road": "road", "car": "car", "polegroup": "polegroup", "pole": "pole", "ground": "soil", "plate": None}


def square(left, right, bottom=1):
    return [[left, 0], [right, 0], [right, bottom], [left, bottom]]


def write(folder, *objects, **changes):
    """Writes a polygon file of (label, points) and what else an object holds."""
    content = {
        "imgHeight": SIZE[0],
        "imgWidth": SIZE[1],
        "objects": [
            {"label": label, "polygon": points, **(more[0] if more else {})} for label, points, *more in objects
        ],
    }
    path = folder / "a_polygons.json"
    path.write_text(json.dumps(content | changes))
    return path


def read_row(path, labels=LABELS, image_size=SIZE):
    """Returns the names of the pixels of the first row, and the faults."""
    label_map, names, faults = read_polygons(path, labels, image_size)
    return [names[raw_id] for raw_id in label_map[0].tolist()], faults


def test_label_map_has_the_size_in_the_file_and_later_objects_on_top(tmp_path):
    path = write(tmp_path, ("road", square(0, 4)), ("car", square(3, 5, bottom=0)))
    label_map, names, faults = read_polygons(path, LABELS, SIZE)
    assert (label_map.dtype, label_map.shape, faults) == (np.uint8, SIZE, [])
    rows = [" ".join(names[raw_id] for raw_id in row) for row in label_map.tolist()]
    assert rows == ["road road road car car car", "road road road road road unlabeled"]


def test_order_is_that_of_the_file(tmp_path):
    road, car = ("road", square(0, 5)), ("car", square(0, 1))
    assert read_row(write(tmp_path, road, car))[0] == ["car"] * 2 + ["road"] * 4
    assert read_row(write(tmp_path, car, road))[0] == ["road"] * 6


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("car", "car"),
        ("cargroup", "car"),
        ("pole", "pole"),
        ("polegroup", "polegroup"),
        ("polegroupgroup", "polegroup"),
        ("ground", "soil"),
        ("groundgroup", "soil"),
        ("plate", "unlabeled"),
        ("plategroup", "unlabeled"),
        ("hole", "hole"),
        ("holegroup", "holegroup"),
        ("group", "group"),
        ("Car", "Car"),
        ("car ", "car "),
        ("", ""),
    ],
)
def test_names_of_labels(tmp_path, label, name):
    assert read_row(write(tmp_path, (label, square(0, 5)))) == ([name] * 6, [])


@pytest.mark.parametrize("label", ["car", "cargroup", "polegroup", "anything at all"])
def test_without_labels_each_is_taken_as_it_is(tmp_path, label):
    assert read_row(write(tmp_path, (label, square(0, 5))), labels=None)[0] == [label] * 6


def test_object_that_is_not_drawn_covers_nothing(tmp_path):
    path = write(tmp_path, ("car", square(0, 3)), ("plate", square(1, 2)))
    assert read_row(path)[0] == ["car"] * 4 + ["unlabeled"] * 2


@pytest.mark.parametrize(("deleted", "drawn"), [(0, True), (1, False), (False, True), (True, False)])
def test_deleted_objects_are_passed_over_whatever_is_wrong_with_them(tmp_path, deleted, drawn):
    road = ("road", square(0, 5), {"deleted": 0})
    row, faults = read_row(write(tmp_path, road, ("car", square(0, 5), {"deleted": deleted})))
    assert (row, faults) == (["car" if drawn else "road"] * 6, [])
    row, faults = read_row(write(tmp_path, road, ("car", [], {"deleted": deleted})))
    assert (row, len(faults)) == (["road"] * 6, int(drawn))


def test_what_else_a_file_holds_is_passed_over(tmp_path):
    more = {"draw": True, "verified": 0, "id": 3, "user": "x", "date": None, "deleted": 0}
    assert read_row(write(tmp_path, ("road", square(0, 5), more), version=2)) == (["road"] * 6, [])


def test_empty_polygons_and_those_of_one_or_two_points_are_noted_and_not_drawn(tmp_path):
    objects = [("road", square(0, 5)), ("pole", []), ("car", [[0, 0]]), ("car", [[0, 0], [5, 0]]), ("wall", [[0, 0]])]
    assert read_row(write(tmp_path, *objects, ("car", []), ("car", []))) == (
        ["road"] * 6,
        [
            Fault(FaultKind.EMPTY_POLYGON, "2 car, 1 pole"),
            Fault(FaultKind.SHORT_POLYGON, "2 car, 1 wall"),
        ],
    )


@pytest.mark.parametrize("point", [[-0.5, 0], [6.5, 0], [0, -1], [0, 2.01], [-300, 5000]])
def test_vertex_outside_is_noted_and_drawn(tmp_path, point):
    row, faults = read_row(write(tmp_path, ("road", [*square(0, 5), point])))
    assert (row, faults) == (["road"] * 6, [Fault(FaultKind.VERTEX_OUTSIDE, "1 road")])


@pytest.mark.parametrize("point", [[0, 0], [6, 0], [0, 2], [6, 2], [5.999, 1.5]])
def test_vertex_on_the_border_is_no_fault(tmp_path, point):
    assert read_row(write(tmp_path, ("road", [*square(0, 5), point])))[1] == []


@pytest.mark.parametrize("objects", [[], [("road", square(0, 5), {"deleted": 1})]])
def test_file_without_objects_is_background(tmp_path, objects):
    assert read_row(write(tmp_path, *objects)) == (
        ["unlabeled"] * 6,
        [Fault(FaultKind.NO_OBJECTS, "all of it is unlabeled")],
    )


@pytest.mark.parametrize("image_size", [(4, 12), (6, 2), (2, 7)])
def test_image_of_another_size_is_noted(tmp_path, image_size):
    row, faults = read_row(write(tmp_path, ("road", square(0, 5))), image_size=image_size)
    assert (len(row), [fault.kind for fault in faults]) == (6, [FaultKind.OTHER_SIZE])
    assert "(2, 6)" in faults[0].detail
    assert str(image_size) in faults[0].detail


def test_all_faults_of_a_file_are_noted(tmp_path):
    path = write(tmp_path, ("road", []), ("car", [[0, 0]]), ("pole", square(0, 99)))
    assert {fault.kind for fault in read_row(path, image_size=(1, 1))[1]} == {
        FaultKind.EMPTY_POLYGON,
        FaultKind.SHORT_POLYGON,
        FaultKind.VERTEX_OUTSIDE,
        FaultKind.OTHER_SIZE,
    }


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.99])
def test_cut_off_file_is_named(tmp_path, share):
    path = write(tmp_path, ("road", square(0, 5)), ("car", square(2, 3)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnusableSceneError) as error:
        read_polygons(path, LABELS, SIZE)
    assert error.value.fault.kind is FaultKind.ANNOTATION_BROKEN
    assert f"'{path}': Invalid JSON" in error.value.fault.detail


@pytest.mark.parametrize(
    "content", [b"road", b"\xff\xfe\x00{", b"{'imgHeight': 2}", b'{"imgHeight": 2,}', b"[" * 100_000, b"\x89PNG\r\n"]
)
def test_file_that_is_no_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UnusableSceneError, match=rf"^annotation broken: '{path}': (Invalid JSON|no text in UTF-8)"):
        read_polygons(path, LABELS, SIZE)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"imgHeight": None}, "imgHeight"),
        ({"imgWidth": 0}, "imgWidth"),
        ({"imgWidth": -6}, "imgWidth"),
        ({"imgHeight": 2.5}, "imgHeight"),
        ({"imgHeight": 10**9}, "imgHeight"),
        ({"imgHeight": "tall"}, "imgHeight"),
        ({"objects": None}, "objects"),
        ({"objects": {"label": "road"}}, "objects"),
        ({"objects": ["road"]}, "objects.0"),
        ({"objects": [{"label": "road"}]}, "objects.0.polygon"),
        ({"objects": [{"polygon": []}]}, "objects.0.label"),
        ({"objects": [{"label": 7, "polygon": []}]}, "objects.0.label"),
        ({"objects": [{"label": None, "polygon": []}]}, "objects.0.label"),
        ({"objects": [{"label": "road", "polygon": None}]}, "objects.0.polygon"),
        ({"objects": [{"label": "road", "polygon": [1, 2]}]}, "objects.0.polygon.0"),
        ({"objects": [{"label": "road", "polygon": [[1, 2], [1]]}]}, "objects.0.polygon.1"),
        ({"objects": [{"label": "road", "polygon": [[1, 2, 3]]}]}, "objects.0.polygon.0"),
        ({"objects": [{"label": "road", "polygon": [[1, "left"]]}]}, "objects.0.polygon.0.1"),
        ({"objects": [{"label": "road", "polygon": [[1, None]]}]}, "objects.0.polygon.0.1"),
        ({"objects": [{"label": "road", "polygon": [[float("nan"), 1]]}]}, "objects.0.polygon.0.0"),
        ({"objects": [{"label": "road", "polygon": [[1, float("inf")]]}]}, "objects.0.polygon.0.1"),
        ({"objects": [{"label": "road", "polygon": [[1, -1e300]]}]}, "objects.0.polygon.0.1"),
        ({"objects": [{"label": "road", "polygon": [], "deleted": "perhaps"}]}, "objects.0.deleted"),
    ],
)
def test_file_of_another_form_is_named_with_the_place(tmp_path, changes, place):
    path = write(tmp_path, ("road", square(0, 5)), **changes)
    with pytest.raises(UnusableSceneError) as error:
        read_polygons(path, LABELS, SIZE)
    assert error.value.fault.kind is FaultKind.ANNOTATION_BROKEN
    assert error.value.fault.detail.startswith(f"'{path}': ")
    assert f" at {place}" in error.value.fault.detail


@pytest.mark.parametrize("missing", ["imgHeight", "imgWidth", "objects"])
def test_file_that_lacks_a_part_is_named_with_it(tmp_path, missing):
    path = write(tmp_path, ("road", square(0, 5)))
    content = json.loads(path.read_text())
    del content[missing]
    path.write_text(json.dumps(content))
    with pytest.raises(UnusableSceneError, match=rf"annotation broken: .* at {missing}$"):
        read_polygons(path, LABELS, SIZE)


def test_file_of_too_many_labels_is_named(tmp_path):
    path = write(tmp_path, *((f"label {number}", square(0, 5)) for number in range(256)))
    with pytest.raises(UnusableSceneError, match=rf"^annotation broken: '{path}': one scene may hold 255 labels"):
        read_polygons(path, LABELS, SIZE)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=rf"'{tmp_path}/a.json' can't be read: No such file"):
        read_polygons(tmp_path / "a.json", LABELS, SIZE)
