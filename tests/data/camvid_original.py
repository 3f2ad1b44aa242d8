"""A tiny CamVid as its authors publish it."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.data_set import DataSet, turn_round
from roadseg.datasets.camvid_original import CamVidOriginalDataset

SEED = 13
CELLS, CELL = (4, 8), 6  # label maps are cells of one class: 24 x 48 pixels
FRAMES = (
    *("0001TP_006690", "0001TP_008520", "0001TP_008550", "0006R0_f00930"),
    *("0016E5_00390", "0016E5_07959", "0016E5_08159", "0016E5_08190", "Seq05VD_f00000", "Seq05VD_f05100"),
)
LABELS = """\
64 128 64\tAnimal
192 0 128\tArchway
0 128 192\tBicyclist
0 128 64\tBridge
128 0 0\t\tBuilding
64 0 128\tCar
64 0 192\tCartLuggagePram
192 128 64\tChild
192 192 128\tColumn_Pole
64 64 128\tFence
128 0 192\tLaneMkgsDriv
192 0 64\tLaneMkgsNonDriv
128 128 64\tMisc_Text
192 0 192\tMotorcycleScooter
128 64 64\tOtherMoving
64 192 128\tParkingBlock
64 64 0\t\tPedestrian
128 64 128\tRoad
128 128 192\tRoadShoulder
0 0 192\t\tSidewalk
192 128 128\tSignSymbol
128 128 128\tSky
64 128 192\tSUVPickupTruck
0 0 64\t\tTrafficCone
0 64 64\t\tTrafficLight
192 64 128\tTrain
128 128 0\tTree
192 128 192\tTruck_Bus
64 0 64\t\tTunnel
192 192 0\tVegetationMisc
0 0 0\t\tVoid
64 192 0\tWall
"""


def draw_camvid_original(folder: Path) -> None:
    """Draw images, label maps and the list of colours; each label map holds all 32, each image the same and noise."""
    random = np.random.default_rng(SEED)
    palette = np.array([line.split()[:3] for line in LABELS.splitlines()], np.uint8)
    images, annotations = folder / "701_StillsRaw_full", folder / "LabeledApproved_full"
    images.mkdir(parents=True)
    annotations.mkdir()
    (folder / "label_colors.txt").write_text(LABELS)
    for name in FRAMES:
        cells = random.permutation(len(palette)).reshape(CELLS)
        colours = palette[np.kron(cells, np.ones((CELL, CELL), int))]
        Image.fromarray(colours).save(annotations / f"{name}_L.png")
        noise = random.integers(0, 32, colours.shape, np.uint8)
        Image.fromarray(colours + noise).save(images / f"{name}.png")


SEVEN_CLASSES = {
    "drivable": ["Road", "LaneMkgsDriv"],
    "non-drivable": ["Sidewalk", "LaneMkgsNonDriv", "ParkingBlock", "RoadShoulder"],
    "living things": ["Animal", "Bicyclist", "CartLuggagePram", "Child", "Pedestrian"],
    "vehicles": ["Car", "MotorcycleScooter", "OtherMoving", "SUVPickupTruck", "Train", "Truck_Bus"],
    "road-side objects": [
        *("Column_Pole", "Fence", "Misc_Text", "SignSymbol", "TrafficCone", "TrafficLight", "Wall"),
    ],
    "far objects": ["Archway", "Bridge", "Building", "Tree", "Tunnel", "VegetationMisc"],
    "sky": ["Sky"],
    None: ["Void"],
}
ELEVEN_CLASSES = {  # MathWorks, "Semantic Segmentation Using Deep Learning", camvidPixelLabelIDs
    "sky": ["Sky"],
    "building": ["Archway", "Bridge", "Building", "Tunnel", "Wall"],
    "pole": ["Column_Pole", "TrafficCone"],
    "road": ["LaneMkgsDriv", "LaneMkgsNonDriv", "Road"],
    "pavement": ["ParkingBlock", "RoadShoulder", "Sidewalk"],
    "tree": ["Tree", "VegetationMisc"],
    "sign or symbol": ["Misc_Text", "SignSymbol", "TrafficLight"],
    "fence": ["Fence"],
    "car": ["Car", "OtherMoving", "SUVPickupTruck", "Train", "Truck_Bus"],
    "pedestrian": ["Animal", "CartLuggagePram", "Child", "Pedestrian"],
    "bicyclist": ["Bicyclist", "MotorcycleScooter"],
    None: ["Void"],
}


def read_names(folder: Path, scene: str) -> np.ndarray:
    """Looks each pixel up in the authors' list of colours."""
    names = {}
    for line in (folder / "label_colors.txt").read_text().splitlines():
        red, green, blue, name = line.split()
        names[int(red), int(green), int(blue)] = name
    pixels = np.asarray(Image.open(folder / f"LabeledApproved_full/{scene.replace('/', '_')}_L.png"))
    return np.array([[names[tuple(pixel)] for pixel in row] for row in pixels.tolist()])


DATA_SET = DataSet(
    name="camvid_original",
    draw=draw_camvid_original,
    reader=CamVidOriginalDataset,
    scenes={  # as in the lists of the SegNet tutorial
        "train": ["0001TP/006690", "0001TP/008520", "0006R0/f00930", "0016E5/00390", "0016E5/08190"],
        "validation": ["0016E5/07959", "0016E5/08159"],
        "test": ["0001TP/008550", "Seq05VD/f00000", "Seq05VD/f05100"],
    },
    read_names=read_names,
    classes={
        "camvid_original_seven": turn_round(SEVEN_CLASSES),
        "camvid_original_eleven": turn_round(ELEVEN_CLASSES),
    },
    environments={
        "camvid_original": "camvid_original_seven",
        "camvid_original_11": "camvid_original_eleven",
    },
    drives=(3, 1, 2),
    warnings=2,  # two drives stand in two splits
)
