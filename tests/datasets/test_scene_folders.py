import json
import os
import shutil
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

SIZE = (4, 6)
NAMES = {0: "road", 1: "sidewalk", 7: "sky", 255: "unlabeled"}
IMAGES = "images/{split}/{drive}/{frame}.*"
LABEL_MAPS = "labels/{split}/{drive}/{frame}.png"
POLYGONS = "labels/{split}/{drive}/{frame}.json"
BROKEN = {
    "train/a/broken": [FaultKind.IMAGE_BROKEN],
    "train/a/cut": [FaultKind.ANNOTATION_BROKEN],
    "train/a/dangling": [FaultKind.IMAGE_MISSING],
    "train/a/doubled": [FaultKind.AMBIGUOUS],
    "train/a/imageless": [FaultKind.IMAGE_MISSING],
    "train/a/large": [FaultKind.OTHER_SIZE],
    "train/a/no json": [FaultKind.ANNOTATION_BROKEN],
    "train/a/small": [FaultKind.OTHER_SIZE],
    "train/a/unlabelled": [FaultKind.NO_ANNOTATION],
    "train/a/whole": [],
}


def dataset(folder, *, images=IMAGES, annotations=LABEL_MAPS, raw_names=NAMES, **more):
    return SceneFoldersDataset(
        filepath=str(folder), images=images, annotations=annotations, raw_names=raw_names, **more
    )


def load(folder, **layout):
    return listed(dataset(folder, **layout).load())


def listed(scenes):
    """The scenes, after their files were looked for."""
    assert scenes.records is not None
    return scenes


def save(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def add_images(folder, *names, size=SIZE):
    for name in names:
        save(np.full((*size, 3), 90, np.uint8), folder / name)


def add_label_maps(folder, *names, raw_id=7, size=SIZE):
    for name in names:
        save(np.full(size, raw_id, np.uint8), folder / name)


def add_polygons(folder, name, label, *, size=SIZE):
    height, width = size
    polygon = [[0, 0], [width, 0], [width, height], [0, height]]
    content = {"imgHeight": height, "imgWidth": width, "objects": [{"label": label, "polygon": polygon}]}
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def leave_dangling(path):
    """Leaves in place of a file a link to nothing."""
    path.unlink()
    path.symlink_to(path.with_name("gone"))


def add_three(folder):
    """Adds two scenes of `train` and one of `val`, all annotated."""
    names = ["train/a/1", "train/b/1", "val/c/2"]
    add_images(folder, *(f"images/{name}.png" for name in names))
    add_label_maps(folder, *(f"labels/{name}.png" for name in names))


def add_broken(folder):
    """Adds the scenes of BROKEN: one for each way in which files can be wrong."""
    images, labels = folder / "images/train/a", folder / "labels/train/a"
    for scene in BROKEN:
        add_images(folder, f"images/{scene}.png")
        add_label_maps(folder, f"labels/{scene}.png")
    add_images(folder, "images/train/a/doubled.jpg")
    leave_dangling(images / "dangling.png")
    (images / "imageless.png").unlink()
    (images / "broken.png").write_bytes(b"no picture")
    (labels / "cut.png").write_bytes((labels / "cut.png").read_bytes()[:50])
    add_label_maps(folder, "labels/train/a/small.png", size=(2, 3))
    for scene in ("unlabelled", "no json", "large"):
        (labels / f"{scene}.png").unlink()
    (labels / "no json.json").write_text('{"imgHeight": 4')
    add_polygons(folder, "labels/train/a/large.json", "car", size=(8, 12))


def faults_of(scenes):
    """Returns the faults of each scene; of one that can't be used the fault that says why."""
    faults = {}
    for scene in scenes:
        try:
            faults[scene] = scenes[scene].faults
        except UnusableSceneError as error:
            faults[scene] = (error.fault,)
    return faults


def refuse(scenes, scene):
    """Returns the fault that reading the scene must end in."""
    with pytest.raises(UnusableSceneError) as error:
        scenes[scene]
    return error.value.fault


def changed(before, after):
    """Returns the scenes whose fingerprints differ; both must have the same scenes."""
    assert before.keys() == after.keys()
    return {scene for scene in before if before[scene].fingerprint != after[scene].fingerprint}


def label_of(scene):
    """Returns the name of the one label of a scene."""
    (raw_id,) = np.unique(scene.label_map)
    return scene.raw_names[int(raw_id)]


def test_image_and_label_map_are_paired_by_their_fields(tmp_path):
    random = np.random.default_rng(0)
    drawn = {}
    for name in ("train/a/1", "train/a/2", "train/b/1", "val/c/1"):
        image = random.integers(0, 256, (*SIZE, 3), np.uint8)
        label_map = random.choice([*NAMES], SIZE).astype(np.uint8)
        save(image, tmp_path / f"images/{name}.png")
        save(label_map, tmp_path / f"labels/{name}.png")
        drawn[name] = image, label_map
    scenes = load(tmp_path)
    assert list(scenes) == sorted(drawn)
    for scene, (image, label_map) in drawn.items():
        read = scenes[scene]
        np.testing.assert_array_equal(read.image, image)
        np.testing.assert_array_equal(read.label_map, label_map)
        assert (read.raw_names, read.size, read.faults) == (NAMES, SIZE, ())


def test_record_tells_drive_and_split(tmp_path):
    add_three(tmp_path)
    records = load(tmp_path).records
    assert {scene: (record.drive, record.published_split) for scene, record in records.items()} == {
        "train/a/1": ("a", "train"),
        "train/b/1": ("b", "train"),
        "val/c/2": ("c", "validation"),
    }


def test_image_is_shrunk_while_it_is_decoded_and_the_size_is_that_of_the_file(tmp_path):
    add_images(tmp_path, "images/train/a/1.jpg", size=(40, 64))
    add_label_maps(tmp_path, "labels/train/a/1.png", size=(40, 64))
    scenes = load(tmp_path)
    read = scenes.read("train/a/1", (10, 16))
    assert (read.image.shape, read.label_map.shape, read.size) == ((10, 16, 3), (40, 64), (40, 64))
    assert scenes["train/a/1"].image.shape == (40, 64, 3)


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        *(("train", "train"), ("training", "train"), ("Train", "train"), ("TRAINING", "train")),
        *(("val", "validation"), ("valid", "validation"), ("validation", "validation"), ("dev", "validation")),
        *(("Val", "validation"), ("VALID", "validation"), ("test", "test"), ("testing", "test"), ("Test", "test")),
    ],
)
def test_splits_are_known_by_their_usual_names(tmp_path, folder, split):
    add_images(tmp_path, f"images/{folder}/a/1.png", "images/holdout/a/2.png")
    assert [record.published_split for record in load(tmp_path).records.values()] == [split]


def test_folders_in_place_of_a_split_that_are_none_are_named_with_their_scenes(tmp_path, caplog):
    add_three(tmp_path)
    add_images(tmp_path, "images/holdout/a/1.png", "images/holdout/b/2.png", "images/extra/a/3.png")
    add_label_maps(tmp_path, "labels/holdout/a/1.png")
    assert list(load(tmp_path)) == ["train/a/1", "train/b/1", "val/c/2"]
    (sentence,) = caplog.messages
    assert sentence == (
        "No split is called 'holdout' (2 scenes), 'extra' (1 scenes): left out, "
        "expected train, training, val, valid, validation, dev, test, testing"
    )
    caplog.clear()
    assert len(load(tmp_path, splits={"train": "train", "val": "validation", "holdout": "test", "Extra": "train"})) == 6
    assert not caplog.messages


def test_label_maps_that_the_images_pattern_fits_are_no_scenes_of_another_split(tmp_path, caplog):
    add_images(tmp_path, "train/a_1.png", "val/b_1.png")
    add_label_maps(tmp_path, "trainannot/a_1.png", "valannot/b_1.png", "valannot/b_2.png")
    load(tmp_path, images="{split}/{drive}_{frame}.*", annotations="{split}annot/{drive}_{frame}.png")
    assert not caplog.messages


def test_split_in_a_file_name_is_no_folder_that_could_be_left_out(tmp_path, caplog):
    add_images(tmp_path, "images/a_train.png", "images/b_c.png")
    add_label_maps(tmp_path, "labels/a.png")
    assert list(load(tmp_path, images="images/{frame}_{split}.*", annotations="labels/{frame}.png")) == ["train/a"]
    assert not caplog.messages


def test_images_and_label_maps_may_write_their_split_and_endings_in_other_letters(tmp_path):
    add_images(tmp_path, "images/Train/a/1.JPG", "images/Train/a/2.png")
    add_label_maps(tmp_path, "labels/train/a/1.png", "labels/train/a/2.PNG")
    scenes = load(tmp_path)
    assert {scene: label_of(read) for scene, read in scenes.items()} == {"Train/a/1": "sky", "Train/a/2": "sky"}


def test_polygon_file_may_have_its_ending_in_capital_letters(tmp_path):
    add_images(tmp_path, "a/1.png")
    add_polygons(tmp_path, "a/1.JSON", "car")
    assert label_of(load(tmp_path, images="{drive}/{frame}.*", annotations="{drive}/{frame}.json")["a/1"]) == "car"


def test_images_and_label_maps_are_paired_in_either_form_of_unicode(tmp_path):
    composed, taken_apart = (normalize(form, "Köln/é.png") for form in ("NFC", "NFD"))
    add_images(tmp_path, f"images/{taken_apart}")
    add_label_maps(tmp_path, f"labels/{composed}")
    scenes = load(tmp_path, images="images/{drive}/{frame}.*", annotations="labels/{drive}/{frame}.png")
    assert list(scenes) == [composed.removesuffix(".png")]
    assert label_of(scenes[composed.removesuffix(".png")]) == "sky"


def test_files_with_one_id_at_several_depths_are_told(tmp_path):
    add_images(tmp_path, "images/1.png", "images/x/1.png", "images/x/y/2.png")
    add_label_maps(tmp_path, "labels/1.png", "labels/z/2.png")
    scenes = load(tmp_path, images="images/**/{frame}.*", annotations="labels/**/{frame}.png")
    assert list(scenes) == ["1", "2"]
    assert refuse(scenes, "1") == Fault(FaultKind.AMBIGUOUS, "'images/1.png' and 'images/x/1.png'")
    assert label_of(scenes["2"]) == "sky"


def test_of_many_files_with_one_id_a_few_are_named(tmp_path):
    add_images(tmp_path, *(f"images/{number}/a.png" for number in range(9)))
    fault = refuse(load(tmp_path, images="images/**/{frame}.*", annotations="labels/{frame}.png"), "a")
    assert fault.detail == "'images/0/a.png' and 'images/1/a.png' and 'images/2/a.png' and 6 more"


def test_splits_may_have_other_names(tmp_path):
    add_images(tmp_path, "images/learn/a/1.png", "images/check/a/2.png", "images/train/a/3.png")
    records = load(tmp_path, splits={"learn": "train", "check": "validation"}).records
    assert {scene: record.published_split for scene, record in records.items()} == {
        "check/a/2": "validation",
        "learn/a/1": "train",
    }


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("val", "val"),
        ("Train", "Train"),
        ("", ""),
        ("holdout", "holdout"),
        (None, "None"),
        (3, "3"),
        (["train"], "train"),
    ],
)
def test_splits_that_become_none_of_the_three_are_refused(name, received):
    with pytest.raises(DatasetError) as error:
        dataset("any", splits={"learn": "train", "check": name})
    assert all(word in str(error.value) for word in ("train", "validation", "test", received))


def test_names_of_splits_that_differ_in_capital_letters_alone_are_refused():
    with pytest.raises(DatasetError, match="splits must differ by more than capital letters, received A, a"):
        dataset("any", splits={"A": "train", "a": "test"})


def test_several_names_may_be_one_split(tmp_path):
    add_images(tmp_path, "images/sunny/a/1.png", "images/rainy/a/1.png")
    records = load(tmp_path, splits={"sunny": "train", "rainy": "train"}).records
    assert {scene: (record.drive, record.published_split) for scene, record in records.items()} == {
        "rainy/a/1": ("a", "train"),
        "sunny/a/1": ("a", "train"),
    }


def test_without_a_drive_each_scene_is_a_drive_of_its_own(tmp_path):
    add_images(tmp_path, "images/train/1.png", "images/val/2.png")
    add_label_maps(tmp_path, "labels/train/1.png", "labels/val/2.png")
    scenes = load(tmp_path, images="images/{split}/{frame}.*", annotations="labels/{split}/{frame}.png")
    assert {scene: record.drive for scene, record in scenes.records.items()} == {"train/1": "train/1", "val/2": "val/2"}
    assert label_of(scenes["train/1"]) == "sky"


def test_frames_of_one_name_in_two_splits_are_two_scenes(tmp_path):
    for split, raw_id in (("train", 0), ("val", 1)):
        add_images(tmp_path, f"images/{split}/0001.png", f"images/{split}/0002.png")
        add_label_maps(tmp_path, f"labels/{split}/0001.png", f"labels/{split}/0002.png", raw_id=raw_id)
    scenes = load(tmp_path, images="images/{split}/{frame}.*", annotations="labels/{split}/{frame}.png")
    assert {scene: (label_of(read), read.faults) for scene, read in scenes.items()} == {
        "train/0001": ("road", ()),
        "train/0002": ("road", ()),
        "val/0001": ("sidewalk", ()),
        "val/0002": ("sidewalk", ()),
    }
    records = scenes.records
    assert {scene: record.published_split for scene, record in records.items()} == {
        "train/0001": "train",
        "train/0002": "train",
        "val/0001": "validation",
        "val/0002": "validation",
    }
    assert len({record.drive for record in records.values()}) == 4


def test_one_frame_of_a_drive_in_two_splits_is_two_scenes_of_that_drive(tmp_path):
    add_three(tmp_path)
    add_images(tmp_path, "images/val/a/1.png")
    add_label_maps(tmp_path, "labels/val/a/1.png", raw_id=0)
    scenes = load(tmp_path)
    assert list(scenes) == ["train/a/1", "train/b/1", "val/a/1", "val/c/2"]
    assert [label_of(scenes[scene]) for scene in ("train/a/1", "val/a/1")] == ["sky", "road"]
    assert [scenes.records[scene].drive for scene in ("train/a/1", "val/a/1")] == ["a", "a"]
    (tmp_path / "images/train/a/1.png").unlink()
    (tmp_path / "labels/val/a/1.png").unlink()
    scenes = load(tmp_path)
    assert refuse(scenes, "train/a/1") == Fault(
        FaultKind.IMAGE_MISSING, "there is 'labels/train/a/1.png', and no image to it"
    )
    assert [fault.kind for fault in scenes["val/a/1"].faults] == [FaultKind.NO_ANNOTATION]


def test_annotation_without_a_split_is_that_of_its_frame_in_every_split(tmp_path):
    add_images(tmp_path, "train/1.png", "val/1.png")
    add_label_maps(tmp_path, "masks/1.png")
    scenes = load(tmp_path, images="{split}/{frame}.*", annotations="masks/{frame}.png")
    assert {scene: label_of(scenes[scene]) for scene in scenes} == {"train/1": "sky", "val/1": "sky"}


def test_without_a_split_there_is_no_published_one(tmp_path):
    add_images(tmp_path, "images/a_1.png", "images/a_2.png", "images/b_1.png")
    add_label_maps(tmp_path, "labels/a_1.png")
    scenes = load(tmp_path, images="images/{drive}_{frame}.*", annotations="labels/{drive}_{frame}.png")
    assert list(scenes) == ["a/1", "a/2", "b/1"]
    assert {record.published_split for record in scenes.records.values()} == {None}
    assert [len(scenes[scene].faults) for scene in scenes] == [0, 1, 1]


def test_annotations_may_lie_in_a_folder_without_drives(tmp_path):
    add_images(tmp_path, "train/a/1.png", "train/b/2.png")
    add_label_maps(tmp_path, "masks/1.png", raw_id=0)
    add_label_maps(tmp_path, "masks/2.png", raw_id=1)
    scenes = load(tmp_path, images="{split}/{drive}/{frame}.*", annotations="masks/{frame}.png")
    assert {scene: label_of(scenes[scene]) for scene in scenes} == {"train/a/1": "road", "train/b/2": "sidewalk"}


def test_annotation_without_a_drive_is_that_of_every_frame_of_its_name(tmp_path):
    add_images(tmp_path, "images/a/1.png", "images/b/1.png")
    add_label_maps(tmp_path, "masks/1.png")
    scenes = load(tmp_path, images="images/{drive}/{frame}.*", annotations="masks/{frame}.png")
    assert [label_of(scenes[scene]) for scene in scenes] == ["sky", "sky"]


def test_images_may_lie_in_several_places(tmp_path):
    add_images(tmp_path, "left/a/1.png", "right/b/2.jpg")
    add_label_maps(tmp_path, "labels/a/1.png", "labels/b/2.png")
    scenes = load(
        tmp_path, images=["left/{drive}/{frame}.*", "right/{drive}/{frame}.*"], annotations="labels/{drive}/{frame}.png"
    )
    assert list(scenes) == ["a/1", "b/2"]
    assert [label_of(scene) for scene in scenes.values()] == ["sky", "sky"]


def test_first_annotation_that_is_there_counts(tmp_path):
    add_images(tmp_path, "images/train/a/1.png", "images/train/a/2.png")
    add_label_maps(tmp_path, "labels/train/a/1.png")
    for frame in "12":
        add_polygons(tmp_path, f"labels/train/a/{frame}.json", "car")
    scenes = load(tmp_path, annotations=[LABEL_MAPS, POLYGONS])
    assert [label_of(scenes[scene]) for scene in ("train/a/1", "train/a/2")] == ["sky", "car"]
    scenes = load(tmp_path, annotations=[POLYGONS, LABEL_MAPS])
    assert [label_of(scenes[scene]) for scene in ("train/a/1", "train/a/2")] == ["car", "car"]
    assert [scene.faults for scene in scenes.values()] == [(), ()]


def test_file_that_two_patterns_fit_is_one_file(tmp_path):
    add_images(tmp_path, "images/train/a/1.png")
    add_label_maps(tmp_path, "labels/train/a/1.png")
    images = ["images/{split}/{drive}/{frame}.*", "images/{split}/{drive}/{frame}.png"]
    assert label_of(load(tmp_path, images=images)["train/a/1"]) == "sky"


@pytest.mark.parametrize("ignored", ["masks/{frame}_old.png", ["masks/{frame}_new.png", "masks/{frame}_old.png"]])
def test_ignored_files_are_no_annotations(tmp_path, ignored):
    add_images(tmp_path, "images/a/1.png", "images/a/2_old.png")
    add_label_maps(tmp_path, "masks/1.png", "masks/1_old.png", "masks/2_old.png")
    layout = {"images": "images/{drive}/{frame}.*", "annotations": "masks/{frame}.png"}
    assert list(load(tmp_path, **layout)) == ["1_old", "a/1", "a/2_old"]
    scenes = load(tmp_path, **layout, ignored=ignored)
    assert list(scenes) == ["a/1", "a/2_old"]
    assert [scene.label_map is None for scene in scenes.values()] == [False, True]
    fingerprint = scenes.records["a/1"].fingerprint
    (tmp_path / "masks/1_old.png").unlink()
    assert load(tmp_path, **layout, ignored=ignored).records["a/1"].fingerprint == fingerprint


def test_ignored_pattern_that_is_not_valid_is_refused():
    with pytest.raises(DatasetError, match=r"pattern 'old\.png' must contain \{frame\}"):
        dataset("any", ignored="old.png")


@pytest.mark.parametrize(
    ("labels", "name"), [(None, "cargroup"), ({"car": "car"}, "car"), ({"car": "vehicle"}, "vehicle"), ({}, "cargroup")]
)
def test_labels_of_polygon_files(tmp_path, labels, name):
    add_images(tmp_path, "a/1.png")
    add_polygons(tmp_path, "a/1.json", "cargroup")
    scenes = load(
        tmp_path, images="{drive}/{frame}.*", annotations="{drive}/{frame}.json", labels=labels, raw_names=None
    )
    assert label_of(scenes["a/1"]) == name


def test_faults_of_the_files_and_of_the_polygons_come_together(tmp_path):
    add_images(tmp_path, "a/1.png")
    add_polygons(tmp_path, "a/1.json", "car", size=(8, 12))
    read = load(tmp_path, images="{drive}/{frame}.*", annotations="{drive}/{frame}.json")["a/1"]
    assert (read.image.shape, read.size, read.label_map.shape) == ((*SIZE, 3), SIZE, (8, 12))
    assert [fault.kind for fault in read.faults] == [FaultKind.OTHER_SIZE]


@pytest.mark.parametrize("raw_id", [256, 24_000, 65_535])
def test_ids_of_label_maps_may_have_two_bytes(tmp_path, raw_id):
    add_images(tmp_path, "images/a/1.png")
    save(np.full(SIZE, raw_id, np.uint16), tmp_path / "masks/1.png")
    names = {raw_id: "road"}
    scenes = load(tmp_path, images="images/{drive}/{frame}.*", annotations="masks/{frame}.png", raw_names=names)
    assert scenes["a/1"].label_map.dtype == np.uint16
    assert label_of(scenes["a/1"]) == "road"


def test_label_map_with_a_palette_is_its_indices(tmp_path):
    add_three(tmp_path)
    picture = Image.fromarray(np.full(SIZE, 1, np.uint8))
    picture.putpalette([9, 9, 9, 255, 0, 0])
    picture.save(tmp_path / "labels/train/a/1.png")
    scenes = load(tmp_path)
    assert (label_of(scenes["train/a/1"]), label_of(scenes["train/b/1"])) == ("sidewalk", "sky")


def test_label_map_of_one_bit_has_the_ids_0_and_1(tmp_path):
    add_three(tmp_path)
    ids = np.eye(*SIZE, dtype=bool)
    save(ids, tmp_path / "labels/train/a/1.png")
    np.testing.assert_array_equal(load(tmp_path)["train/a/1"].label_map, ids.astype(int))


def test_label_map_in_colours_is_refused(tmp_path):
    add_three(tmp_path)
    Image.new("RGB", (8, 6), "red").save(tmp_path / "labels/train/a/1.png")
    fault = refuse(load(tmp_path), "train/a/1")
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "'labels/train/a/1.png' must have one channel of ids, it has 3" in fault.detail


@pytest.mark.parametrize("size", [(8, 12), (6, 4), (4, 7), (1, 1)])
def test_label_map_of_another_size_is_refused(tmp_path, size):
    add_three(tmp_path)
    add_label_maps(tmp_path, "labels/train/a/1.png", size=size)
    scenes = load(tmp_path)
    fault = refuse(scenes, "train/a/1")
    assert fault.kind is FaultKind.OTHER_SIZE
    assert f"'labels/train/a/1.png' has {size}, the image {SIZE}" in fault.detail
    assert label_of(scenes["train/b/1"]) == "sky"


def add_turned(folder, orientation, *, ending="jpg"):
    """Adds a lying image with an orientation tag; returns (height, width) as viewers show it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    (folder / "images/a").mkdir(parents=True)
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(folder / f"images/a/1.{ending}", exif=exif)
    return SIZE[::-1] if orientation > 4 else SIZE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "json"])
def test_upright_annotation_fits_an_image_that_its_tag_turns(tmp_path, orientation, ending):
    size = add_turned(tmp_path, orientation)
    add_label_maps(tmp_path, "labels/a/1.png", size=size)
    add_polygons(tmp_path, "labels/a/1.json", "sky", size=size)
    layout = {"images": "images/{drive}/{frame}.*", "annotations": f"labels/{{drive}}/{{frame}}.{ending}"}
    read = load(tmp_path, **layout)["a/1"]
    assert (read.image.shape[:2], read.label_map.shape, read.size, read.faults) == (size, size, size, ())


@pytest.mark.parametrize(("orientation", "size"), [(6, SIZE), (5, SIZE), (8, (12, 8)), (3, (8, 12)), (2, (6, 4))])
@pytest.mark.parametrize("ending", ["png", "json"])
def test_annotation_that_does_not_fit_a_turned_image_is_told_with_the_tag(tmp_path, orientation, size, ending):
    turned = add_turned(tmp_path, orientation)
    add_label_maps(tmp_path, "labels/a/1.png", size=size)
    add_polygons(tmp_path, "labels/a/1.json", "sky", size=size)
    layout = {"images": "images/{drive}/{frame}.*", "annotations": f"labels/{{drive}}/{{frame}}.{ending}"}
    fault = refuse(load(tmp_path, **layout), "a/1")
    assert fault.kind is FaultKind.OTHER_SIZE
    assert str(size) in fault.detail
    assert fault.detail.endswith(
        f"the image {'' if ending == 'png' else 'has '}{turned}, turned by its orientation tag {orientation}: "
        f"the annotation must be upright as well"
    )


def test_fingerprint_tells_a_turned_jpeg_and_a_jpeg_label_map_from_what_they_were_taken_for(tmp_path):
    for folder, orientation in (("upright", 1), ("turned", 6)):
        add_turned(tmp_path / folder, orientation)
        os.utime(tmp_path / folder / "images/a/1.jpg", ns=(7, 7))
    layout = {"images": "images/{drive}/{frame}.*", "annotations": "labels/{drive}/{frame}.jpg"}
    upright, turned = (load(tmp_path / folder, **layout).records["a/1"].fingerprint for folder in ("upright", "turned"))
    assert turned.replace(" turned", "") == upright
    for folder in ("upright", "turned"):
        add_label_maps(tmp_path / folder, "labels/a/1.jpg")
        assert " lossy " in load(tmp_path / folder, **layout).records["a/1"].fingerprint


def test_lossy_label_map_is_refused(tmp_path):
    add_three(tmp_path)
    Image.fromarray(np.full(SIZE, 7, np.uint8)).save(tmp_path / "labels/train/a/1.png", format="JPEG")
    fault = refuse(load(tmp_path), "train/a/1")
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "label map 'labels/train/a/1.png' is compressed as JPEG, which changes ids" in fault.detail


@pytest.mark.parametrize("path", ["images/train/a/1.png", "labels/train/a/1.png"])
@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0"])
def test_broken_file_makes_its_scene_unusable(tmp_path, path, content):
    add_three(tmp_path)
    (tmp_path / path).write_bytes(content)
    scenes = load(tmp_path)
    fault = refuse(scenes, "train/a/1")
    assert fault.kind is (FaultKind.IMAGE_BROKEN if path.startswith("images") else FaultKind.ANNOTATION_BROKEN)
    assert f"'{path}'" in fault.detail
    assert [label_of(scenes[scene]) for scene in ("train/b/1", "val/c/2")] == ["sky", "sky"]


def test_missing_annotation_is_noted_where_others_of_the_split_have_one(tmp_path):
    add_three(tmp_path)
    (tmp_path / "labels/train/b/1.png").unlink()
    add_images(tmp_path, "images/test/d/1.png", "images/test/d/2.png")
    scenes = load(tmp_path)
    expected = Fault(FaultKind.NO_ANNOTATION, "others of its split have one, 'images/train/b/1.png' has none")
    assert {scene: scenes[scene].faults for scene in scenes} == {
        "train/a/1": (),
        "train/b/1": (expected,),
        "test/d/1": (),
        "test/d/2": (),
        "val/c/2": (),
    }
    assert {scene for scene in scenes if scenes[scene].label_map is None} == {"train/b/1", "test/d/1", "test/d/2"}
    assert scenes["train/b/1"].size == SIZE


def test_annotations_without_a_split_are_expected_in_every_split(tmp_path):
    add_images(tmp_path, "train/1.png", "test/2.png")
    add_label_maps(tmp_path, "masks/1.png")
    scenes = load(tmp_path, images="{split}/{frame}.*", annotations="masks/{frame}.png")
    assert {scene: [fault.kind for fault in read.faults] for scene, read in scenes.items()} == {
        "test/2": [FaultKind.NO_ANNOTATION],
        "train/1": [],
    }


def test_without_any_annotation_no_scene_lacks_one(tmp_path):
    add_images(tmp_path, "images/train/a/1.png")
    read = load(tmp_path)["train/a/1"]
    assert (read.label_map, read.faults) == (None, ())


@pytest.mark.parametrize("ending", ["png", "json"])
def test_annotation_without_an_image_is_a_scene_that_cannot_be_used(tmp_path, ending):
    add_three(tmp_path)
    add_label_maps(tmp_path, "labels/train/b/9.png")
    (tmp_path / "labels/train/b/9.png").rename(tmp_path / f"labels/train/b/9.{ending}")
    scenes = load(tmp_path, annotations=[LABEL_MAPS, POLYGONS])
    assert list(scenes) == ["train/a/1", "train/b/1", "train/b/9", "val/c/2"]
    record = scenes.records["train/b/9"]
    assert (record.drive, record.published_split) == ("b", "train")
    fault = refuse(scenes, "train/b/9")
    assert fault == Fault(FaultKind.IMAGE_MISSING, f"there is 'labels/train/b/9.{ending}', and no image to it")


@pytest.mark.parametrize("annotated", [True, False])
def test_dangling_link_to_an_image_is_a_scene_whose_image_is_missing(tmp_path, annotated):
    add_three(tmp_path)
    leave_dangling(tmp_path / "images/train/a/1.png")
    if not annotated:
        (tmp_path / "labels/train/a/1.png").unlink()
    scenes = load(tmp_path)
    assert list(scenes) == ["train/a/1", "train/b/1", "val/c/2"]
    record = scenes.records["train/a/1"]
    assert (record.drive, record.published_split) == ("a", "train")
    fault = refuse(scenes, "train/a/1")
    assert fault == Fault(FaultKind.IMAGE_MISSING, "'images/train/a/1.png' is a link to nothing")
    assert label_of(scenes["train/b/1"]) == "sky"


def test_dangling_link_to_an_image_is_a_scene_even_where_no_annotation_is_expected(tmp_path):
    add_images(tmp_path, "images/test/d/1.png")
    leave_dangling(tmp_path / "images/test/d/1.png")
    assert refuse(load(tmp_path), "test/d/1").kind is FaultKind.IMAGE_MISSING


@pytest.mark.parametrize("layout", [{}, {"annotations": [LABEL_MAPS, POLYGONS]}])
def test_dangling_link_to_an_annotation_is_none(tmp_path, layout):
    add_three(tmp_path)
    for path in ("labels/train/b/1.png", "labels/val/c/2.png"):
        leave_dangling(tmp_path / path)
    add_label_maps(tmp_path, "labels/val/c/3.png")
    leave_dangling(tmp_path / "labels/val/c/3.png")
    scenes = load(tmp_path, **layout)
    assert list(scenes) == ["train/a/1", "train/b/1", "val/c/2"]
    assert [scene.label_map is None for scene in scenes.values()] == [False, True, True]
    # None of the split `val` is annotated.
    assert [[fault.kind for fault in scene.faults] for scene in scenes.values()] == [[], [FaultKind.NO_ANNOTATION], []]


def test_annotation_behind_a_dangling_link_is_the_next_one(tmp_path):
    add_three(tmp_path)
    leave_dangling(tmp_path / "labels/train/a/1.png")
    add_polygons(tmp_path, "labels/train/a/1.json", "car")
    scenes = load(tmp_path, annotations=[LABEL_MAPS, POLYGONS])
    assert (label_of(scenes["train/a/1"]), scenes["train/a/1"].faults) == ("car", ())


def test_dangling_links_that_lead_to_their_files_again_are_other_scenes(tmp_path):
    add_three(tmp_path)
    image, annotation = tmp_path / "images/train/a/1.png", tmp_path / "labels/train/b/1.png"
    leave_dangling(image)
    leave_dangling(annotation)
    before = load(tmp_path).records
    for path in (image, annotation):
        shutil.copy(tmp_path / "images/val/c/2.png", path.readlink())
    assert changed(before, load(tmp_path).records) == {"train/a/1", "train/b/1"}


@pytest.mark.parametrize("second", ["images/train/a/1.jpg", "images/train/a/1.PNG"])
def test_two_images_of_one_scene_cannot_be_used(tmp_path, second):
    add_three(tmp_path)
    add_images(tmp_path, second)
    scenes = load(tmp_path)
    assert list(scenes) == ["train/a/1", "train/b/1", "val/c/2"]
    fault = refuse(scenes, "train/a/1")
    paths = sorted([Path("images/train/a/1.png"), Path(second)])
    assert fault == Fault(FaultKind.AMBIGUOUS, f"'{paths[0]}' and '{paths[1]}'")
    assert label_of(scenes["train/b/1"]) == "sky"


def test_images_of_one_scene_in_two_places_cannot_be_used(tmp_path):
    add_images(tmp_path, "left/train/a/1.png", "right/train/a/1.png", "right/val/a/1.png")
    scenes = load(tmp_path, images=["left/{split}/{drive}/{frame}.*", "right/{split}/{drive}/{frame}.*"])
    assert list(scenes) == ["train/a/1", "val/a/1"]
    fault = refuse(scenes, "train/a/1")
    assert fault == Fault(FaultKind.AMBIGUOUS, "'left/train/a/1.png' and 'right/train/a/1.png'")
    assert scenes["val/a/1"].faults == ()


def test_two_annotations_of_one_scene_cannot_be_used(tmp_path):
    add_images(tmp_path, "images/a/1.png", "images/a/2.png")
    add_label_maps(tmp_path, "masks/1_x.png", "masks/1_y.png", "masks/2_x.png")
    scenes = load(tmp_path, images="images/{drive}/{frame}.*", annotations="masks/{frame}_*.png")
    fault = refuse(scenes, "a/1")
    assert fault == Fault(FaultKind.AMBIGUOUS, "'masks/1_x.png' and 'masks/1_y.png'")
    assert label_of(scenes["a/2"]) == "sky"


def test_image_that_may_not_be_read_is_named(tmp_path, as_ordinary_user):
    add_images(tmp_path, "images/train/a/1.jpg")
    (tmp_path / "images/train/a/1.jpg").chmod(0)
    with as_ordinary_user(tmp_path), pytest.raises(FileError, match=r"^'images/train/a/1.jpg' can't be read: Perm"):
        load(Path())


def test_broken_scene_is_not_read_before_it_is_asked_for(tmp_path):
    add_three(tmp_path)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"no picture")
    assert len(load(tmp_path)) == 3


@pytest.mark.parametrize("path", ["images/train/a/1.png", "labels/train/a/1.png"])
def test_file_that_goes_away_after_loading_stops_with_its_name(tmp_path, path):
    add_three(tmp_path)
    scenes = load(tmp_path)
    (tmp_path / path).unlink()
    # A fault would be kept with a fingerprint that says that the file is there.
    with pytest.raises(FileError, match=rf"'{tmp_path}/{path}' can't be read: No such file"):
        scenes["train/a/1"]


def test_moving_a_data_set_changes_neither_faults_nor_fingerprints(tmp_path):
    add_broken(tmp_path / "first")
    scenes = load(tmp_path / "first", annotations=[LABEL_MAPS, POLYGONS])
    faults, records = faults_of(scenes), scenes.records
    assert {scene: [fault.kind for fault in each] for scene, each in faults.items()} == BROKEN
    assert not any(
        str(tmp_path) in fault.detail or "first" in fault.detail for each in faults.values() for fault in each
    )
    # `copytree` copies with `copy2`, which keeps times.
    copy = shutil.copytree(tmp_path / "first", tmp_path / "elsewhere" / "second", symlinks=True)
    moved = load(copy, annotations=[LABEL_MAPS, POLYGONS])
    assert (faults_of(moved), moved.records) == (faults, records)
    (tmp_path / "first").rename(tmp_path / "images")
    moved = load(tmp_path / "images", annotations=[LABEL_MAPS, POLYGONS])
    assert (faults_of(moved), moved.records) == (faults, records)


@pytest.mark.parametrize("folder", [".", "a", "train", "images", "./a", "a/", "../here/a", "images/train"])
def test_folder_may_be_named_from_the_current_one(tmp_path, monkeypatch, folder):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    add_broken(Path(folder))
    add_images(Path(folder), "images/train/a./1.png")
    (Path(folder) / "images/train/a./1.png").write_bytes(b"")
    faults = faults_of(load(Path(folder).resolve(), annotations=[LABEL_MAPS, POLYGONS]))
    assert "'images/train/a/broken.png' is no image" in faults["train/a/broken"][0].detail
    assert "'images/train/a./1.png' is no image" in faults["train/a./1"][0].detail
    assert faults_of(load(folder, annotations=[LABEL_MAPS, POLYGONS])) == faults


@pytest.mark.parametrize("path", ["images/train/a/1.png", "labels/train/a/1.png"])
def test_fingerprint_follows_the_time_and_the_size_of_its_files_alone(tmp_path, path):
    add_three(tmp_path)
    before = load(tmp_path).records
    assert not changed(before, load(tmp_path).records)
    os.utime(tmp_path / path, ns=(1, 1))
    later = load(tmp_path).records
    assert changed(before, later) == {"train/a/1"}
    (tmp_path / path).write_bytes((tmp_path / path).read_bytes() + b"\0")
    os.utime(tmp_path / path, ns=(1, 1))
    assert changed(later, load(tmp_path).records) == {"train/a/1"}


@pytest.mark.parametrize(
    "layout",
    [{"raw_names": NAMES | {1: "parking"}}, {"raw_names": {0: "road"}}, {"labels": {"car": "car"}}, {"labels": {}}],
)
def test_fingerprint_follows_the_names(tmp_path, layout):
    add_three(tmp_path)
    before = load(tmp_path).records
    assert changed(before, load(tmp_path, **layout).records) == {"train/a/1", "train/b/1", "val/c/2"}
    assert not changed(before, load(tmp_path, raw_names=dict(reversed(NAMES.items()))).records)


def test_fingerprint_follows_an_annotation_or_a_second_image_that_comes_or_goes(tmp_path):
    add_three(tmp_path)
    before = load(tmp_path).records
    (tmp_path / "labels/train/a/1.png").rename(tmp_path / "kept.png")
    assert changed(before, load(tmp_path).records) == {"train/a/1"}
    (tmp_path / "kept.png").rename(tmp_path / "labels/train/a/1.png")
    add_images(tmp_path, "images/train/a/1.jpg")
    doubled = load(tmp_path).records
    assert changed(before, doubled) == {"train/a/1"}
    (tmp_path / "images/train/a/1.png").rename(tmp_path / "kept.png")
    assert changed(doubled, load(tmp_path).records) == {"train/a/1"}
    (tmp_path / "images/train/a/1.jpg").unlink()
    (tmp_path / "kept.png").rename(tmp_path / "images/train/a/1.png")
    assert not changed(before, load(tmp_path).records)


def test_fingerprint_follows_whether_an_annotation_is_expected(tmp_path):
    add_three(tmp_path)
    add_images(tmp_path, "images/test/d/1.png", "images/test/d/2.png")
    before = load(tmp_path)
    add_label_maps(tmp_path, "labels/test/d/2.png")
    after = load(tmp_path)
    assert before["test/d/1"].faults != after["test/d/1"].faults
    assert changed(before.records, after.records) == {"test/d/1", "test/d/2"}
    (tmp_path / "labels/test/d/2.png").unlink()
    assert not changed(before.records, load(tmp_path).records)


def test_fingerprint_follows_whether_any_annotation_is_there(tmp_path):
    add_images(tmp_path, "train/1.png", "test/2.png")
    layout = {"images": "{split}/{frame}.*", "annotations": "masks/{frame}.png"}
    before = load(tmp_path, **layout).records
    add_label_maps(tmp_path, "masks/9.png")
    after = load(tmp_path, **layout).records
    # Of an annotation without a split no one knows in which split it is.
    assert {scene for scene in before if before[scene].fingerprint != after[scene].fingerprint} == {"train/1", "test/2"}
    assert after.keys() - before.keys() == {"9"}


def test_folder_and_what_is_in_it_may_be_links(tmp_path):
    add_three(tmp_path / "whole")
    add_images(tmp_path, "apart/1.png")
    add_label_maps(tmp_path, "maps/1.png")
    (tmp_path / "whole/images/train/d").symlink_to(tmp_path / "apart")
    (tmp_path / "whole/labels/train/d").mkdir()
    (tmp_path / "whole/labels/train/d/1.png").symlink_to(tmp_path / "maps/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "whole")
    scenes = load(tmp_path / "link")
    assert list(scenes) == ["train/a/1", "train/b/1", "train/d/1", "val/c/2"]
    assert [label_of(scene) for scene in scenes.values()] == ["sky"] * 4


def test_other_files_are_passed_over(tmp_path):
    add_three(tmp_path)
    for name in ("images/train/a/Thumbs.db", "images/train/a/1.txt", "labels/train/a/1.jpg", "images/readme", "a.png"):
        (tmp_path / name).write_text("")
    scenes = load(tmp_path)
    assert list(scenes) == ["train/a/1", "train/b/1", "val/c/2"]
    assert all(not scene.faults for scene in scenes.values())


def test_what_needs_no_scene_runs_without_the_folder(tmp_path):
    scenes = dataset(tmp_path / "none").load()
    with pytest.raises(FileError, match="there is no folder"):
        len(scenes)


@pytest.mark.parametrize("name", ["none", "dangling", "file"])
def test_missing_folder_is_named_with_what_to_do(tmp_path, name):
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    words = (
        rf"there is no folder '{tmp_path}/{name}': link or copy .*, or give another folder as `filepath` of raw_scenes"
    )
    with pytest.raises(FileError, match=words):
        load(tmp_path / name)


def test_advice_for_a_missing_folder_leads_to_the_scenes(tmp_path):
    add_three(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="link or copy the data set there, or give another folder as `filepath`"):
        load(tmp_path / "none")
    (tmp_path / "none").symlink_to("elsewhere")
    assert len(load(tmp_path / "none")) == len(load(tmp_path / "elsewhere")) == 3


def test_folder_without_images_is_named_with_what_was_expected(tmp_path):
    (tmp_path / "images/train/a").mkdir(parents=True)
    (tmp_path / "images/train/a/1.txt").write_text("")
    with pytest.raises(FileError) as error:
        load(tmp_path, images=[IMAGES, "{split}/{drive}/{frame}.*"])
    sentence = f"no images in '{tmp_path}': expected files named like '{IMAGES}' or '{{split}}/{{drive}}/{{frame}}.*'"
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("images", "annotations"),
    [
        ("{drive}.*", "{drive}/{frame}.png"),
        ("{drive}/{frame}.*", "{drive}.png"),
        (["{drive}/{frame}.*", "{drive}.*"], "{frame}.png"),
        ("{drive}/{frame}.*", ["{frame}.png", "masks.png"]),
    ],
)
def test_pattern_without_a_frame_is_refused(images, annotations):
    with pytest.raises(DatasetError, match=r"must contain \{frame\}, and no fields except split, drive, frame"):
        dataset("any", images=images, annotations=annotations)


def test_pattern_with_an_unknown_field_is_refused():
    with pytest.raises(DatasetError, match=r"pattern '\{camera\}/\{frame\}\.\*' must contain"):
        dataset("any", images="{camera}/{frame}.*")


@pytest.mark.parametrize(
    ("images", "annotations"),
    [
        ("{frame}.*", "{drive}/{frame}.png"),
        ("{drive}/{frame}.*", "{split}/{frame}.png"),
        (["{split}/{frame}.*", "{frame}.*"], "{split}/{frame}.png"),
        ("{frame}.*", ["{frame}.png", "{drive}/{frame}.png"]),
    ],
)
def test_annotation_with_a_field_that_the_images_lack_is_refused(images, annotations):
    with pytest.raises(DatasetError, match=r"every field of the annotations' pattern '.*' must also be in that of the"):
        dataset("any", images=images, annotations=annotations)


@pytest.mark.parametrize("raw_id", [-1, 0.5, "road", None])
def test_raw_ids_that_are_no_integers_from_0_are_refused(raw_id):
    with pytest.raises(DatasetError, match=r"integer|greater than or equal to 0"):
        dataset("any", raw_names={raw_id: "road"})


@pytest.mark.parametrize("name", [None, 3, ["road"]])
def test_raw_names_that_are_no_text_are_refused(name):
    with pytest.raises(DatasetError, match="string"):
        dataset("any", raw_names={0: name})


def test_raw_scenes_are_not_saved(tmp_path):
    with pytest.raises(DatasetError, match="read only"):
        dataset(tmp_path).save(object())


def test_data_set_exists_when_its_folder_does(tmp_path):
    assert dataset(tmp_path).exists()
    assert not dataset(tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("files", "lying"),
    [
        ([], "'{folder}' contains no files"),
        (["images/.a.png", "images/Thumbs.db"], "'{folder}/images' contains no files"),
        (["labels/train/a/1.png"], "'{folder}' contains 1 .png, such as 'labels/train/a/1.png'"),
        (
            ["images/train/a/2.ppm", "images/train/a/1.ppm", "images/train/a/x.txt", "images/README"],
            "'{folder}/images' contains 2 .ppm, 1 without an ending, 1 .txt, such as 'README'",
        ),
        (["images/train/1.png", "images/b/1.jpg"], "'{folder}/images' contains 1 .jpg, 1 .png, such as 'b/1.jpg'"),
        (
            ["images/eval/a/1.png"],
            "'{folder}/images' contains 1 .png, such as 'eval/a/1.png'. No split is called 'eval' (1 scenes): "
            "left out, expected train, training, val, valid, validation, dev, test, testing",
        ),
    ],
)
def test_where_no_image_is_found_the_files_that_lie_there_are_named(tmp_path, files, lying):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(FileError) as error:
        load(tmp_path)
    assert str(error.value) == (
        f"no images in '{tmp_path}': expected files named like '{IMAGES}'; {lying.format(folder=tmp_path)}"
    )


def test_where_no_annotation_is_found_the_files_that_lie_there_are_named(tmp_path, caplog):
    add_images(tmp_path, "images/train/a/1.png")
    add_label_maps(tmp_path, "labels/train/a/1.bmp", "labels/train/a/2.bmp")
    load(tmp_path)
    assert f"'{tmp_path}/labels' contains 2 .bmp, such as 'train/a/1.bmp'" in caplog.text


def test_annotations_alone_are_no_data_set(tmp_path):
    add_label_maps(tmp_path, "labels/train/a/1.png")
    with pytest.raises(FileError, match=rf"no images in '{tmp_path}': expected files named like"):
        load(tmp_path)


def test_data_set_without_any_annotation_says_what_was_looked_for(tmp_path, caplog):
    add_images(tmp_path, "images/train/a/1.png")
    assert len(load(tmp_path)) == 1
    assert f"No annotations in '{tmp_path}': expected files named like '{LABEL_MAPS}'" in caplog.text


def test_data_set_with_annotations_says_nothing(tmp_path, caplog):
    add_images(tmp_path, "images/train/a/1.png", "images/train/a/2.png")
    add_label_maps(tmp_path, "labels/train/a/1.png")
    load(tmp_path)
    assert not caplog.text


def test_raw_id_that_is_no_number_is_named():
    with pytest.raises(DatasetError, match=r"raw_names, .* not valid: two: input should be a valid integer.*'two'"):
        dataset("any", raw_names={"two": "road"})
