"""Draws a tiny CamVid in the folders of the SegNet tutorial: `python tests/data/camvid.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 11
CELLS, CELL = (3, 4), 12  # label maps are cells of one class: 36 x 48 pixels
FRAMES = {
    "train": ("0001TP_006690.png", "0001TP_006720.jpg", "0006R0_f00930.png", "0006R0_f00960.jpg"),
    "val": ("0016E5_07959.png", "0016E5_07961.jpg"),
}
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


if __name__ == "__main__":
    draw_camvid(Path(sys.argv[1]))
