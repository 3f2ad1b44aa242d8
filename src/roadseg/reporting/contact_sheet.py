"""Scenes at a glance: many small pictures on one sheet, the labels laid over the images."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.scenes.labels import VOID
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScene

MARGIN = 4
"""White pixels between the pictures."""


def draw_contact_sheet(
    scenes: Sequence[PreparedScene], palette: Palette, *, columns: int, width: int
) -> NDArray[np.uint8]:
    """Returns the scenes as a grid, each with its labels laid over the image at half strength.

    Args:
        scenes: One or more prepared scenes of one size.
        palette: Of the classes of their label maps.
        columns: Pictures in a row.
        width: Of one picture, in pixels.

    Returns:
        (height, width, 3) uint8, RGB.
    """
    tiles = [_fit(_overlay(scene, palette), width) for scene in scenes]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _overlay(scene: PreparedScene, palette: Palette) -> NDArray[np.uint8]:
    if scene.label_map is None:
        return scene.image
    blended = cv2.addWeighted(scene.image, 0.5, palette.paint(scene.label_map), 0.5, 0)
    labelled = (scene.label_map != VOID)[..., None]
    return np.where(labelled, blended, scene.image).astype(np.uint8)


def _fit(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height = round(picture.shape[0] * width / picture.shape[1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 0, MARGIN, 0, MARGIN, cv2.BORDER_CONSTANT, value=(255, 255, 255)).astype(np.uint8)
