import os
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.camvid import CamVidDataset
from roadseg.errors import FileError
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

TRAIN = ["train/0001TP/006690", "train/0001TP/006720", "train/0006R0/f00930", "train/0006R0/f00960"]
VALIDATION = ["val/0016E5/07959", "val/0016E5/07961"]


def load(folder):
    return CamVidDataset(filepath=str(folder)).load()


def add(folder: Path, split, name, *, size=(4, 3), annotated=True):
    (folder / split).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(folder / split / name)
    if annotated:
        (folder / f"{split}annot").mkdir(exist_ok=True)
        Image.new("L", size).save(folder / f"{split}annot" / f"{Path(name).stem}.png")


def refuse(scenes, scene):
    """Returns the fault that reading the scene must end in."""
    with pytest.raises(UnusableSceneError) as error:
        scenes[scene]
    return error.value.fault


def test_drive_is_the_name_up_to_the_underscore(tmp_path):
    add(tmp_path, "test", "Seq05VD_f00000.png")
    add(tmp_path, "test", "Seq05VD_f00030_b.png")
    records = load(tmp_path).records
    assert {scene: record.drive for scene, record in records.items()} == {
        "test/Seq05VD/f00000": "Seq05VD",
        "test/Seq05VD/f00030_b": "Seq05VD",
    }


@pytest.mark.parametrize("name", ["0001TP_006690", "0001TP_006720"])  # PNG, JPEG
def test_scene_is_what_pillow_reads(camvid_folder, name):
    read = load(camvid_folder)[f"train/{name.replace('_', '/')}"]
    path = next((camvid_folder / "train").glob(f"{name}.*"))
    expected = np.asarray(Image.open(path).convert("RGB"))
    # Two JPEG decoders may round differently.
    assert np.abs(read.image.astype(int) - expected).max() <= (0 if path.suffix == ".png" else 2)
    np.testing.assert_array_equal(read.label_map, np.asarray(Image.open(camvid_folder / f"trainannot/{name}.png")))
    assert read.label_map.dtype == np.uint8
    assert set(np.unique(read.label_map)) == set(range(12))


def test_test_split_without_annotations_has_no_labels(camvid_folder):
    add(camvid_folder, "test", "Seq05VD_f00000.jpg", annotated=False)
    scenes = load(camvid_folder)
    scene = scenes["test/Seq05VD/f00000"]
    assert (scene.label_map, scene.size, scene.faults) == (None, (3, 4), ())
    assert scenes.records["test/Seq05VD/f00000"].published_split == "test"
    assert scenes["train/0001TP/006690"].label_map is not None


def test_files_that_are_no_images_are_passed_over(camvid_folder):
    (camvid_folder / "train" / "Thumbs.db").write_text("")
    (camvid_folder / "train.txt").write_text("")
    add(camvid_folder, "trial", "0001TP_1.png")
    assert len(load(camvid_folder)) == 6


@pytest.mark.parametrize("name", ["0001TP_1.PNG", "0001TP_1.JPG", "0001TP_1.jpeg"])
def test_endings_of_images(tmp_path, name):
    add(tmp_path, "train", name)
    assert list(load(tmp_path)) == ["train/0001TP/1"]


def test_folder_may_be_a_symbolic_link(camvid_folder, tmp_path):
    (tmp_path / "link").symlink_to(camvid_folder, target_is_directory=True)
    assert load(tmp_path / "link").records == load(camvid_folder).records
    assert load(tmp_path / "link")["train/0001TP/006690"].image.shape == (36, 48, 3)


def test_fingerprint_follows_image_and_annotation_of_its_scene_alone(camvid_folder):
    before = load(camvid_folder).records
    os.utime(camvid_folder / "train" / "0001TP_006690.png", ns=(1, 1))
    os.utime(camvid_folder / "valannot" / "0016E5_07961.png", ns=(1, 1))
    after = load(camvid_folder).records
    changed = {scene for scene in before if before[scene].fingerprint != after[scene].fingerprint}
    assert changed == {"train/0001TP/006690", "val/0016E5/07961"}


def test_loading_reads_no_scene(camvid_folder):
    for path in camvid_folder.glob("*/*"):
        path.write_bytes(b"no image")
    assert len(load(camvid_folder)) == 6


def test_missing_folder_is_named_with_what_to_do(tmp_path):
    words = rf"there is no folder '{tmp_path}/none': link or copy .*, or with --params raw_folder=PATH if"
    with pytest.raises(FileError, match=words):
        len(load(tmp_path / "none"))


def test_dangling_link_is_named(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(FileError, match=rf"there is no folder '{tmp_path}/link'"):
        len(load(tmp_path / "link"))


def test_folder_without_images_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0001TP_1.txt").write_text("")
    words = rf"no images in '{tmp_path}': expected files named like '\{{split\}}/\{{drive\}}_\{{frame\}}\.\*'"
    with pytest.raises(FileError, match=words):
        len(load(tmp_path))


def test_missing_annotation_is_noted(camvid_folder):
    (camvid_folder / "trainannot" / "0001TP_006720.png").unlink()
    scenes = load(camvid_folder)
    assert {scene: [fault.kind for fault in read.faults] for scene, read in scenes.items() if read.faults} == {
        "train/0001TP/006720": [FaultKind.NO_ANNOTATION]
    }
    assert scenes["train/0001TP/006720"].label_map is None
    assert "'train/0001TP_006720.jpg'" in scenes["train/0001TP/006720"].faults[0].detail


def test_missing_image_is_named_when_it_is_read(camvid_folder):
    (camvid_folder / "train" / "0001TP_006720.jpg").unlink()
    fault = refuse(load(camvid_folder), "train/0001TP/006720")
    assert fault.kind is FaultKind.IMAGE_MISSING
    assert "'trainannot/0001TP_006720.png'" in fault.detail


def test_two_images_of_one_name_are_named_when_they_are_read(camvid_folder):
    add(camvid_folder, "train", "0001TP_006690.jpg")
    scenes = load(camvid_folder)
    fault = refuse(scenes, "train/0001TP/006690")
    assert fault == Fault(FaultKind.AMBIGUOUS, "'train/0001TP_006690.jpg' and 'train/0001TP_006690.png'")
    assert list(scenes) == sorted(TRAIN + VALIDATION)


def test_one_name_in_two_splits_is_two_scenes_of_one_drive(camvid_folder):
    add(camvid_folder, "val", "0001TP_006690.png")
    scenes = load(camvid_folder)
    assert list(scenes) == sorted(["val/0001TP/006690", *TRAIN, *VALIDATION])
    train, validation = (f"{split}/0001TP/006690" for split in ("train", "val"))
    assert [scenes[scene].size for scene in (train, validation)] == [(36, 48), (3, 4)]
    assert {scenes.records[scene].drive for scene in (train, validation)} == {"0001TP"}


def test_cut_off_image_is_named_when_it_is_read(camvid_folder):
    image = camvid_folder / "train" / "0001TP_006720.jpg"
    image.write_bytes(image.read_bytes()[:500])
    fault = refuse(load(camvid_folder), "train/0001TP/006720")
    assert fault.kind is FaultKind.IMAGE_BROKEN
    assert "'train/0001TP_006720.jpg'" in fault.detail
    assert "(500 bytes)" in fault.detail


def test_label_map_in_colours_is_named_when_it_is_read(camvid_folder):
    annotation = camvid_folder / "valannot" / "0016E5_07959.png"
    Image.new("RGB", (48, 36), "red").save(annotation)
    fault = refuse(load(camvid_folder), "val/0016E5/07959")
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "label map 'valannot/0016E5_07959.png' must have one channel" in fault.detail


def test_raw_scenes_are_not_saved(camvid_folder):
    with pytest.raises(DatasetError, match="read only"):
        CamVidDataset(filepath=str(camvid_folder)).save(object())


def test_data_set_exists_when_its_folder_does(camvid_folder, tmp_path):
    assert CamVidDataset(filepath=str(camvid_folder)).exists()
    assert not CamVidDataset(filepath=str(tmp_path / "none")).exists()
