"""A tiny CamVid in the folders of the SegNet tutorial."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.data_set import DataSet, look_up, turn_round
from roadseg.datasets.camvid import CamVidDataset

SEED = 11
CELLS, CELL = (3, 4), 12  # label maps are cells of one class: 36 x 48 pixels
FRAMES = {
    "train": ("0001TP_006690.png", "0001TP_006720.jpg", "0006R0_f00930.png", "0006R0_f00960.jpg"),
    "val": ("0016E5_07959.png", "0016E5_07961.jpg"),
}
NAMES = (
    *("sky", "building", "pole", "road", "pavement", "tree", "sign or symbol", "fence", "car", "pedestrian"),
    *("bicyclist", "unlabelled"),
)
PALETTE = np.array(
    [
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
        (0, 0, 0),
    ],
    np.uint8,
)


def draw_camvid(folder: Path) -> None:
    """Draw images and label maps; each label map holds all twelve ids, each image the label's colour and noise."""
    random = np.random.default_rng(SEED)
    for split, names in FRAMES.items():
        images, annotations = folder / split, folder / f"{split}annot"
        images.mkdir(parents=True)
        annotations.mkdir()
        for name in names:
            cells = random.permutation(len(PALETTE)).astype(np.uint8).reshape(CELLS)
            label_map = np.kron(cells, np.ones((CELL, CELL), np.uint8))
            noise = random.integers(0, 32, (*label_map.shape, 3), np.uint8)
            Image.fromarray(PALETTE[label_map] + noise).save(images / name)
            Image.fromarray(label_map).save(annotations / f"{Path(name).stem}.png")


SEVEN_CLASSES = {
    "drivable": ["road"],
    "non-drivable": ["pavement"],
    "living things": ["pedestrian", "bicyclist"],
    "vehicles": ["car"],
    "road-side objects": ["pole", "sign or symbol", "fence"],
    "far objects": ["building", "tree"],
    "sky": ["sky"],
    None: ["unlabelled"],
}


def read_names(folder: Path, scene: str) -> np.ndarray | None:
    split, drive, frame = scene.split("/")
    return look_up(folder / f"{split}annot/{drive}_{frame}.png", dict(enumerate(NAMES)))


DATA_SET = DataSet(
    name="camvid",
    draw=draw_camvid,
    reader=CamVidDataset,
    scenes={
        "train": ["train/0001TP/006690", "train/0001TP/006720", "train/0006R0/f00930", "train/0006R0/f00960"],
        "validation": ["val/0016E5/07959", "val/0016E5/07961"],
    },
    read_names=read_names,
    classes={
        "seven_classes": turn_round(SEVEN_CLASSES),
        "camvid_classes": {**{name: name for name in NAMES[:-1]}, "unlabelled": None},
    },
    environments={"camvid": "seven_classes", "camvid_11": "camvid_classes"},
    drives=(2, 1, 0),
)
