"""A tiny India Driving Dataset, parts I and II."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from data.data_set import DataSet, paint, turn_round
from roadseg.datasets.idd import IddDataset

SEED = 29
CELLS = (5, 8)  # polygons are cells, one for each label
TALL, SMALL, WIDE = (61, 81), (72, 128), (108, 192)  # the shapes of 1280x964, 1280x720 and 1920x1080 frames
FRAMES = {
    "IDD_Segmentation": {
        "train/0/024541.png": WIDE,
        "train/0/024703.png": WIDE,
        "train/93/001213.png": TALL,
        "val/119/903127.png": SMALL,
        "val/119/903184.png": SMALL,
        "test/181/000513.png": SMALL,
    },
    "idd20kII": {
        "train/200/frame1234.jpg": WIDE,
        "train/200/frame13579.jpg": WIDE,
        "train/283/0003438.jpg": WIDE,
        "val/377/frame0029.jpg": WIDE,
        "val/377/frame2890.jpg": WIDE,
        "test/580/0001620.jpg": WIDE,
    },
}
LABELS = (
    *("road", "parking", "drivable fallback", "sidewalk", "rail track", "non-drivable fallback"),
    *("person", "animal", "rider", "motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus", "caravan"),
    *("trailer", "train", "vehicle fallback", "curb", "wall", "fence", "guard rail", "billboard", "traffic sign"),
    *("traffic light", "pole", "polegroup", "obs-str-bar-fallback", "building", "bridge", "tunnel", "vegetation"),
    *("sky", "fallback background", "unlabeled", "ego vehicle", "rectification border", "out of roi", "license plate"),
)


def draw_idd(folder: Path, *, merged: bool = False) -> None:
    """Draw images and polygon files; each file of polygons holds all forty labels, each image a colour for each label.

    Args:
        folder: Where to; with one folder for each part in it, or both in one.
        merged: Whether both are in one.
    """
    random = np.random.default_rng(SEED)
    colours = random.integers(0, 224, (len(LABELS), 3)).tolist()
    for part, frames in FRAMES.items():
        root = folder if merged else folder / part
        for name, size in frames.items():
            polygons = _draw_polygons(random, size)
            picture = Image.new("RGB", size[::-1])
            for label, points in polygons:
                ImageDraw.Draw(picture).polygon(points, fill=tuple(colours[LABELS.index(label)]))
            noise = random.integers(0, 32, (*size, 3), np.uint8)
            stem, suffix = name.split(".")
            path = root / "leftImg8bit" / f"{stem}_leftImg8bit.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(picture) + noise).save(path)
            if not name.startswith("test"):
                path = root / "gtFine" / f"{stem}_gtFine_polygons.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(_describe(polygons, size)))


def _draw_polygons(random, size):
    """Returns (label, points) of a scene: one quadrangle a cell, which reaches a little into the cells beside it."""
    height, width = (side / count for side, count in zip(size, CELLS, strict=True))
    polygons = []
    for cell, label in enumerate(random.permutation(LABELS).tolist()):
        row, column = divmod(cell, CELLS[1])
        corners = np.array([(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)], float)
        points = (corners + random.uniform(-0.1, 0.1, corners.shape)) * (width, height)
        points = points.clip(0, (size[1] - 1, size[0] - 1)).round(2)
        polygons.append((label, [tuple(point) for point in points.tolist()]))
    return polygons


def _describe(polygons, size):
    unused = {"draw": True, "verified": 0, "user": "anonymous", "date": "01-Jan-2018 10:00:00"}
    objects = [
        {"label": label, "polygon": points, "deleted": 0, "id": number, **unused}
        for number, (label, points) in enumerate(polygons)
    ]
    return {"imgHeight": size[0], "imgWidth": size[1], "objects": objects}


LEVEL_1 = {  # AutoNUE public-code, helpers/anue_labels.py
    "drivable": LABELS[:3],
    "non-drivable": LABELS[3:6],
    "living things": LABELS[6:9],
    "vehicles": LABELS[9:19],
    "road-side objects": LABELS[19:29],
    "far objects": LABELS[29:33],
    "sky": LABELS[33:35],
    None: LABELS[35:],
}


def read_names(folder: Path, scene: str) -> np.ndarray | None:
    return paint([*folder.glob(f"*/gtFine/{scene}_gtFine_polygons.json")], background="unlabeled")


DATA_SET = DataSet(
    name="idd",
    draw=draw_idd,
    reader=IddDataset,
    scenes={
        "train": [
            *("train/0/024541", "train/0/024703", "train/93/001213"),
            *("train/200/frame1234", "train/200/frame13579", "train/283/0003438"),
        ],
        "validation": ["val/119/903127", "val/119/903184", "val/377/frame0029", "val/377/frame2890"],
        "test": ["test/181/000513", "test/580/0001620"],
    },
    read_names=read_names,
    classes={"seven_classes": turn_round(LEVEL_1)},
    environments={"idd": "seven_classes"},
    drives=(3, 2, 1),
)
