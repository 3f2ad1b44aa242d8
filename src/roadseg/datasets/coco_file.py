"""Annotation files in COCO's form, one for many images: JSON on disk to what there is of each image."""

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, NotRequired
from unicodedata import normalize

from kedro.io import DatasetError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.datasets.annotated_objects import describe_fault
from roadseg.datasets.coco_masks import UnknownSide, import_masks
from roadseg.datasets.layout import SceneFiles
from roadseg.datasets.text_file import read_text
from roadseg.scenes.faults import Fault, FaultKind

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


def share_out(folder: Path, scenes: Mapping[str, SceneFiles]) -> dict[str, SceneFiles]:
    """Returns the scenes, each with its own part of the JSON file that is its annotation, and scenes without an image.

    An image is found in the file by its name; where names repeat, by as many folders as both paths have.

    Args:
        folder: That of the data set.
        scenes: Scene id -> its files; many scenes have one JSON file.

    Raises:
        DatasetError: As `list_images` does.
    """
    members: dict[Path, dict[str, SceneFiles]] = {}
    shared = {}
    for scene, files in scenes.items():
        if files.annotation and files.annotation.suffix.lower() == ".json":
            members.setdefault(files.annotation, {})[scene] = files
        else:
            shared[scene] = files
    for path, parts in members.items():
        shared |= _share(folder, path, parts)
    return shared


def _share(folder: Path, path: Path, scenes: Mapping[str, SceneFiles]) -> dict[str, SceneFiles]:
    listed = list_images(path)
    images = {
        scene: _plain(PurePath(os.path.relpath(files.image, folder))) for scene, files in scenes.items() if files.image
    }
    found = _find_listed(images, [each for each, _ in listed])
    claims = Counter(number for numbers in found.values() for number in numbers)
    shared = {}
    named = f"'{path.relative_to(folder)}'"
    for scene, numbers in found.items():
        files = scenes[scene]
        if not numbers:
            fault = Fault(FaultKind.NO_ANNOTATION, f"{named} does not list '{images[scene]}'")
            shared[scene] = replace(files, annotation=None, faults=(*files.faults, fault))
        elif len(numbers) > 1 or claims[numbers[0]] > 1:
            detail = f"'{images[scene]}' and {claims[numbers[0]] - 1} more, {len(numbers)} times listed in {named}"
            shared[scene] = replace(files, unusable=(FaultKind.AMBIGUOUS, detail))
        else:
            part = listed[numbers[0]][1]
            shared[scene] = replace(files, annotation=path if part else None, part=part)
    split = {name: text for name, text in next(iter(scenes.values())).fields.items() if name == "split"}
    for number, (each, part) in enumerate(listed):
        if part and not claims[number]:
            fields = split | {"frame": each.with_suffix("").as_posix()}
            shared.setdefault("/".join(fields.values()), SceneFiles(fields, None, path, part=part))
    return shared


def _find_listed(images: Mapping[str, PurePosixPath], listed: Sequence[PurePosixPath]) -> dict[str, list[int]]:
    """Returns for each scene which of the listed paths are that of its image."""
    by_name: dict[str, list[int]] = {}
    for number, each in enumerate(listed):
        by_name.setdefault(each.name, []).append(number)
    names = [each.name for each in images.values()]
    if len(set(names)) == len(names) and len(by_name) == len(listed):
        return {scene: by_name.get(image.name, []) for scene, image in images.items()}
    return {
        scene: [number for number in by_name.get(image.name, ()) if _agree(image, listed[number])]
        for scene, image in images.items()
    }


def _plain(path: PurePath) -> PurePosixPath:
    """Returns the path with accents in one form: the file may have been written on another system."""
    return PurePosixPath(normalize("NFC", path.as_posix()))


def _agree(*paths: PurePosixPath) -> bool:
    depth = min(len(path.parts) for path in paths)
    return len({path.parts[-depth:] for path in paths}) == 1


def list_images(path: Path) -> list[Listed]:
    """Returns the images of a file, in its order; it is read once, and of the objects nothing is checked yet.

    Raises:
        DatasetError: If it can't be read, is no JSON or not of this form, if an id stands twice, or pycocotools is
            missing.
    """
    import_masks()  # before the work
    try:
        content = COCO_FILE.validate_json(read_text(path))
    except ValidationError as fault:
        raise DatasetError(f"'{path}' is no file in COCO's form: {describe_fault(fault)}") from fault
    except ValueError as fault:
        raise DatasetError(f"'{path}' is no file in COCO's form: {fault}") from fault
    for kind in ("images", "categories"):
        repeated = [each for each, count in Counter(each["id"] for each in content[kind]).items() if count > 1]
        if repeated:
            raise DatasetError(f"in '{path}' each of the {kind} must have an id of its own, several have {repeated[0]}")
    objects = _group_objects(path, content)
    return [
        (
            _plain(PureWindowsPath(each["file_name"])),
            to_json({"height": each.get("height"), "width": each.get("width"), "objects": objects[each["id"]]})
            if "annotations" in content
            else None,
        )
        for each in content["images"]
    ]


def _group_objects(path: Path, content: _CocoFile) -> Mapping[Id, list[dict[str, Any]]]:
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
