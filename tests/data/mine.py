"""Draws a data set of a user's own, as `docs/own_data.md` describes it: `python tests/data/mine.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 5
DRIVES = ("north", "NA", "0001", "1e5")  # one of these could be read as missing, two as numbers
FRAMES = 3
IDS = (0, 1, 2, 3, 255)
BAND = (40, 20)  # label maps are bands of one id


def draw_mine(folder: Path) -> None:
    """Draw images and label maps; a label map holds every id in a band as wide as the others."""
    random = np.random.default_rng(SEED)
    for drive in DRIVES:
        for kind in ("images", "labels"):
            (folder / kind / drive).mkdir(parents=True)
        for frame in range(FRAMES):
            label_map = np.kron(random.permutation(IDS), np.ones(BAND)).astype(np.uint8)
            noise = random.integers(0, 64, (*label_map.shape, 3), np.uint8)
            Image.fromarray(label_map[..., None] // 2 + noise).save(folder / f"images/{drive}/{frame}.jpg")
            Image.fromarray(label_map).save(folder / f"labels/{drive}/{frame}.png")


if __name__ == "__main__":
    draw_mine(Path(sys.argv[1]))
