import numpy as np
import pandas as pd
import pytest

from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.prepared import PreparedScene, PreparedScenes, content_digest, digest_each


def prepared(label_map, raw_size=(4, 6), faults=()):
    label_map = None if label_map is None else np.array(label_map, np.uint8)
    return PreparedScene(np.zeros((2, 2, 3), np.uint8), label_map, raw_size, faults)


UNUSABLE = {
    "scene": "c_1",
    "drive": "c",
    "published_split": "train",
    "usable": False,
    "faults": [["image broken", "cut off"]],
    **dict.fromkeys(("height", "width", "pixels", "image_hash", "image", "label_map")),
}


def with_unusable(scenes):
    """Returns scenes and one more that can't be used."""
    manifest = scenes.manifest
    return PreparedScenes({**manifest, "scenes": [*manifest["scenes"], UNUSABLE]}, scenes._read)


@pytest.fixture
def scenes(in_memory):
    return in_memory({"a_1": prepared([[0, 0], [2, 255]]), "b_1": prepared(None, (10, 20))})


def test_prepared_scenes_are_a_mapping_that_reads_when_asked():
    read = []
    manifest = {
        "classes": [{"name": "road", "colour": [1, 2, 3]}],
        "image_size": [2, 4],
        "scenes": [{"scene": "b", "usable": True}, {"scene": "a", "usable": True}],
    }
    scenes = PreparedScenes(manifest, lambda row: read.append(row["scene"]) or row["scene"].upper())
    assert (list(scenes), len(scenes)) == (["b", "a"], 2)
    assert scenes.image_size == (2, 4)
    assert [(each.name, each.colour) for each in scenes.classes] == [("road", (1, 2, 3))]
    assert not read
    assert scenes["a"] == "A"
    assert read == ["a"]


def test_unknown_scene_is_a_key_error(scenes):
    with pytest.raises(KeyError, match="c_1"):
        scenes["c_1"]


def test_pair_is_image_and_label_map(scenes):
    image, label_map = scenes.read_pair("a_1")
    assert image.shape == (2, 2, 3)
    assert label_map.tolist() == [[0, 0], [2, 255]]


def test_pair_of_a_scene_without_labels_is_refused_by_name(scenes):
    with pytest.raises(ValueError, match="scene 'b_1' has no labels"):
        scenes.read_pair("b_1")


def test_scene_that_cannot_be_used_is_not_among_the_scenes(scenes):
    more = with_unusable(scenes)
    assert list(more) == ["a_1", "b_1"]
    assert "c_1" not in more
    assert more.digest != scenes.digest


def test_scenes_are_tabulated_one_a_row(scenes):
    table = with_unusable(scenes).tabulate()
    expected = pd.DataFrame(
        {
            "scene": ["a_1", "b_1", "c_1"],
            "drive": ["a", "b", "c"],
            "published_split": [None, None, "train"],
            "usable": [True, True, False],
            "labelled": [True, False, False],
            "faults": [None, None, "image broken (cut off)"],
            "height": pd.array([4, 10, None], "Int64"),
            "width": pd.array([6, 20, None], "Int64"),
            "image_hash": pd.array([None, None, None], "str"),
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_pixels_are_tabulated_a_row_for_each_class_that_a_scene_holds(scenes):
    table = with_unusable(scenes).tabulate_pixels()
    expected = {"scene": "a_1", "drive": "a", "class": ["class 0", "class 2"], "pixels": [2, 1]}
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected))


def test_scene_of_void_alone_counts_as_unlabelled(in_memory):
    assert in_memory({"a_1": prepared([[255, 255], [255, 255]])}).tabulate()["labelled"].tolist() == [False]


def test_faults_are_tabulated_one_a_row(in_memory):
    faults = (Fault(FaultKind.EMPTY_POLYGON, "2 pole"), Fault(FaultKind.NO_OBJECTS, ""))
    table = with_unusable(in_memory({"a_1": prepared([[0, 0], [0, 0]], faults=faults)})).tabulate_faults()
    assert table.fillna("-").to_numpy().tolist() == [
        ["a_1", "a", "-", True, "empty polygon", "2 pole"],
        ["a_1", "a", "-", True, "no objects", "-"],
        ["c_1", "c", "train", False, "image broken", "cut off"],
    ]
    assert list(table.columns) == ["scene", "drive", "published_split", "usable", "kind", "detail"]


def test_table_of_no_faults_has_its_columns(scenes):
    table = scenes.tabulate_faults()
    assert table.empty
    assert list(table.columns) == ["scene", "drive", "published_split", "usable", "kind", "detail"]


def test_digest_is_equal_for_equal_content_and_follows_each_scene(in_memory):
    content = {"a_1": prepared([[0, 0], [2, 255]]), "b_1": prepared(None)}
    assert in_memory(content).digest == in_memory(dict(content)).digest
    assert in_memory(content | {"b_1": prepared([[0, 0], [0, 0]])}).digest != in_memory(content).digest
    assert in_memory({"a_1": content["a_1"]}).digest != in_memory(content).digest


def test_content_digest_is_the_start_of_sha_256_with_sorted_keys():
    # printf '{"a": 1, "b": [2, null]}' | sha256sum
    assert content_digest({"b": (2, None), "a": 1}) == "c8caf5ad035ad1d6"


def test_digests_of_many_contents_with_one_end_are_the_content_digests():
    # printf '["1:1 \\u8857", 2, [240, 480], {"b": 1}]' | sha256sum
    assert list(digest_each(["1:1 街", "x"], [2, (240, 480), {"b": 1}])) == [
        "1c0af79a58ed053f",
        content_digest(["x", 2, [240, 480], {"b": 1}]),
    ]
    assert list(digest_each(["x"], [])) == [content_digest(["x"])]
