"""The scenes of a folder, found by the names of its files and read one at a time."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from roadseg.errors import FileError
from roadseg.reading.annotations import read_annotation
from roadseg.reading.coco_scenes import share_out
from roadseg.reading.colour_list import find_colours, read_colours
from roadseg.reading.file_tree import describe_files
from roadseg.reading.images import file_fingerprint, read_bytes, read_image
from roadseg.reading.layout import Layout, SceneFiles, count_other_splits, pair_files
from roadseg.reading.name_pattern import JPEG_SUFFIXES, NamePattern
from roadseg.reading.orientation import UPRIGHT, is_turned_jpeg, read_orientation
from roadseg.reading.split_lists import take_listed
from roadseg.reading.stored_path import RawPath, StoredPath
from roadseg.scenes.colours import Colours
from roadseg.scenes.faults import FaultKind, UnusableSceneError
from roadseg.scenes.prepared import content_digest
from roadseg.scenes.raw import RawScenes, Scene, SceneRecord

logger = logging.getLogger(__name__)


class FolderScenes(RawScenes):
    """The scenes of a folder; a scene's id is its split, drive and frame.

    The files are listed when they are first asked for, so that an evaluation that needs no raw data runs without them.
    """

    def __init__(self, folder: RawPath, layout: Layout, where: str) -> None:
        """Takes the folder, the layout of the data set in it, and the advice to give if the folder is missing."""
        self._folder, self._layout, self._where = folder, layout, where
        if isinstance(folder, StoredPath):
            self.is_remote, self.is_shared = folder.is_remote, folder.is_shared

    @cached_property
    def records(self) -> Mapping[str, SceneRecord]:  # type: ignore[override] # mypy takes it for a writable attribute
        """Record of each scene, in the order of the scene ids.

        Raises:
            FileError: If the folder is missing or holds no images.
        """
        scenes = self._files
        names = content_digest([dict(self._layout.raw_names), self._layout.labels, *self._describe_form()])
        return {
            scene: SceneRecord(
                drive=files.fields.get("drive", scene),
                published_split=self.find_split(files.fields),
                fingerprint=f"{_fingerprint(files)} {names}",
            )
            for scene, files in scenes.items()
        }

    def find_split(self, fields: Mapping[str, str]) -> str | None:
        """Returns the published split of a scene, from the fields of its files' names; None if there is none."""
        return self._layout.splits[fields["split"].casefold()] if "split" in fields else None

    @cached_property
    def _files(self) -> Mapping[str, SceneFiles]:
        if not self._folder.is_dir():
            raise FileError(f"there is no folder '{self._folder}': link or copy the data set there, or {self._where}")
        files = dict(sorted(pair_files(self._folder, self._layout).items()))
        left_out = self._describe_others(count_other_splits(self._folder, self._layout, files))
        if self._layout.shared:
            files = dict(sorted(share_out(self._folder, self._layout, files).items()))
        if not any(each.image for each in files.values()):
            missing = f"no images in '{self._folder}': {self._describe_place(self._layout.images)}"
            raise FileError(f"{missing}. {left_out}" if left_out else missing)
        if left_out:
            logger.warning(left_out)
        if not any(each.annotation for each in files.values()):
            logger.warning(self._describe_no_annotations())
        return take_listed(self._folder, self._layout, files) if self._layout.split_lists else files

    def _describe_others(self, others: Mapping[str, int]) -> str:
        named = ", ".join(f"'{name}' ({count} scenes)" for name, count in others.items())
        return named and f"No split is called {named}: left out, expected {', '.join(self._layout.splits)}"

    def _describe_no_annotations(self) -> str:
        """Returns which files were expected; files for many images may exist, but not list these images."""
        there = [str(path) for pattern in self._layout.shared for path, _ in pattern.find(self._folder)]
        if there:
            return f"No annotations of any image in '{self._folder}' could be taken from '{there[0]}'"
        patterns = [*self._layout.annotations, *self._layout.shared]
        return f"No annotations in '{self._folder}': {self._describe_place(patterns)}"

    def _describe_place(self, patterns: Sequence[NamePattern]) -> str:
        """Returns which files were expected, and which are there."""
        named = " or ".join(f"'{each.text}'" for each in patterns)
        places = dict.fromkeys(pattern.find_place(self._folder) for pattern in patterns)
        return f"expected files named like {named}; {'; '.join(map(describe_files, places))}"

    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        """Returns the scene, read from disk; see `RawScenes`."""
        files = self._files[scene]
        if files.unusable:
            raise UnusableSceneError(*files.unusable)
        try:
            read = self._read(files, least)
            other_size = [fault for fault in read.faults if fault.kind is FaultKind.OTHER_SIZE]
            if other_size and _describe_turn(files):
                raise UnusableSceneError(other_size[0].kind, other_size[0].detail)
            return read
        except UnusableSceneError as error:
            # Faults are saved without the folder, so that a data set may move.
            detail = error.fault.detail.replace(f"'{self._folder}/", "'")
            if error.fault.kind is FaultKind.OTHER_SIZE:
                detail += _describe_turn(files)
            raise UnusableSceneError(error.fault.kind, detail) from error

    def _read(self, files: SceneFiles, least: tuple[int, int] | None) -> Scene:
        if files.image is None:
            listed = f"'{files.annotation}' lists '{files.fields.get('frame')}', and there is no such image"
            detail = listed if files.part else f"there is '{files.annotation}', and no image to it"
            raise UnusableSceneError(FaultKind.IMAGE_MISSING, detail)
        image, size = read_image(files.image, least)
        if files.annotation is None:
            return Scene(image, None, {}, size, files.faults)
        read = read_annotation(files.annotation, files, self._layout, self._colours, size)
        return Scene(image, read.label_map, read.raw_names, size, (*files.faults, *read.faults), read.unnamed)

    @cached_property
    def _colours(self) -> Colours | None:
        listed = self._layout.raw_colours
        return read_colours(find_colours(listed, self._folder)) if isinstance(listed, str) else listed

    def _describe_form(self) -> list[Any]:
        """Returns what else determines label maps: nothing if they hold ids or polygons in Cityscapes' form."""
        if self._layout.form == "cityscapes" and self._colours is None:
            return []
        return [self._layout.form, sorted(self._colours.items()) if self._colours else None]


def _describe_turn(files: SceneFiles) -> str:
    """Returns what to say of the orientation tag of an image whose annotation has another size; nothing without one."""
    orientation = read_orientation(read_bytes(files.image)) if files.image else UPRIGHT
    if orientation == UPRIGHT:
        return ""
    return f", turned by its orientation tag {orientation}: the annotation must be upright as well"


def _fingerprint(files: SceneFiles) -> str:
    annotation = files.annotation if files.part is None else None
    there = [path for path in (files.image, annotation) if path and path.exists()]
    part = f" {hashlib.sha256(files.part).hexdigest()[:16]}" if files.part else ""
    # Only scenes that were read differently by older programs get another fingerprint; these read no store.
    turned = " turned" if files.image in there and _is_turned_on_disk(files.image) else ""
    lossy = " lossy" if annotation in there and _is_called_jpeg(annotation) else ""
    return f"{file_fingerprint(there)} {files.unusable} {len(files.faults)}{turned}{lossy}{part}"


def _is_turned_on_disk(path: RawPath) -> bool:
    return isinstance(path, Path) and _is_called_jpeg(path) and is_turned_jpeg(path)


def _is_called_jpeg(path: RawPath) -> bool:
    return path.suffix.lower() in JPEG_SUFFIXES
