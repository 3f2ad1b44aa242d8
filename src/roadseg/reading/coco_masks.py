"""The objects of one image in COCO's form, polygons and masks of runs, to a label map."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.errors import InputError, RoadSegError
from roadseg.reading.annotated_objects import (
    AnnotatedObject,
    Coordinate,
    Labels,
    Side,
    blame_file,
    describe_fault,
    find_faults,
)
from roadseg.reading.stored_path import RawPath
from roadseg.scenes.faults import Fault
from roadseg.scenes.polygons import number_labels

PolygonNumbers = list[list[Coordinate]]
"""Polygons of one object, each as x, y, x, y and on."""

UnknownSide = Annotated[int, Field(ge=0, le=2**15)] | None
"""A side of an image in pixels; 0 and None are unknown."""


class _Runs(TypedDict):
    size: tuple[Side, Side]
    counts: str | list[int]


class _Object(TypedDict):
    label: str
    segmentation: Any


class _Annotated(TypedDict):
    height: UnknownSide
    width: UnknownSide
    objects: list[_Object]


BROKEN_RUNS = "the runs of a mask are broken"

ANNOTATED, POLYGONS, RUNS = TypeAdapter(_Annotated), TypeAdapter(PolygonNumbers), TypeAdapter(_Runs)


def import_masks() -> Any:
    """Returns the part of pycocotools that knows masks.

    Raises:
        RoadSegError: If it is missing.
    """
    try:
        from pycocotools import mask  # only who takes the extra `coco` has it
    except ImportError as fault:
        raise RoadSegError("files in COCO's form need pycocotools: pip install pycocotools") from fault
    return mask


def read_coco(
    path: RawPath, annotations: bytes, labels: Labels | None, image_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], dict[int, str], list[Fault]]:
    """Returns the label map of one image of a file, the name of each of its raw ids, and what is wrong with it.

    Polygons are drawn by pycocotools. Objects are painted in the order of the file, each over those before it, as
    `cocostuffhelper.py` of cocostuffapi does it. A crowd (`iscrowd`) is its category like any other, but below all
    single objects. Objects without a polygon of three points are passed over.

    Args:
        path: The file, for messages.
        annotations: As `CocoImage` has them.
        labels: Name of a category -> raw name; None takes every name as it is, and so does one that is not there.
        image_size: (height, width) of the image, to be compared with the one in the file.

    Returns:
        (height, width) uint8, raw ids, at the size that the file says, or that of the image; names; faults.

    Raises:
        UnusableSceneError: If they have another form, or a mask is broken.
        RoadSegError: If pycocotools is missing.
    """
    masks = import_masks()
    with blame_file(path):
        content = ANNOTATED.validate_json(annotations)
        size = content["height"] or image_size[0], content["width"] or image_size[1]
        objects = [(each["label"], _check(each)) for each in content["objects"]]
        drawn = [
            (label, runs)
            for name, segmentation in objects
            if (runs := _list_runs(masks, segmentation, size)) is not None
            and (label := (labels or {}).get(name, name)) is not None
        ]
        ids = number_labels(label for label, _ in drawn)
        label_map = np.zeros(size[::-1], np.uint8)  # turned over: runs go down the columns
        for label, runs in drawn:
            _paint(label_map.reshape(-1), runs, ids[label])
    parts = [part for label, segmentation in objects for part in _list_parts(label, segmentation)]
    faults = find_faults(parts, size, image_size)
    return np.ascontiguousarray(label_map.T), {raw_id: label for label, raw_id in ids.items()}, faults


def _check(each: _Object) -> PolygonNumbers | _Runs:
    """Returns the polygons or the mask of an object."""
    segmentation = each["segmentation"]
    try:
        if isinstance(segmentation, dict):
            return RUNS.validate_python(segmentation)
        polygons = POLYGONS.validate_python(segmentation or [])
    except ValidationError as fault:
        raise InputError(f"the segmentation of an object '{each['label']}': {describe_fault(fault)}") from fault
    if any(len(polygon) % 2 for polygon in polygons):
        raise InputError(f"a polygon of an object '{each['label']}' has an x without a y")
    return polygons


def _list_runs(masks: Any, segmentation: PolygonNumbers | _Runs, size: tuple[int, int]) -> NDArray[np.int64] | None:
    """Returns how many pixels, down the columns, are outside and inside an object in turn; None if it has none."""
    if isinstance(segmentation, list):
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        return np.array(_expand(masks.merge(masks.frPyObjects(polygons, *size))["counts"])) if polygons else None
    counts = segmentation["counts"]
    runs = _expand(counts.encode()) if isinstance(counts, str) else counts
    pixels = size[0] * size[1]
    if not all(0 <= run <= pixels for run in runs):
        raise InputError(BROKEN_RUNS)
    if segmentation["size"] != size or sum(runs) != pixels:
        told = f"a mask of size {segmentation['size']} has {sum(runs)} pixels"
        raise InputError(f"{told}, expected {pixels} of {size}")
    return np.array(runs, np.int64)


def _expand(counts: bytes) -> list[int]:
    """Returns compressed runs: differences to the run before the last, in groups of five bits, lowest first.

    The form is that of `rleToString` in maskApi.c of cocoapi. Its decoder takes longer, as it fills a whole image for
    each object, and leaves to chance what runs that are too few do not fill.
    """
    characters = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not characters.size or characters.min() < 0 or characters.max() > 63 or characters[-1] & 32:
        raise InputError(BROKEN_RUNS)
    last = np.flatnonzero(characters & 32 == 0)
    first = np.r_[0, last[:-1] + 1]
    groups = np.arange(characters.size) - np.repeat(first, last - first + 1)
    if groups.max() > 6:
        raise InputError(BROKEN_RUNS)
    runs = np.add.reduceat((characters & 31) << 5 * groups, first)
    runs -= np.where(characters[last] & 16, 1 << 5 * (groups[last] + 1), 0)
    runs[1::2], runs[2::2] = np.cumsum(runs[1::2]), np.cumsum(runs[2::2])
    listed: list[int] = runs.tolist()
    return listed


def _paint(pixels: NDArray[np.uint8], runs: NDArray[np.int64], raw_id: int) -> None:
    ends = np.cumsum(runs)
    for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=False):
        pixels[start:end] = raw_id


def _list_parts(label: str, segmentation: PolygonNumbers | _Runs) -> list[AnnotatedObject]:
    """Returns each polygon of an object as one; a mask lies inside its frame."""
    if isinstance(segmentation, dict):
        return [AnnotatedObject(label, [(0, 0)], least=1)]
    polygons = segmentation or [[]]
    return [AnnotatedObject(label, list(zip(each[::2], each[1::2], strict=True))) for each in polygons]
