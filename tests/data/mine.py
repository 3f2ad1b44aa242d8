"""A data set of a user's own, as `docs/own_data.md` describes it."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from data.data_set import DataSet, look_up
from roadseg.datasets.scene_folders import SceneFoldersDataset

SEED = 5
DRIVES = ("north", "NA", "0001", "1e5")  # one of these could be read as missing, two as numbers
FRAMES = 3
NAMES = {0: "asphalt", 1: "car", 2: "van", 3: "cloud", 255: "unlabeled"}
BAND = (40, 20)  # label maps are bands of one id


def draw_mine(folder: Path) -> None:
    """Draw images and label maps; a label map holds every id in a band as wide as the others."""
    random = np.random.default_rng(SEED)
    for drive in DRIVES:
        for kind in ("images", "labels"):
            (folder / kind / drive).mkdir(parents=True)
        for frame in range(FRAMES):
            label_map = np.kron(random.permutation([*NAMES]), np.ones(BAND)).astype(np.uint8)
            noise = random.integers(0, 64, (*label_map.shape, 3), np.uint8)
            Image.fromarray(label_map[..., None] // 2 + noise).save(folder / f"images/{drive}/{frame}.jpg")
            Image.fromarray(label_map).save(folder / f"labels/{drive}/{frame}.png")


def read_names(folder: Path, scene: str) -> np.ndarray | None:
    return look_up(folder / f"labels/{scene}.png", NAMES)


DATA_SET = DataSet(
    name="mine",
    draw=draw_mine,
    reader=partial(
        SceneFoldersDataset, images="**/{drive}/{frame}.jpg", annotations="**/{drive}/{frame}.png", raw_names=NAMES
    ),
    scenes={None: [f"{drive}/{frame}" for drive in DRIVES for frame in range(FRAMES)]},
    read_names=read_names,
    classes={},
    environments={},
)
