"""Polygon files as the label tools of Cityscapes and IDD write them: JSON on disk to label maps."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.datasets.images import read_bytes
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.polygons import BACKGROUND, Point, Polygon, draw_polygons

Labels = Mapping[str, str | None]
"""Label in the file -> raw name; None is not drawn."""

GROUP = "group"
"""Ending of a label for several objects that can't be told apart: `cargroup` is `car`."""

Coordinate = Annotated[float, Field(gt=-1e6, lt=1e6)]
Side = Annotated[int, Field(gt=0, le=2**15)]


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
    path: Path, labels: Labels | None, image_size: tuple[int, int]
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
        DatasetError: If it can't be read.
    """
    try:
        content = POLYGON_FILE.validate_json(read_bytes(path))
        size = content["imgHeight"], content["imgWidth"]
        objects = [each for each in content["objects"] if not each.get("deleted", False)]
        polygons = [
            Polygon(label, each["polygon"])
            for each in objects
            if len(each["polygon"]) > 2 and (label := _resolve(each["label"], labels)) is not None
        ]
        label_map, raw_names = draw_polygons(polygons, size)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnusableSceneError(
            FaultKind.ANNOTATION_BROKEN, f"'{path}': {first['msg']}{f' at {place}' if place else ''}"
        ) from fault
    except ValueError as fault:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"'{path}': {fault}") from fault
    return label_map, raw_names, _find_faults(objects, size, image_size)


def _resolve(label: str, labels: Labels | None) -> str | None:
    if labels is None:
        return label
    return labels.get(label, labels.get(label.removesuffix(GROUP), label))


def _find_faults(objects: list[Any], size: tuple[int, int], image_size: tuple[int, int]) -> list[Fault]:
    faults = []
    if not objects:
        faults.append(Fault(FaultKind.NO_OBJECTS, f"all of it is {BACKGROUND}"))
    if size != image_size:
        faults.append(Fault(FaultKind.OTHER_SIZE, f"{size}, the image has {image_size}"))
    found = {
        FaultKind.EMPTY_POLYGON: (each for each in objects if not each["polygon"]),
        FaultKind.SHORT_POLYGON: (each for each in objects if 0 < len(each["polygon"]) < 3),
        FaultKind.VERTEX_OUTSIDE: (each for each in objects if _leaves(each["polygon"], size)),
    }
    faults += [Fault(kind, named) for kind, several in found.items() if (named := _count_labels(several))]
    return faults


def _leaves(polygon: Sequence[Point], size: tuple[int, int]) -> bool:
    if not polygon:
        return False
    columns, rows = zip(*polygon, strict=True)
    return not (min(columns) >= 0 and max(columns) <= size[1] and min(rows) >= 0 and max(rows) <= size[0])


def _count_labels(objects: Iterable[Any]) -> str:
    counts = Counter(each["label"] for each in objects)
    return ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
