"""Random changes of a scene while it trains: image and label map move together."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel


class AugmentationOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Which changes are made.

    Attributes:
        flip: Mirror every other scene, left to right.
    """

    flip: bool


def augment_scene(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], options: AugmentationOptions, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the image (height, width, 3) and the label map (height, width), changed alike."""
    if options.flip and random.random() < 0.5:
        return image[:, ::-1], label_map[:, ::-1]
    return image, label_map
