"""IDD-Lite, the small edition of the India Driving Dataset."""

from typing import Any

from roadseg.datasets.scene_folders import SceneFoldersDataset

IMAGES = "leftImg8bit/{split}/{drive}/{frame}_image.*"
LABEL_MAPS = "gtFine/{split}/{drive}/{frame}_label.png"
# The same bytes again: no instances.
INSTANCES = "gtFine/{split}/{drive}/{frame}_inst_label.png"
CLASS_NAMES = (
    "drivable",
    "non-drivable",
    "living things",
    "vehicles",
    "road-side objects",
    "far objects",
    "sky",
)
VOID_ID = 255


class IddLiteDataset(SceneFoldersDataset):
    """IDD-Lite (`idd20k_lite`): images of 227 x 320 pixels, label maps in the seven classes of level 1 and void.

    Examples:
        ```yaml
        raw_scenes:
          type: roadseg.datasets.idd_lite.IddLiteDataset
          filepath: data/01_raw/idd_lite
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the folder that holds `leftImg8bit` and `gtFine`, and how it is reached, see `SceneFoldersDataset`."""
        super().__init__(
            filepath=filepath,
            images=IMAGES,
            annotations=LABEL_MAPS,
            ignored=INSTANCES,
            raw_names={**dict(enumerate(CLASS_NAMES)), VOID_ID: "unlabeled"},
            **arguments,
        )
