import numpy as np
import pytest
from kedro.io import DatasetError
from pydantic import ValidationError

from roadseg.datasets.drawn import DrawnScenesDataset
from roadseg.drawing import drawn_scenes
from roadseg.drawing.scene import RAW_CLASSES, DrawingOptions, draw_scene

SIZE = (32, 64)


def load(**changes):
    return DrawnScenesDataset(**({"drives": 2, "frames_per_drive": 3, "size": SIZE, "seed": 1} | changes)).load()


def test_scenes_are_frames_of_drives():
    scenes = load()
    assert list(scenes) == [f"drive{drive:02}_frame{frame:02}" for drive in range(2) for frame in range(3)]
    assert [record.drive for record in scenes.records.values()] == ["drive00"] * 3 + ["drive01"] * 3
    assert {record.published_split for record in scenes.records.values()} == {None}
    assert next(iter(scenes.values())).raw_names == RAW_CLASSES


def test_size_from_yaml_is_a_list():
    assert load(size=[32, 64]).records == load(size=(32, 64)).records


def test_scene_is_drawn_when_it_is_asked_for():
    scene = load()["drive01_frame02"]
    expected = draw_scene(DrawingOptions(drives=2, frames_per_drive=3, size=SIZE, seed=1), 1, 2)
    np.testing.assert_array_equal(scene.image, expected.image)
    np.testing.assert_array_equal(scene.label_map, expected.label_map)
    assert scene.image.shape == (32, 64, 3)


def test_ids_sort_in_order_beyond_a_hundred_frames():
    assert len(set(load(frames_per_drive=101))) == 202


@pytest.mark.parametrize("change", [{"seed": 2}, {"size": [32, 66]}])
def test_fingerprint_follows_what_is_drawn(change):
    before, after = load().records["drive00_frame00"], load(**change).records["drive00_frame00"]
    assert before.fingerprint != after.fingerprint
    assert before.fingerprint == load().records["drive00_frame00"].fingerprint


def test_fingerprint_does_not_follow_the_number_of_drives():
    assert load(drives=5).records["drive00_frame00"] == load().records["drive00_frame00"]


def test_fingerprint_follows_the_version_of_the_drawing(monkeypatch):
    before = load().records
    monkeypatch.setattr(drawn_scenes, "DRAWING_VERSION", drawn_scenes.DRAWING_VERSION + 1)
    assert load().records["drive00_frame00"].fingerprint != before["drive00_frame00"].fingerprint


def test_unknown_scene_is_a_key_error():
    with pytest.raises(KeyError, match="drive02_frame00"):
        load()["drive02_frame00"]


@pytest.mark.parametrize("change", [{"drives": 0}, {"seed": "1"}, {"size": [1, 1]}, {"size": [32]}])
def test_impossible_options_are_refused(change):
    with pytest.raises(ValidationError):
        load(**change)


def test_drawn_scenes_exist_and_are_not_saved():
    dataset = DrawnScenesDataset(drives=1, frames_per_drive=1, size=SIZE, seed=1)
    assert dataset.exists()
    with pytest.raises(DatasetError, match="read only"):
        dataset.save(object())
