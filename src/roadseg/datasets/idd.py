"""IDD Segmentation, the India Driving Dataset, parts I and II."""

from typing import Any

from roadseg.datasets.scene_folders import SceneFoldersDataset

IMAGES = "leftImg8bit/{split}/{drive}/{frame}_leftImg8bit.*"
POLYGONS = "gtFine/{split}/{drive}/{frame}_gtFine_polygons.json"

# fmt: off
LABELS = (
    "road", "parking", "drivable fallback",
    "sidewalk", "rail track", "non-drivable fallback",
    "person", "animal", "rider",
    "motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus", "caravan", "trailer", "train", "vehicle fallback",
    "curb", "wall", "fence", "guard rail", "billboard", "traffic sign", "traffic light", "pole", "polegroup",
    "obs-str-bar-fallback",
    "building", "bridge", "tunnel", "vegetation",
    "sky", "fallback background",
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "license plate",
)
# fmt: on
"""All labels of AutoNUE public-code, helpers/anue_labels.py, commit 5d9a93b."""


class IddDataset(SceneFoldersDataset):
    """IDD Segmentation (Varma et al., WACV 2019): part I with PNG images, part II with JPEG images, or both.

    The folder is one into which both archives were extracted, or it holds one folder for each: `leftImg8bit` and
    `gtFine` are in it or one level below. Label maps are drawn from the polygon files, at full size, in the order
    of the objects in the file.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.idd.IddDataset
          filepath: data/01_raw/idd
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the folder that holds the extracted archives, and how it is reached, see `SceneFoldersDataset`."""
        super().__init__(
            filepath=filepath,
            images=[IMAGES, f"*/{IMAGES}"],
            annotations=[POLYGONS, f"*/{POLYGONS}"],
            labels={label: label for label in LABELS},
            **arguments,
        )
