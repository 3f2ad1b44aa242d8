"""Regions whose annotation may be wrong, cut out of their scenes."""

from collections.abc import Hashable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.reporting.figures import shorten_name
from roadseg.reporting.panels import Example
from roadseg.scenes.palette import Palette
from roadseg.scoring.prediction import Prediction

SHOWN = 10
"""Regions of a figure."""

SURROUNDINGS = 2.0
"""How many times as high or as wide as the region its window is at least."""

SMALLEST = 0.25
"""Share of the height and of the width of a scene that a window has at least."""


def crop_suspect(
    region: Mapping[Hashable, Any], prediction: Prediction, image: NDArray[np.uint8], palette: Palette
) -> Example:
    """Returns a region in a frame, with its surroundings, in a window of the scene's form.

    Args:
        region: A row of a table as `tabulate_suspect_regions` returns it.
        prediction: Of its scene, at the network's size.
        image: (height, width, 3) uint8, RGB.
        palette: Whose colour of wrong pixels the frame has.
    """
    top, left, bottom, right = frame = (
        region["top"] - 1,
        region["left"] - 1,
        region["top"] + region["height"],
        region["left"] + region["width"],
    )
    framed = cv2.rectangle(image.copy(), (left, top), (right, bottom), palette.wrong).astype(np.uint8)
    window = place_window(frame, prediction.truth.shape)
    names = [shorten_name(region[role]) for role in ("truth", "predicted")]
    return Example(
        title=f"{region['rank']}, {region['split']}: {region['scene']}, {names[0]} or {names[1]}?",
        image=framed[window],
        truth=prediction.truth[window],
        prediction=prediction.label_map[window],
    )


def place_window(frame: tuple[int, int, int, int], size: tuple[int, ...]) -> tuple[slice, slice]:
    """Returns rows and columns of a window in the form of a scene, around a frame and inside the scene.

    Args:
        frame: First and last row and column, as top, left, bottom, right.
        size: (height, width) of the scene in pixels.
    """
    top, left, bottom, right = frame
    share = SURROUNDINGS * max((bottom - top + 1) / size[0], (right - left + 1) / size[1])
    share = min(1.0, max(SMALLEST, share))
    return _centre((top + bottom + 1) / 2, share, size[0]), _centre((left + right + 1) / 2, share, size[1])


def _centre(middle: float, share: float, length: int) -> slice:
    pixels = max(1, round(share * length))
    first = min(max(0, round(middle - pixels / 2)), length - pixels)
    return slice(first, first + pixels)
