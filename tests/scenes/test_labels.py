import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from roadseg.scenes.labels import VOID, LabelSpace, find_class_ids, remap_label_map

RAW_NAMES = {0: "sky", 1: "road", 3: "car", 6: "blur", 7: "moon"}


def label_space(**changes):
    classes = [
        {"name": "ground", "colour": (128, 64, 18), "raw": ("road", "parking")},
        {"name": "rest", "colour": (0, 0, 230), "raw": ("car", "sky")},
    ]
    return LabelSpace.model_validate({"classes": classes, "void": ("blur",)} | changes)


def remap(raw_label_map, raw_names=RAW_NAMES):
    return remap_label_map(raw_label_map, raw_names, label_space())


def classes_of(*raw):
    return [{"name": f"class {index}", "colour": (0, 0, 0), "raw": names} for index, names in enumerate(raw)]


def test_class_ids_are_the_positions_of_the_classes_and_void():
    assert label_space().class_ids == {"road": 0, "parking": 0, "car": 1, "sky": 1, "blur": VOID}


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ValidationError, match="at least 1 character"):
        label_space(classes=[*classes_of(["road"]), {"name": "", "colour": (0, 0, 0), "raw": ["sky"]}])


def test_names_in_a_table_become_ids_and_other_names_are_refused():
    assert find_class_ids(pd.Series(["sky", "NA", "sky"]), ["NA", "sky"]).tolist() == [1, 0, 1]
    assert find_class_ids(pd.Series([], dtype="str"), ["NA"]).tolist() == []
    with pytest.raises(ValueError, match=r"the classes are \['NA'\], received a table that names \['car', 'sky'\]"):
        find_class_ids(pd.Series(["sky", "NA", "car"]), ["NA"])


def test_classes_follow_the_names_not_the_ids():
    label_map, unknown = remap_label_map(np.array([[0, 1, 2]]), {0: "blur", 1: "car", 2: "road"}, label_space())
    assert label_map.tolist() == [[VOID, 1, 0]]
    assert unknown == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_label_map_is_remapped_pixel_by_pixel(dtype):
    raw = np.array([[0, 1, 3], [6, 6, 1]], dtype)
    label_map, unknown = remap(raw)
    assert unknown == []
    assert label_map.dtype == np.uint8
    assert label_map.tolist() == [[1, 0, 1], [255, 255, 0]]
    assert raw.tolist() == [[0, 1, 3], [6, 6, 1]]


def test_ids_of_16_bits_keep_their_high_byte():
    # 260 and 4 differ in the high byte alone.
    label_map, _ = remap(np.array([[260, 4]], np.uint16), {4: "road", 260: "car"})
    assert label_map.tolist() == [[1, 0]]


@pytest.mark.parametrize(("raw_id", "named"), [(7, "moon"), (2, "id 2"), (8, "id 8"), (65535, "id 65535")])
def test_unknown_raw_label_is_void_and_named(raw_id, named):
    label_map, unknown = remap(np.array([[0, raw_id]], np.uint16))
    assert label_map.tolist() == [[1, VOID]]
    assert unknown == [named]


def test_unknown_raw_labels_are_named_once_in_the_order_of_their_ids():
    assert remap(np.array([[7, 2, 0, 7]], np.uint8))[1] == ["id 2", "moon"]


def test_unknown_label_that_does_not_occur_does_no_harm():
    label_map, unknown = remap(np.array([[0]], np.uint8))
    assert (label_map.tolist(), unknown) == ([[1]], [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": classes_of(("road",), ("car", "road"))}, r"each raw class may occur once .*\['road'\]"),
        ({"classes": classes_of(("road", "road"), ("car",))}, r"\['road'\]"),
        ({"void": ("blur", "sky")}, r"each raw class may occur once .*\['sky'\]"),
        ({"void": ("blur", "blur")}, r"\['blur'\]"),
        (
            {"classes": [{"name": "ground", "colour": (0, 0, 0), "raw": ()}] * 2},
            r"each class may occur once .*\['ground'\]",
        ),
    ],
)
def test_name_that_stands_twice_is_refused_by_name(changes, words):
    with pytest.raises(ValidationError, match=words):
        label_space(**changes)


@pytest.mark.parametrize("count", [0, 1, 256])
def test_impossible_number_of_classes_is_refused(count):
    with pytest.raises(ValidationError):
        label_space(classes=classes_of(*[()] * count))


@pytest.mark.parametrize("count", [2, 255])
def test_two_to_255_classes_are_possible(count):
    assert len(label_space(classes=classes_of(*[()] * count)).classes) == count


@pytest.mark.parametrize("colour", [(0, 0, 256), (-1, 0, 0), (0, 0), (0, 0, 0, 0)])
def test_colour_is_three_integers_of_8_bits(colour):
    with pytest.raises(ValidationError):
        label_space(classes=[{"name": str(index), "colour": colour, "raw": ()} for index in range(2)])


def test_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="voids"):
        label_space(voids=())
