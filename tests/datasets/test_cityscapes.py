import json

import numpy as np
import pytest

from data.cityscapes import NAMES
from roadseg.datasets.cityscapes import CityscapesDataset
from roadseg.scenes.faults import FaultKind, UnusableSceneError

TRAIN = ["train/aachen/aachen_000000_000019", "train/aachen/aachen_000001_000019"]
TRAIN += ["train/bochum/bochum_000000_000313", "train/hamburg/hamburg_000000_000042"]
VALIDATION = ["val/munster/munster_000000_000019", "val/munster/munster_000001_000019"]
TEST = ["test/berlin/berlin_000000_000019"]
SCENE = TRAIN[0]


def load(folder):
    return CityscapesDataset(filepath=str(folder)).load()


def annotation_of(folder, kind, scene=SCENE):
    return folder / "gtFine" / f"{scene}_gtFine_{kind}"


def drop_label_maps(folder):
    for path in folder.rglob("*_labelIds.png"):
        path.unlink()


def write_polygons(folder, *objects):
    """Leaves SCENE a polygon file of (label, polygon) alone."""
    drop_label_maps(folder)
    described = [{"label": label, "polygon": polygon} for label, polygon in objects]
    content = {"imgHeight": 50, "imgWidth": 70, "objects": described}
    annotation_of(folder, "polygons.json").write_text(json.dumps(content))


def square(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def names_of(scene):
    return np.array([scene.raw_names[raw_id] for raw_id in scene.label_map.ravel().tolist()])


def test_scenes_can_be_read_without_a_fault(cityscapes_folder):
    scenes = load(cityscapes_folder)
    assert len(scenes) == 7
    for scene, read in scenes.items():
        assert (read.image.shape, read.size, read.faults) == ((50, 70, 3), (50, 70), ())
        assert read.raw_names == NAMES
        assert np.unique(read.label_map).tolist() == ([0, 1, 2, 3] if scene in TEST else [*range(34)])


def test_polygons_give_the_label_map_where_there_is_none(cityscapes_folder):
    whole = load(cityscapes_folder)
    expected = {scene: names_of(read) for scene, read in whole.items()}
    drop_label_maps(cityscapes_folder)
    scenes = load(cityscapes_folder)
    assert list(scenes) == list(expected)
    for scene, names in expected.items():
        np.testing.assert_array_equal(names_of(scenes[scene]), names)
        assert scenes[scene].faults == ()
        assert whole.records[scene].fingerprint != scenes.records[scene].fingerprint


def test_label_maps_come_before_polygons(cityscapes_folder):
    before = load(cityscapes_folder).records
    for path in cityscapes_folder.rglob("*_polygons.json"):
        path.write_text("broken")
    scenes = load(cityscapes_folder)
    assert np.unique(scenes[SCENE].label_map).size == 34
    assert scenes.records == before


def test_one_scene_may_have_polygons_where_the_others_have_label_maps(cityscapes_folder):
    annotation_of(cityscapes_folder, "labelIds.png").unlink()
    scenes = load(cityscapes_folder)
    assert scenes[SCENE].faults == ()
    assert set(names_of(scenes[SCENE])) == set(NAMES.values())


def test_missing_annotation_is_noted(cityscapes_folder):
    for kind in ("labelIds.png", "polygons.json"):
        annotation_of(cityscapes_folder, kind).unlink()
    scenes = load(cityscapes_folder)
    assert scenes[SCENE].label_map is None
    assert [fault.kind for fault in scenes[SCENE].faults] == [FaultKind.NO_ANNOTATION]


@pytest.mark.parametrize("label", ["license plate", "license plategroup"])
def test_license_plate_is_not_drawn(cityscapes_folder, label):
    write_polygons(cityscapes_folder, ("car", square(0, 0, 70, 50)), (label, square(10, 10, 20, 15)))
    assert set(names_of(load(cityscapes_folder)[SCENE])) == {"car"}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("ground", "other ground"),
        ("cargroup", "car"),
        ("persongroup", "person"),
        ("polegroup", "polegroup"),
        ("autorickshaw", "autorickshaw"),
    ],
)
def test_names_of_labels_in_polygon_files(cityscapes_folder, label, name):
    write_polygons(cityscapes_folder, (label, square(0, 0, 70, 50)))
    assert set(names_of(load(cityscapes_folder)[SCENE])) == {name}


def test_broken_label_map_is_not_replaced_by_polygons(cityscapes_folder):
    annotation_of(cityscapes_folder, "labelIds.png").write_bytes(b"no picture")
    scenes = load(cityscapes_folder)
    with pytest.raises(UnusableSceneError) as error:
        scenes[SCENE]
    assert error.value.fault.kind is FaultKind.ANNOTATION_BROKEN


def test_annotations_without_an_image_are_one_scene_that_cannot_be_used(cityscapes_folder):
    (cityscapes_folder / "leftImg8bit" / f"{SCENE}_leftImg8bit.png").unlink()
    scenes = load(cityscapes_folder)
    assert list(scenes) == sorted(TRAIN + VALIDATION + TEST)
    with pytest.raises(UnusableSceneError) as error:
        scenes[SCENE]
    assert error.value.fault.kind is FaultKind.IMAGE_MISSING
