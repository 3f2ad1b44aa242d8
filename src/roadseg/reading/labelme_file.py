"""Polygon files as labelme writes them, one for each image: JSON on disk to label maps."""

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NotRequired

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.errors import InputError
from roadseg.reading.annotated_objects import AnnotatedObject, Coordinate, Labels, Side, blame_file, find_faults
from roadseg.reading.stored_path import RawPath
from roadseg.reading.text_file import read_text
from roadseg.scenes.faults import Fault
from roadseg.scenes.polygons import Point, number_labels

LINE_WIDTH, POINT_RADIUS = 10, 5
"""In pixels, as labelme draws lines and points."""

LARGEST_RADIUS = 2**15
"""In pixels; Pillow's time for a circle grows with its radius, whatever part of it is in the picture."""

Kind = Literal[
    "polygon", "rectangle", "oriented_rectangle", "rotation", "circle", "line", "linestrip", "point", "points", "mask"
]


class _Shape(TypedDict):
    label: str
    points: list[tuple[Coordinate, Coordinate]]
    shape_type: NotRequired[Kind | None]
    mask: NotRequired[str | None]


class _LabelmeFile(TypedDict):
    imageHeight: NotRequired[Side | None]
    imageWidth: NotRequired[Side | None]
    shapes: list[_Shape]


LABELME_FILE = TypeAdapter(_LabelmeFile)


def read_labelme(
    path: RawPath, labels: Labels | None, image_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], dict[int, str], list[Fault]]:
    """Returns the label map of a labelme file, the name of each of its raw ids, and what is wrong with the file.

    Shapes are painted in the order of the file, each over those before it, by Pillow, as labelme's `shapes_to_label`
    does (labelme/utils/shape.py, version 6.3.1): lines 10 pixels wide, points as discs. Shapes that have too few points
    are passed over. Groups distinguish objects, not classes, so they are not used.

    Args:
        path: The file.
        labels: Label in the file -> raw name; None takes every label as it is, and so does one that is not there.
        image_size: (height, width) of the image, to be compared with the one in the file.

    Returns:
        (height, width) uint8, raw ids, at the size that the file says, or that of the image; names; faults.

    Raises:
        UnusableSceneError: If the file is no JSON, or not of this form.
        FileError: If it can't be read.
    """
    with blame_file(path):
        content = LABELME_FILE.validate_json(read_text(path))
        size = content.get("imageHeight") or image_size[0], content.get("imageWidth") or image_size[1]
        shapes = content["shapes"]
        objects = [AnnotatedObject(each["label"], each["points"], LEAST.get(_kind(each), 3)) for each in shapes]
        drawn = [
            (label, shape)
            for shape, each in zip(shapes, objects, strict=True)
            if len(each.points) >= each.least and (label := (labels or {}).get(each.label, each.label)) is not None
        ]
        ids = number_labels(label for label, _ in drawn)
        canvas = Image.new("L", size[::-1], 0)
        for label, shape in drawn:
            _paint(canvas, shape, ids[label])
    return np.asarray(canvas), {raw_id: label for label, raw_id in ids.items()}, find_faults(objects, size, image_size)


def _kind(shape: _Shape) -> str:
    return shape.get("shape_type") or "polygon"


def _paint(canvas: Image.Image, shape: _Shape, raw_id: int) -> None:
    kind, points = _kind(shape), shape["points"]
    if kind == "mask":
        column, row = points[0]
        canvas.paste(raw_id, (round(column), round(row)), _decode_mask(shape.get("mask")))
    else:
        DRAW[kind](ImageDraw.Draw(canvas), points, raw_id)


def _decode_mask(encoded: str | None) -> Image.Image:
    """Returns a picture of one bit; its upper left corner is the first point of its shape."""
    if not encoded:
        raise InputError("a shape of the type mask has no mask")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True))).convert("L")
    except (OSError, SyntaxError, ValueError) as fault:
        raise InputError(f"the mask of a shape is no picture ({fault})") from fault
    return picture.point([0] + [255] * 255, "1")


def _draw_polygon(pen: ImageDraw.ImageDraw, points: Sequence[Point], raw_id: int) -> None:
    pen.polygon(points, fill=raw_id, outline=raw_id)


def _draw_rectangle(pen: ImageDraw.ImageDraw, points: Sequence[Point], raw_id: int) -> None:
    columns, rows = zip(*points, strict=True)
    pen.rectangle((min(columns), min(rows), max(columns), max(rows)), fill=raw_id, outline=raw_id)


def _draw_circle(pen: ImageDraw.ImageDraw, points: Sequence[Point], raw_id: int) -> None:
    _draw_disc(pen, points[0], math.dist(points[0], points[1]), raw_id)


def _draw_line(pen: ImageDraw.ImageDraw, points: Sequence[Point], raw_id: int) -> None:
    pen.line(points, fill=raw_id, width=LINE_WIDTH)


def _draw_points(pen: ImageDraw.ImageDraw, points: Sequence[Point], raw_id: int) -> None:
    for point in points:
        _draw_disc(pen, point, POINT_RADIUS, raw_id)


def _draw_disc(pen: ImageDraw.ImageDraw, centre: Point, radius: float, raw_id: int) -> None:
    if radius > LARGEST_RADIUS:
        raise InputError(f"a circle has a radius of {radius:.0f} pixels, expected {LARGEST_RADIUS} at most")
    column, row = centre
    box = (column - radius, row - radius, column + radius, row + radius)
    pen.ellipse(box, fill=raw_id, outline=raw_id)


DRAW: Mapping[str, Callable[[ImageDraw.ImageDraw, Sequence[Point], int], None]] = {
    "polygon": _draw_polygon,
    "oriented_rectangle": _draw_polygon,
    "rotation": _draw_polygon,
    "rectangle": _draw_rectangle,
    "circle": _draw_circle,
    "line": _draw_line,
    "linestrip": _draw_line,
    "point": _draw_points,
    "points": _draw_points,
}
LEAST = {"rectangle": 2, "circle": 2, "line": 2, "linestrip": 2, "point": 1, "points": 1, "mask": 1}
"""Points that a shape of a type needs; a polygon needs three."""
