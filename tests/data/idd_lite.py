"""A tiny IDD-Lite."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.data_set import DataSet, look_up
from roadseg.datasets.idd_lite import IddLiteDataset

SEED = 31
CELLS, CELL = (2, 4), 12  # label maps are cells of one class, and a row more: 25 x 48 pixels, as odd as 227 x 320
FRAMES = (
    *("train/0/024541", "train/0/024703", "train/93/001213", "train/200/frame1234"),
    *("val/119/903127", "val/377/frame2890"),
    "test/181/000513",
)
NAMES = {
    0: "drivable",
    1: "non-drivable",
    2: "living things",
    3: "vehicles",
    4: "road-side objects",
    5: "far objects",
    6: "sky",
    255: "unlabeled",
}
PALETTE = np.zeros((256, 3), np.uint8)
PALETTE[:7] = (
    (128, 64, 18),
    (223, 35, 222),
    (220, 20, 60),
    (0, 0, 223),
    (220, 190, 40),
    (70, 70, 70),
    (70, 130, 180),
)


def draw_idd_lite(folder: Path) -> None:
    """Draw images and label maps; each label map holds all eight ids, each image the label's colour and noise."""
    random = np.random.default_rng(SEED)
    for name in FRAMES:
        cells = random.permutation([*NAMES]).astype(np.uint8).reshape(CELLS)
        label_map = np.pad(np.kron(cells, np.ones((CELL, CELL), np.uint8)), ((0, 1), (0, 0)), mode="edge")
        noise = random.integers(0, 32, (*label_map.shape, 3), np.uint8)
        _save(PALETTE[label_map] + noise, folder / "leftImg8bit" / f"{name}_image.jpg")
        if not name.startswith("test"):
            for kind in ("label", "inst_label"):
                _save(label_map, folder / "gtFine" / f"{name}_{kind}.png")


def _save(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def read_names(folder: Path, scene: str) -> np.ndarray | None:
    return look_up(folder / f"gtFine/{scene}_label.png", NAMES)


DATA_SET = DataSet(
    name="idd_lite",
    draw=draw_idd_lite,
    reader=IddLiteDataset,
    scenes={"train": FRAMES[:4], "validation": FRAMES[4:6], "test": FRAMES[6:]},
    read_names=read_names,
    classes={"seven_classes": {name: name if raw_id < 255 else None for raw_id, name in NAMES.items()}},
    environments={"idd_lite": "seven_classes"},
    drives=(2, 2, 1),
)
