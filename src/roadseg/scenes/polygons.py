"""Polygons to label maps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from roadseg.errors import InputError

BACKGROUND = "unlabeled"
"""Name of the pixels that no polygon covers."""

LARGEST_ID = 255

Point = tuple[float, float]


@dataclass(frozen=True)
class Polygon:
    """One annotated object.

    Attributes:
        label: Name of its class.
        points: Its corners (x, y) in pixels, three or more; they may be outside the picture.
    """

    label: str
    points: Sequence[Point]


def draw_polygons(polygons: Sequence[Polygon], size: tuple[int, int]) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Returns the label map of polygons, each painted over those before it, as the official IDD tool does.

    That tool (AutoNUE public-code, preperation/json2labelImg.py) draws with Pillow, and so does this: OpenCV is faster,
    and differs from Pillow in one edge pixel of ten.

    Args:
        polygons: In the order of painting.
        size: (height, width) in pixels.

    Returns:
        The label map, (height, width) uint8 of raw ids, and the name of each raw id: 0 is the background.

    Raises:
        InputError: If there are more than 255 labels.
    """
    ids = number_labels(polygon.label for polygon in polygons)
    canvas = Image.new("L", size[::-1], ids[BACKGROUND])
    pen = ImageDraw.Draw(canvas)
    for polygon in polygons:
        pen.polygon(polygon.points, fill=ids[polygon.label])
    return np.asarray(canvas), {raw_id: label for label, raw_id in ids.items()}


def number_labels(labels: Iterable[str]) -> dict[str, int]:
    """Returns a raw id for each label, in the order in which they come; 0 is the background.

    Raises:
        InputError: If there are more than 255.
    """
    ids = {BACKGROUND: 0}
    for label in labels:
        ids.setdefault(label, len(ids))
    if len(ids) > LARGEST_ID + 1:
        raise InputError(f"one scene may hold {LARGEST_ID} labels, this one has {len(ids) - 1}")
    return ids
