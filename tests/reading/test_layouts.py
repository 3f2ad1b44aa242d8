"""Every layout from its folder to prepared label maps, pixel by pixel, against Pillow and NumPy."""

import shutil

import numpy as np
import pytest

from data.table import DATA_SETS
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.reading.preparation import carry_out
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

VOID = 255
every_data_set = pytest.mark.parametrize("data_set", DATA_SETS.values(), ids=DATA_SETS)
every_label_space = pytest.mark.parametrize(
    ("data_set", "space"), [(each, space) for each in DATA_SETS.values() for space in each.classes], ids=str
)


def load(data_set, folder):
    return data_set.reader(filepath=str(folder)).load()


def nearest(label_map, size):
    """Returns the raw pixel whose centre is nearest to that of each prepared pixel; of two the later."""
    rows, columns = (
        ((np.arange(new) + 0.5) * raw / new).astype(int) for raw, new in zip(label_map.shape, size, strict=True)
    )
    return label_map[np.ix_(rows, columns)]


@every_data_set
def test_scenes_are_the_frames_in_their_drives_and_published_splits(data_set, draw):
    records = load(data_set, draw(data_set.name)).records
    expected = {scene: split for split, scenes in data_set.scenes.items() for scene in scenes}
    assert list(records) == sorted(expected)
    assert {scene: record.published_split for scene, record in records.items()} == expected
    drives = {scene: data_set.find_drive(scene) for scene in expected}
    assert {scene: record.drive for scene, record in records.items()} == drives


@every_data_set
def test_scenes_are_read_without_a_fault_and_each_pixel_has_its_name(data_set, draw):
    folder = draw(data_set.name)
    scenes = load(data_set, folder)
    assert len(scenes) == sum(map(len, data_set.scenes.values())) > 0
    for scene, read in scenes.items():
        assert read.faults == ()
        expected = data_set.read_names(folder, scene)
        if expected is None:
            assert read.label_map is None
            continue
        assert read.size == read.image.shape[:2] == read.label_map.shape == expected.shape
        ids = np.unique(read.label_map)
        named = np.array([read.raw_names[raw_id] for raw_id in ids.tolist()])
        np.testing.assert_array_equal(named[np.searchsorted(ids, read.label_map)], expected, err_msg=scene)


@every_label_space
def test_every_raw_class_is_drawn(data_set, space, draw):
    folder = draw(data_set.name)
    drawn = {name for scene in data_set.scenes["train"] for name in data_set.read_names(folder, scene).ravel().tolist()}
    assert drawn == set(data_set.classes[space])


@pytest.mark.parametrize("size", [(24, 48), (17, 23), (240, 480)])
@every_label_space
def test_prepared_label_maps_are_those_of_other_tools(data_set, space, size, draw, tmp_path):
    folder = draw(data_set.name)
    raw_scenes = load(data_set, folder)
    label_space = LabelSpaceDataset(name=space).load()
    ids = {each.name: index for index, each in enumerate(label_space.classes)} | {None: VOID}
    options = PrepareOptions(image_size=size, unknown_label="error", unusable_share=0.0, workers=1)
    plan = plan_preparation(raw_scenes, list(raw_scenes), label_space, options)
    scenes = carry_out(plan, SceneStoreDataset(filepath=f"{tmp_path}/store").load())
    labelled = {scene: each for scene, each in scenes.items() if each.label_map is not None}
    assert len(labelled) >= 6
    for scene, prepared in labelled.items():
        names = nearest(data_set.read_names(folder, scene), size)
        expected = np.vectorize(lambda raw: ids[data_set.classes[space][raw]])(names)
        np.testing.assert_array_equal(prepared.label_map, expected, err_msg=scene)
    assert len({int(each) for prepared in labelled.values() for each in np.unique(prepared.label_map)}) > 7


@every_data_set
def test_what_systems_leave_behind_is_no_scene_in_any_layout(data_set, draw):
    folder = draw(data_set.name)
    records = load(data_set, folder).records
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        for name in (f"._{path.name}", f"@eaDir/{path.name}", f".ipynb_checkpoints/{path.name}", ".DS_Store"):
            copy = path.parent / name
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
        beside = path.parent.with_name(f".{path.parent.name}")  # a hidden drive
        for copy in (
            folder / "__MACOSX" / path.relative_to(folder),
            folder / ".old" / path.relative_to(folder),
            beside / path.name,
        ):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    assert load(data_set, folder).records == records
