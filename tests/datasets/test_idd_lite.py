import numpy as np
import pytest
from PIL import Image

from data.idd_lite import NAMES
from roadseg.datasets.idd_lite import IddLiteDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.scenes.faults import FaultKind, UnusableSceneError
from roadseg.scenes.labels import remap_label_map

TRAIN = ["train/0/024541", "train/0/024703", "train/200/frame1234", "train/93/001213"]
VALIDATION = ["val/119/903127", "val/377/frame2890"]
TEST = ["test/181/000513"]


def load(folder):
    return IddLiteDataset(filepath=str(folder)).load()


def add(folder, name, *, size=(227, 320), annotated=True):
    random = np.random.default_rng(0)
    (folder / "leftImg8bit" / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8)).save(folder / f"leftImg8bit/{name}_image.jpg")
    if annotated:
        (folder / "gtFine" / name).parent.mkdir(parents=True, exist_ok=True)
        label_map = Image.fromarray(random.choice([*NAMES], size).astype(np.uint8))
        for kind in ("label", "inst_label"):
            label_map.save(folder / f"gtFine/{name}_{kind}.png")


def test_scenes_can_be_read_without_a_fault_and_test_has_no_labels(idd_lite_folder):
    scenes = load(idd_lite_folder)
    assert len(scenes) == 7
    for scene, read in scenes.items():
        assert (read.image.shape, read.size, read.faults) == ((25, 48, 3), (25, 48), ())
        if scene in TEST:
            assert read.label_map is None
        else:
            assert read.raw_names == NAMES
            assert np.unique(read.label_map).tolist() == [0, 1, 2, 3, 4, 5, 6, 255]


def test_scene_of_the_real_size_is_what_pillow_reads(tmp_path):
    add(tmp_path, "train/7/frame10")
    read = load(tmp_path)["train/7/frame10"]
    with Image.open(tmp_path / "leftImg8bit/train/7/frame10_image.jpg") as picture:
        # Two JPEG decoders may round differently.
        assert np.abs(read.image.astype(int) - np.asarray(picture)).max() <= 3
    with Image.open(tmp_path / "gtFine/train/7/frame10_label.png") as picture:
        np.testing.assert_array_equal(read.label_map, np.asarray(picture))
    assert read.size == (227, 320)


@pytest.mark.parametrize(("least", "shape"), [((240, 480), (227, 320)), ((114, 160), (114, 160)), ((50, 80), (57, 80))])
def test_image_is_shrunk_and_the_label_map_is_not(tmp_path, least, shape):
    add(tmp_path, "train/7/frame10")
    read = load(tmp_path).read("train/7/frame10", least)
    assert (read.image.shape[:2], read.label_map.shape, read.size) == (shape, (227, 320), (227, 320))


def test_ids_are_the_classes_of_the_shipped_label_space(idd_lite_folder):
    label_space = LabelSpaceDataset(name="seven_classes").load()
    read = load(idd_lite_folder)["train/0/024541"]
    class_ids, unknown = remap_label_map(read.label_map, read.raw_names, label_space)
    np.testing.assert_array_equal(class_ids, read.label_map)
    assert unknown == []


def test_instances_are_not_asked_for(idd_lite_folder):
    with_instances = load(idd_lite_folder).records
    for path in idd_lite_folder.rglob("*_inst_label.png"):
        path.write_bytes(b"no picture")
    assert load(idd_lite_folder).records == with_instances
    for path in idd_lite_folder.rglob("*_inst_label.png"):
        path.unlink()
    assert load(idd_lite_folder).records == with_instances


def test_missing_label_map_is_noted_though_that_of_the_instances_is_there(idd_lite_folder):
    (idd_lite_folder / "gtFine/train/0/024541_label.png").unlink()
    scenes = load(idd_lite_folder)
    assert list(scenes) == sorted(TRAIN + VALIDATION + TEST)
    assert scenes["train/0/024541"].label_map is None
    assert [fault.kind for fault in scenes["train/0/024541"].faults] == [FaultKind.NO_ANNOTATION]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("leftImg8bit/train/0/024541_image.jpg", FaultKind.IMAGE_MISSING),
        ("leftImg8bit/train/0/024541_image.jpg", FaultKind.IMAGE_BROKEN),
        ("gtFine/train/0/024541_label.png", FaultKind.ANNOTATION_BROKEN),
    ],
)
def test_missing_or_broken_file_makes_its_scene_unusable(idd_lite_folder, path, kind):
    if kind is FaultKind.IMAGE_MISSING:
        (idd_lite_folder / path).unlink()
    else:
        (idd_lite_folder / path).write_bytes((idd_lite_folder / path).read_bytes()[:100])
    scenes = load(idd_lite_folder)
    assert list(scenes) == sorted(TRAIN + VALIDATION + TEST)
    with pytest.raises(UnusableSceneError) as error:
        scenes["train/0/024541"]
    assert error.value.fault.kind is kind
    assert scenes["train/0/024703"].faults == ()


def test_label_map_of_another_size_makes_its_scene_unusable(tmp_path):
    add(tmp_path, "train/7/frame10", size=(26, 40))
    add(tmp_path, "train/7/frame10", size=(26, 41), annotated=False)
    scenes = load(tmp_path)
    with pytest.raises(UnusableSceneError) as error:
        scenes["train/7/frame10"]
    assert error.value.fault.kind is FaultKind.OTHER_SIZE
