"""Regions whose annotation may be wrong, cut out of their scenes."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.reporting.figures import shorten_name
from roadseg.reporting.gallery import ScenePictures, picture_scene
from roadseg.reporting.panels import Example
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scoring.prediction import Prediction

SHOWN = 10
"""Regions of a figure."""

SURROUNDINGS = 2.0
"""How many times as high or as wide as the region its window is at least."""

SMALLEST = 0.25
"""Share of the height and of the width of a scene that a window has at least."""

Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class SuspectCrop:
    """A region with its surroundings, in a window of the scene's form.

    Attributes:
        region: A row of a table as `tabulate_suspect_regions` returns it.
        image: (height, width, 3) uint8, RGB.
        prediction: Of the window.
        top: First row of the region in the window.
        left: First column.
    """

    region: Mapping[Hashable, Any]
    image: NDArray[np.uint8]
    prediction: Prediction
    top: int
    left: int


@dataclass(frozen=True)
class FramedPictures:
    """A region as pictures that stand in a page.

    Attributes:
        pictures: Of the window.
        frame: Left, top, width and height of the region, in percent of those of the window.
    """

    pictures: ScenePictures
    frame: tuple[float, float, float, float]


def draw_crops(
    regions: pd.DataFrame,
    predictions: Iterable[Prediction],
    scenes: PreparedScenes,
    draw: Callable[[SuspectCrop], Drawn],
) -> list[Drawn]:
    """Returns what is drawn of each region, in the order of the table; only that is kept in memory.

    Args:
        regions: As `tabulate_suspect_regions` returns it, or some of its rows.
        predictions: Of all their scenes, at the network's size.
        scenes: Scene id -> prepared scene.
        draw: Draws one region.
    """
    rows, drawn = regions.to_dict("records"), {}
    for prediction in predictions:
        image = scenes[prediction.scene].image
        for row in rows:
            if row["scene"] == prediction.scene:
                drawn[row["rank"]] = draw(crop_suspect(row, prediction, image))
    return [drawn[row["rank"]] for row in rows]


def crop_suspect(region: Mapping[Hashable, Any], prediction: Prediction, image: NDArray[np.uint8]) -> SuspectCrop:
    """Returns a region cut out of its scene.

    Args:
        region: A row of a table as `tabulate_suspect_regions` returns it.
        prediction: Of its scene, at the network's size.
        image: (height, width, 3) uint8, RGB.
    """
    top, left = region["top"], region["left"]
    frame = top - 1, left - 1, top + region["height"], left + region["width"]
    rows, columns = window = place_window(frame, prediction.truth.shape)
    maps = prediction.truth[window], prediction.label_map[window], prediction.confidence[window]
    return SuspectCrop(
        region, image[window], Prediction(prediction.scene, *maps), top - rows.start, left - columns.start
    )


def frame_suspect(crop: SuspectCrop, palette: Palette) -> Example:
    """Returns a region in a frame, for a figure.

    Args:
        crop: The region.
        palette: Whose colour of wrong pixels the frame has.
    """
    region, top, left = crop.region, crop.top, crop.left
    corners = (left - 1, top - 1), (left + region["width"], top + region["height"])
    names = [shorten_name(region[role]) for role in ("truth", "predicted")]
    return Example(
        title=f"{region['rank']}, {region['split']}: {region['scene']}, {names[0]} or {names[1]}?",
        image=cv2.rectangle(crop.image.copy(), *corners, palette.wrong).astype(np.uint8),
        truth=crop.prediction.truth,
        prediction=crop.prediction.label_map,
    )


def picture_suspect(crop: SuspectCrop, palette: Palette) -> FramedPictures:
    """Returns a region as pictures, for a page that draws the frame itself.

    Args:
        crop: The region.
        palette: Of the classes of the label maps.
    """
    height, width = (length / 100 for length in crop.prediction.truth.shape)
    region = crop.region
    frame = crop.left / width, crop.top / height, region["width"] / width, region["height"] / height
    return FramedPictures(picture_scene(crop.prediction, crop.image, palette), frame)


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
