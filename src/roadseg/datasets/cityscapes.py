"""Cityscapes, fine annotations."""

from typing import Any

from roadseg.datasets.scene_folders import SceneFoldersDataset

IMAGES = "leftImg8bit/{split}/{drive}/{frame}_leftImg8bit.*"
LABEL_MAPS = "gtFine/{split}/{drive}/{frame}_gtFine_labelIds.png"
POLYGONS = "gtFine/{split}/{drive}/{frame}_gtFine_polygons.json"

# IDD has no "ground", and its files contain it by mistake: the name must not mean Cityscapes' class in a label space.
OTHER_GROUND = "other ground"

# fmt: off
CLASS_NAMES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", OTHER_GROUND,
    "road", "sidewalk", "parking", "rail track",
    "building", "wall", "fence", "guard rail", "bridge", "tunnel",
    "pole", "polegroup", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider",
    "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle",
)
# fmt: on
"""Name of each raw id (cityscapesScripts, helpers/labels.py)."""


class CityscapesDataset(SceneFoldersDataset):
    """Cityscapes (Cordts et al., CVPR 2016), 34 labels: label maps, or where there are none the polygon files.

    A city counts as one drive. License plates are not drawn, as in the published label maps: they keep the label of
    the vehicle.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.cityscapes.CityscapesDataset
          filepath: data/01_raw/cityscapes
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the folder that holds `leftImg8bit` and `gtFine`, and how it is reached, see `SceneFoldersDataset`."""
        super().__init__(
            filepath=filepath,
            images=IMAGES,
            annotations=[LABEL_MAPS, POLYGONS],
            raw_names=dict(enumerate(CLASS_NAMES)),
            labels={**{name: name for name in CLASS_NAMES}, "ground": OTHER_GROUND, "license plate": None},
            **arguments,
        )
