import numpy as np
import pandas as pd
import pytest

from roadseg.scenes.prepared import PreparedScene, PreparedScenes, content_digest


def prepared(label_map, raw_size=(4, 6)):
    return PreparedScene(
        np.zeros((2, 2, 3), np.uint8), None if label_map is None else np.array(label_map, np.uint8), raw_size
    )


@pytest.fixture
def scenes(in_memory):
    return in_memory({"a_1": prepared([[0, 0], [2, 255]]), "b_1": prepared(None, (10, 20))})


def test_prepared_scenes_are_a_mapping_that_reads_when_asked():
    read = []
    manifest = {
        "classes": [{"name": "road", "colour": [1, 2, 3]}],
        "image_size": [2, 4],
        "scenes": [{"scene": "b"}, {"scene": "a"}],
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


def test_scenes_are_tabulated_with_pixels_a_class(scenes):
    table = scenes.tabulate()
    expected = pd.DataFrame(
        {
            "scene": ["a_1", "b_1"],
            "drive": ["a", "b"],
            "published_split": [None, None],
            "height": [4, 10],
            "width": [6, 20],
            "labelled": [True, False],
            "pixels class 0": pd.array([2, None], "Int64"),
            "pixels class 1": pd.array([0, None], "Int64"),
            "pixels class 2": pd.array([1, None], "Int64"),
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_table_survives_a_csv_file(scenes, tmp_path):
    scenes.tabulate().to_csv(tmp_path / "index.csv", index=False)
    again = pd.read_csv(tmp_path / "index.csv")
    assert again["labelled"].tolist() == [True, False]
    assert again["labelled"].dtype == bool
    assert again["pixels class 0"].tolist()[0] == 2


def test_digest_is_equal_for_equal_content_and_follows_each_scene(in_memory):
    content = {"a_1": prepared([[0, 0], [2, 255]]), "b_1": prepared(None)}
    assert in_memory(content).digest == in_memory(dict(content)).digest
    assert in_memory(content | {"b_1": prepared([[0, 0], [0, 0]])}).digest != in_memory(content).digest
    assert in_memory({"a_1": content["a_1"]}).digest != in_memory(content).digest


def test_content_digest_is_the_start_of_sha_256_with_sorted_keys():
    # printf '{"a": 1, "b": [2, null]}' | sha256sum
    assert content_digest({"b": (2, None), "a": 1}) == "c8caf5ad035ad1d6"
