"""CamVid in the folders of the SegNet tutorial."""

from typing import Any

from roadseg.datasets.scene_folders import SceneFoldersDataset

IMAGES = "{split}/{drive}_{frame}.*"
LABEL_MAPS = "{split}annot/{drive}_{frame}.png"
CLASS_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign or symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "unlabelled",
)


class CamVidDataset(SceneFoldersDataset):
    """CamVid as in the SegNet tutorial, 11 classes and void (Brostow, Fauqueur, Cipolla, 2009; arXiv 1511.00561).

    The folder holds `train`, `val` and `test` with the images (PNG or JPEG), and `trainannot`, `valannot` and
    `testannot` with 8-bit PNG label ids of the same names. A frame's name up to the underscore is its drive.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.camvid.CamVidDataset
          filepath: data/01_raw/camvid
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the folder with `train`, `trainannot` and so on, and how it is reached, see `SceneFoldersDataset`."""
        super().__init__(
            filepath=filepath,
            images=IMAGES,
            annotations=LABEL_MAPS,
            raw_names=dict(enumerate(CLASS_NAMES)),
            **arguments,
        )
