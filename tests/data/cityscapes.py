"""Draws a tiny Cityscapes: `python tests/data/cityscapes.py FOLDER`."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

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


if __name__ == "__main__":
    draw_cityscapes(Path(sys.argv[1]))
