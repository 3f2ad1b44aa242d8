"""Annotation files in COCO's form, one for many images: JSON on disk to what there is of each image."""

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any, NotRequired
from unicodedata import normalize

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.errors import FileError, InputError
from roadseg.reading.annotated_objects import describe_fault
from roadseg.reading.coco_masks import UnknownSide, import_masks
from roadseg.reading.stored_path import RawPath
from roadseg.reading.text_file import read_text

logger = logging.getLogger(__name__)

Id = int | str


class _Image(TypedDict):
    id: Id
    file_name: str
    height: NotRequired[UnknownSide]
    width: NotRequired[UnknownSide]


class _Category(TypedDict):
    id: Id
    name: str


class _Annotation(TypedDict):
    image_id: Id
    category_id: Id
    segmentation: NotRequired[Any]
    iscrowd: NotRequired[bool | None]


class _CocoFile(TypedDict):
    images: list[_Image]
    categories: list[_Category]
    annotations: NotRequired[list[_Annotation]]


COCO_FILE = TypeAdapter(_CocoFile)


Listed = tuple[PurePosixPath, bytes | None]
"""Of one image its path as the file has it, and JSON of its size and objects, for `read_coco`."""


def list_images(path: RawPath) -> list[Listed]:
    """Returns the images of a file, in its order; it is read once, and of the objects nothing is checked yet.

    Raises:
        FileError: If it can't be read, is not JSON or not of this form, if an id occurs twice, or pycocotools is
            missing.
    """
    import_masks()  # before the work
    try:
        content = COCO_FILE.validate_json(read_text(path))
    except ValidationError as fault:
        raise FileError(f"'{path}' is not in COCO's form: {describe_fault(fault)}") from fault
    except InputError as fault:
        raise FileError(f"'{path}' is not in COCO's form: {fault}") from fault
    for kind in ("images", "categories"):
        repeated = [each for each, count in Counter(each["id"] for each in content[kind]).items() if count > 1]
        if repeated:
            raise FileError(f"each of the {kind} in '{path}' must have a different id, several have {repeated[0]}")
    objects = _group_objects(path, content)
    return [
        (
            plain_path(PureWindowsPath(each["file_name"])),
            to_json({"height": each.get("height"), "width": each.get("width"), "objects": objects[each["id"]]})
            if "annotations" in content
            else None,
        )
        for each in content["images"]
    ]


def _group_objects(path: RawPath, content: _CocoFile) -> Mapping[Id, list[dict[str, Any]]]:
    """Returns the objects of each image: in the order of the file, but crowds first."""
    names = {each["id"]: each["name"] for each in content["categories"]}
    objects: dict[Id, list[dict[str, Any]]] = {each["id"]: [] for each in content["images"]}
    lost = 0
    for each in sorted(content.get("annotations", []), key=lambda each: not each.get("iscrowd")):
        label = names.get(each["category_id"], f"category {each['category_id']}")
        if each["image_id"] in objects:
            objects[each["image_id"]].append({"label": label, "segmentation": each.get("segmentation")})
        else:
            lost += 1
    if lost:
        logger.warning("%d annotations in '%s' belong to none of its images", lost, path)
    return objects


def plain_path(path: PurePath) -> PurePosixPath:
    """Returns the path with accents in one form: the file may have been written on another system."""
    return PurePosixPath(normalize("NFC", path.as_posix()))
