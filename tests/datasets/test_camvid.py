import os
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.camvid import CamVidDataset
from roadseg.scenes.raw import Scene

NAMES = ["sky", "building", "pole", "road", "pavement", "tree"]
NAMES += ["sign or symbol", "fence", "car", "pedestrian", "bicyclist", "unlabelled"]
TRAIN = ["0001TP_006690", "0001TP_006720", "0006R0_f00930", "0006R0_f00960"]
VALIDATION = ["0016E5_07959", "0016E5_07961"]


def load(folder):
    return CamVidDataset(filepath=str(folder)).load()


def add(folder: Path, split, name, *, size=(4, 3), annotated=True):
    (folder / split).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(folder / split / name)
    if annotated:
        (folder / f"{split}annot").mkdir(exist_ok=True)
        Image.new("L", size).save(folder / f"{split}annot" / f"{Path(name).stem}.png")


def test_scenes_are_the_frames_of_every_split(camvid_folder):
    scenes = load(camvid_folder)
    assert sorted(scenes) == sorted(TRAIN + VALIDATION)
    assert {scene: record.published_split for scene, record in scenes.records.items()} == (
        dict.fromkeys(TRAIN, "train") | dict.fromkeys(VALIDATION, "validation")
    )
    assert {record.drive for record in scenes.records.values()} == {"0001TP", "0006R0", "0016E5"}


def test_drive_is_the_name_up_to_the_underscore(tmp_path):
    add(tmp_path, "test", "Seq05VD_f00000.png")
    assert load(tmp_path).records["Seq05VD_f00000"].drive == "Seq05VD"


def test_raw_names_are_the_eleven_classes_and_void(camvid_folder):
    assert load(camvid_folder).raw_names == dict(enumerate(NAMES))


@pytest.mark.parametrize("scene", ["0001TP_006690", "0001TP_006720"])  # PNG, JPEG
def test_scene_is_what_pillow_reads(camvid_folder, scene):
    read = load(camvid_folder)[scene]
    path = next((camvid_folder / "train").glob(f"{scene}.*"))
    expected = np.asarray(Image.open(path).convert("RGB"))
    # Two JPEG decoders may round differently.
    assert np.abs(read.image.astype(int) - expected).max() <= (0 if path.suffix == ".png" else 2)
    np.testing.assert_array_equal(read.label_map, np.asarray(Image.open(camvid_folder / f"trainannot/{scene}.png")))
    assert read.label_map.dtype == np.uint8
    assert set(np.unique(read.label_map)) == set(range(12))


def test_test_split_without_annotations_has_no_labels(camvid_folder):
    add(camvid_folder, "test", "Seq05VD_f00000.jpg", annotated=False)
    scenes = load(camvid_folder)
    assert isinstance(scenes["Seq05VD_f00000"], Scene)
    assert scenes["Seq05VD_f00000"].label_map is None
    assert scenes.records["Seq05VD_f00000"].published_split == "test"
    assert scenes["0001TP_006690"].label_map is not None


def test_files_that_are_no_images_are_passed_over(camvid_folder):
    (camvid_folder / "train" / "Thumbs.db").write_text("")
    (camvid_folder / "train.txt").write_text("")
    add(camvid_folder, "trial", "0001TP_1.png")
    assert len(load(camvid_folder)) == 6


@pytest.mark.parametrize("name", ["0001TP_1.PNG", "0001TP_1.JPG", "0001TP_1.jpeg"])
def test_endings_of_images(tmp_path, name):
    add(tmp_path, "train", name)
    assert list(load(tmp_path)) == ["0001TP_1"]


def test_folder_may_be_a_symbolic_link(camvid_folder, tmp_path):
    (tmp_path / "link").symlink_to(camvid_folder, target_is_directory=True)
    assert load(tmp_path / "link").records == load(camvid_folder).records
    assert load(tmp_path / "link")["0001TP_006690"].image.shape == (36, 48, 3)


def test_fingerprint_follows_image_and_annotation_of_its_scene_alone(camvid_folder):
    before = load(camvid_folder).records
    os.utime(camvid_folder / "train" / "0001TP_006690.png", ns=(1, 1))
    os.utime(camvid_folder / "valannot" / "0016E5_07961.png", ns=(1, 1))
    after = load(camvid_folder).records
    changed = {scene for scene in before if before[scene].fingerprint != after[scene].fingerprint}
    assert changed == {"0001TP_006690", "0016E5_07961"}


def test_loading_reads_no_scene(camvid_folder):
    for path in camvid_folder.glob("*/*"):
        path.write_bytes(b"no image")
    assert len(load(camvid_folder)) == 6


def test_missing_folder_is_named_with_what_to_do(tmp_path):
    words = rf"there is no folder '{tmp_path}/none': link or copy .* or give --params raw_folder=PATH"
    with pytest.raises(DatasetError, match=words):
        load(tmp_path / "none")


def test_dangling_link_is_named(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(DatasetError, match=rf"there is no folder '{tmp_path}/link'"):
        load(tmp_path / "link")


def test_folder_without_images_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0001TP_1.txt").write_text("")
    words = rf"no images in '{tmp_path}': expected .png, .jpg, .jpeg files in one or more of train, val, test"
    with pytest.raises(DatasetError, match=words):
        load(tmp_path)


def test_missing_annotation_is_named(camvid_folder):
    annotation = camvid_folder / "trainannot" / "0001TP_006720.png"
    annotation.unlink()
    with pytest.raises(DatasetError, match=rf"'.*train/0001TP_006720.jpg' has no annotation: expected '{annotation}'"):
        load(camvid_folder)


@pytest.mark.parametrize(("split", "name"), [("train", "0001TP_006690.jpg"), ("val", "0001TP_006690.png")])
def test_two_images_of_one_name_are_named(camvid_folder, split, name):
    add(camvid_folder, split, name)
    with pytest.raises(DatasetError, match=r"frame '0001TP_006690' stands twice: '.*' and '.*'") as fault:
        load(camvid_folder)
    assert "/train/0001TP_006690.png'" in str(fault.value)
    assert f"/{split}/{name}'" in str(fault.value)


def test_cut_off_image_is_named_when_it_is_read(camvid_folder):
    image = camvid_folder / "train" / "0001TP_006720.jpg"
    image.write_bytes(image.read_bytes()[:500])
    scenes = load(camvid_folder)
    with pytest.raises(DatasetError, match=rf"'{image}' is no image that can be read \(500 bytes\)"):
        scenes["0001TP_006720"]


def test_label_map_in_colours_is_named_when_it_is_read(camvid_folder):
    annotation = camvid_folder / "valannot" / "0016E5_07959.png"
    Image.new("RGB", (48, 36)).save(annotation)
    scenes = load(camvid_folder)
    with pytest.raises(DatasetError, match=rf"label map '{annotation}' must have one channel"):
        scenes["0016E5_07959"]


def test_raw_scenes_are_not_saved(camvid_folder):
    with pytest.raises(DatasetError, match="read only"):
        CamVidDataset(filepath=str(camvid_folder)).save(object())


def test_data_set_exists_when_its_folder_does(camvid_folder, tmp_path):
    assert CamVidDataset(filepath=str(camvid_folder)).exists()
    assert not CamVidDataset(filepath=str(tmp_path / "none")).exists()
