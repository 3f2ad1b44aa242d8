"""Random changes of a scene while it trains: image and label map move together."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class AugmentationOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Which changes are made, each drawn anew for every scene and epoch.

    Attributes:
        flip: Mirror every other scene, left to right.
        zoom: Largest magnification: a random window of 1 / 1..zoom of both sides is enlarged to the whole; 1 = none.
        colour: Largest change of each colour's brightness, share: 0.2 multiplies it by 0.8..1.2; 0 = none.
    """

    flip: bool
    zoom: Annotated[float, Field(ge=1, le=4)]
    colour: Annotated[float, Field(ge=0, lt=1)]


def augment_scene(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], options: AugmentationOptions, random: np.random.Generator
) -> Pair:
    """Returns the image (height, width, 3) and the label map (height, width), changed alike, in their own sizes."""
    if options.flip and random.random() < 0.5:
        image, label_map = image[:, ::-1], label_map[:, ::-1]
    if options.zoom > 1:
        image, label_map = _enlarge_window(image, label_map, random.uniform(1, options.zoom), random)
    if options.colour:
        gains = random.uniform(1 - options.colour, 1 + options.colour, 3)
        image = np.clip(np.rint(image * gains), 0, 255).astype(np.uint8)
    return image, label_map


def _enlarge_window(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], zoom: float, random: np.random.Generator
) -> Pair:
    height, width = label_map.shape
    rows, columns = max(1, round(height / zoom)), max(1, round(width / zoom))
    top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
    window = np.s_[top : top + rows, left : left + columns]
    # Both sample at pixel centres; cv2.INTER_NEAREST would move the labels by up to half a pixel.
    enlarged = cv2.resize(image[window], (width, height), interpolation=cv2.INTER_LINEAR)
    enlarged_map = cv2.resize(label_map[window], (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(enlarged, np.uint8), np.asarray(enlarged_map, np.uint8)
