"""A tiny Cityscapes."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from data.data_set import DataSet, look_up, turn_round
from roadseg.datasets.cityscapes import CityscapesDataset

SEED = 37
CELLS, CELL = (5, 7), 10  # label maps are cells of one class, twice "unlabeled": 50 x 70 pixels
FRAMES = (
    *("train/aachen/aachen_000000_000019", "train/aachen/aachen_000001_000019"),
    *("train/bochum/bochum_000000_000313", "train/hamburg/hamburg_000000_000042"),
    *("val/munster/munster_000000_000019", "val/munster/munster_000001_000019"),
    "test/berlin/berlin_000000_000019",
)
LABELS = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road"),
    *("sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole"),
    *("polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car"),
    *("truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
)
# IDD's files hold "ground" by mistake, so the label is called otherwise here.
NAMES = dict(enumerate(name if name != "ground" else "other ground" for name in LABELS))
FIRST_THING = 24  # person; from here on each object has an id of its own, and instance maps hold 1000 x label + object
IGNORED = 4  # the test split's labels are withheld: its files hold the first four alone


def draw_cityscapes(folder: Path) -> None:
    """Draw images, label maps and polygon files; each annotation but that of the test split holds all 34 labels."""
    random = np.random.default_rng(SEED)
    palette = random.integers(0, 224, (len(LABELS), 3), np.uint8)
    for name in FRAMES:
        shuffled = random.permutation([*range(len(LABELS)), 0]).astype(np.uint8).reshape(CELLS)
        cells = shuffled % IGNORED if name.startswith("test") else shuffled
        picture = palette[_enlarge(shuffled)]
        _save(picture + random.integers(0, 32, picture.shape, np.uint8), folder, f"leftImg8bit/{name}_leftImg8bit.png")
        _save(_enlarge(cells), folder, f"gtFine/{name}_gtFine_labelIds.png")
        instances = np.where(cells < FIRST_THING, cells, cells * np.uint16(1000))
        _save(_enlarge(instances), folder, f"gtFine/{name}_gtFine_instanceIds.png")
        _save(palette[_enlarge(cells)], folder, f"gtFine/{name}_gtFine_color.png")
        (folder / f"gtFine/{name}_gtFine_polygons.json").write_text(json.dumps(_describe(cells)))


def _enlarge(cells):
    return np.kron(cells, np.ones((CELL, CELL), np.uint8))


def _describe(cells):
    objects = []
    for row, column in np.ndindex(*CELLS):
        left, top = column * CELL, row * CELL
        right, bottom = left + CELL - 1, top + CELL - 1
        polygon = [(left, top), (right, top), (right, bottom), (left, bottom)]
        objects.append({"label": LABELS[cells[row, column]], "polygon": polygon})
    return {"imgHeight": CELLS[0] * CELL, "imgWidth": CELLS[1] * CELL, "objects": objects}


def _save(pixels, folder, name):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


# The labels that IDD has too become what they are there; a vegetated strip beside the road is not for driving.
SEVEN_CLASSES = {
    "drivable": ["road", "parking"],
    "non-drivable": ["sidewalk", "rail track", "terrain"],
    "living things": ["person", "rider"],
    "vehicles": ["car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"],
    "road-side objects": ["wall", "fence", "guard rail", "pole", "polegroup", "traffic light", "traffic sign"],
    "far objects": ["building", "bridge", "tunnel", "vegetation"],
    "sky": ["sky"],
    None: [
        *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "other ground"),
    ],
}


def read_names(folder: Path, scene: str) -> np.ndarray | None:
    return look_up(folder / f"gtFine/{scene}_gtFine_labelIds.png", NAMES)


DATA_SET = DataSet(
    name="cityscapes",
    draw=draw_cityscapes,
    reader=CityscapesDataset,
    scenes={"train": FRAMES[:4], "validation": FRAMES[4:6], "test": FRAMES[6:]},
    read_names=read_names,
    classes={"seven_classes": turn_round(SEVEN_CLASSES)},
    environments={"cityscapes": "seven_classes"},
    drives=(2, 1, 1),
    warnings=1,  # of the test split whose labels are withheld, which is void
)
