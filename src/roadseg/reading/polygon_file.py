"""Polygon files as the label tools of Cityscapes and IDD write them: JSON on disk to label maps."""

from typing import NotRequired

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.reading.annotated_objects import AnnotatedObject, Coordinate, Labels, Side, blame_file, find_faults
from roadseg.reading.stored_path import RawPath
from roadseg.reading.text_file import read_text
from roadseg.scenes.faults import Fault
from roadseg.scenes.polygons import Polygon, draw_polygons

GROUP = "group"
"""Ending of a label for several objects that can't be told apart: `cargroup` is `car`."""


class _Object(TypedDict):
    label: str
    polygon: list[tuple[Coordinate, Coordinate]]
    deleted: NotRequired[bool]


class _PolygonFile(TypedDict):
    imgHeight: Side
    imgWidth: Side
    objects: list[_Object]


POLYGON_FILE = TypeAdapter(_PolygonFile)


def read_polygons(
    path: RawPath, labels: Labels | None, image_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], dict[int, str], list[Fault]]:
    """Returns the label map of a polygon file, the name of each of its raw ids, and what is wrong with the file.

    Objects that are deleted or have fewer than three points are passed over, as the official IDD tool does.

    Args:
        path: The file.
        labels: The labels of the data set; None takes every label as it is. A label that is not among them keeps its
            name, without the ending `group` where that is one of them.
        image_size: (height, width) of the image, to be compared with the one in the file.

    Returns:
        (height, width) uint8, raw ids, at the size that the file says; names; faults.

    Raises:
        UnusableSceneError: If the file is no JSON, or not of this form.
        FileError: If it can't be read.
    """
    with blame_file(path):
        content = POLYGON_FILE.validate_json(read_text(path))
        size = content["imgHeight"], content["imgWidth"]
        objects = [
            AnnotatedObject(each["label"], each["polygon"])
            for each in content["objects"]
            if not each.get("deleted", False)
        ]
        polygons = [
            Polygon(label, each.points)
            for each in objects
            if len(each.points) >= each.least and (label := _resolve(each.label, labels)) is not None
        ]
        label_map, raw_names = draw_polygons(polygons, size)
    return label_map, raw_names, find_faults(objects, size, image_size)


def _resolve(label: str, labels: Labels | None) -> str | None:
    if labels is None:
        return label
    return labels.get(label, labels.get(label.removesuffix(GROUP), label))
