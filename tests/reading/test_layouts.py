"""Every layout from its folder to prepared label maps, pixel by pixel, against Pillow and NumPy."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from roadseg.datasets.camvid import CamVidDataset
from roadseg.datasets.camvid_original import CamVidOriginalDataset
from roadseg.datasets.cityscapes import CityscapesDataset
from roadseg.datasets.idd import IddDataset
from roadseg.datasets.idd_lite import IddLiteDataset
from roadseg.datasets.label_space import SHIPPED, LabelSpaceDataset
from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.reading.preparation import carry_out
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

CAMVID = (
    *("sky", "building", "pole", "road", "pavement", "tree", "sign or symbol", "fence", "car", "pedestrian"),
    *("bicyclist", "unlabelled"),
)
LEVEL_1 = ("drivable", "non-drivable", "living things", "vehicles", "road-side objects", "far objects", "sky")
CITYSCAPES = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "other ground", "road"),
    *("sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole"),
    *("polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car"),
    *("truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
)


def mine(filepath: str) -> SceneFoldersDataset:
    patterns = {"images": "**/{drive}/{frame}.jpg", "annotations": "**/{drive}/{frame}.png"}
    return SceneFoldersDataset(filepath=filepath, raw_names={0: "asphalt"}, **patterns)


def class_ids(name: str) -> dict[str, int]:
    """Returns the class of each raw name, straight from the file."""
    space = yaml.safe_load((SHIPPED / f"{name}.yml").read_text())
    ids = {raw: index for index, each in enumerate(space["classes"]) for raw in each["raw"]}
    return ids | dict.fromkeys(space["void"], 255)


def nearest(label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns the raw pixel whose centre is nearest to that of each prepared pixel; of two the later."""
    rows, columns = (
        ((np.arange(new) + 0.5) * raw / new).astype(int) for raw, new in zip(label_map.shape, size, strict=True)
    )
    return label_map[np.ix_(rows, columns)]


def as_classes(path: Path, names: tuple[str, ...] | dict[int, str], space: str) -> np.ndarray:
    """Returns a label map in class ids: what Pillow reads, looked up pixel by pixel."""
    ids, names = class_ids(space), dict(names) if isinstance(names, dict) else dict(enumerate(names))
    table = {raw: ids[name] for raw, name in names.items()}
    return np.vectorize(table.__getitem__)(np.asarray(Image.open(path)))


def as_the_official_tool(path: Path) -> np.ndarray:
    """Returns a polygon file in class ids: each object painted over those before it."""
    content = json.loads(path.read_text())
    picture = Image.new("L", (content["imgWidth"], content["imgHeight"]), 255)
    ids = class_ids("seven_classes")
    for each in content["objects"]:
        if len(each["polygon"]) > 2 and not each.get("deleted"):
            ImageDraw.Draw(picture).polygon([tuple(point) for point in each["polygon"]], fill=ids[each["label"]])
    return np.asarray(picture)


def camvid(folder: Path, scene: str, space: str) -> np.ndarray:
    split, drive, frame = scene.split("/")
    return as_classes(folder / f"{split}annot/{drive}_{frame}.png", CAMVID, space)


def camvid_seven(folder: Path, scene: str) -> np.ndarray:
    return camvid(folder, scene, "seven_classes")


def camvid_eleven(folder: Path, scene: str) -> np.ndarray:
    return camvid(folder, scene, "camvid_classes")


def camvid_original(folder: Path, scene: str, space: str) -> np.ndarray:
    """Returns a label map of the authors in class ids: each pixel looked up in their list."""
    names = {}
    for line in (folder / "label_colors.txt").read_text().splitlines():
        red, green, blue, name = line.split()
        names[int(red), int(green), int(blue)] = name
    ids = class_ids(space)
    pixels = np.asarray(Image.open(folder / f"LabeledApproved_full/{scene.replace('/', '_')}_L.png"))
    return np.array([[ids[names[tuple(pixel)]] for pixel in row] for row in pixels.tolist()])


def camvid_original_seven(folder: Path, scene: str) -> np.ndarray:
    return camvid_original(folder, scene, "camvid_original_seven")


def camvid_original_eleven(folder: Path, scene: str) -> np.ndarray:
    return camvid_original(folder, scene, "camvid_original_eleven")


def idd(folder: Path, scene: str) -> np.ndarray:
    return as_the_official_tool(next(folder.glob(f"*/gtFine/{scene}_gtFine_polygons.json")))


def idd_lite(folder: Path, scene: str) -> np.ndarray:
    names = {**dict(enumerate(LEVEL_1)), 255: "unlabeled"}
    return as_classes(folder / f"gtFine/{scene}_label.png", names, "seven_classes")


def cityscapes(folder: Path, scene: str) -> np.ndarray:
    return as_classes(folder / f"gtFine/{scene}_gtFine_labelIds.png", CITYSCAPES, "seven_classes")


@pytest.mark.parametrize("size", [(24, 48), (17, 23), (240, 480)])
@pytest.mark.parametrize(
    ("data_set", "kind", "space", "expect"),
    [
        ("camvid", CamVidDataset, "seven_classes", camvid_seven),
        ("camvid", CamVidDataset, "camvid_classes", camvid_eleven),
        ("camvid_original", CamVidOriginalDataset, "camvid_original_seven", camvid_original_seven),
        ("camvid_original", CamVidOriginalDataset, "camvid_original_eleven", camvid_original_eleven),
        ("idd", IddDataset, "seven_classes", idd),
        ("idd_lite", IddLiteDataset, "seven_classes", idd_lite),
        ("cityscapes", CityscapesDataset, "seven_classes", cityscapes),
    ],
)
def test_prepared_label_maps_are_those_of_other_tools(data_set, kind, space, expect, size, request, tmp_path):
    folder = request.getfixturevalue(f"{data_set}_folder")
    raw_scenes = kind(filepath=str(folder)).load()
    options = PrepareOptions(image_size=size, unknown_label="error", unusable_share=0.0, workers=1)
    plan = plan_preparation(raw_scenes, list(raw_scenes), LabelSpaceDataset(name=space).load(), options)
    scenes = carry_out(plan, SceneStoreDataset(filepath=f"{tmp_path}/store").load())
    labelled = {scene: each for scene, each in scenes.items() if each.label_map is not None}
    assert len(labelled) >= 6
    for scene, prepared in labelled.items():
        np.testing.assert_array_equal(prepared.label_map, nearest(expect(folder, scene), size), err_msg=scene)
    assert len({int(each) for prepared in labelled.values() for each in np.unique(prepared.label_map)}) > 7


@pytest.mark.parametrize(
    ("data_set", "kind"),
    [
        ("camvid", CamVidDataset),
        ("idd", IddDataset),
        ("idd_lite", IddLiteDataset),
        ("cityscapes", CityscapesDataset),
        ("mine", mine),
    ],
)
def test_what_systems_leave_behind_is_no_scene_in_any_layout(data_set, kind, request):
    folder = request.getfixturevalue(f"{data_set}_folder")
    records = kind(filepath=str(folder)).load().records
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
    assert kind(filepath=str(folder)).load().records == records
