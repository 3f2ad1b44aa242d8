"""Splits from list files, one scene per line, as CamVid, VOC and BDD have them."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from unicodedata import normalize

from roadseg.errors import FileError, InputError
from roadseg.reading.layout import Layout, SceneFiles
from roadseg.reading.stored_path import RawPath, name_below
from roadseg.reading.text_file import read_text

logger = logging.getLogger(__name__)

COMMENT = "#"

LINE_END = re.compile(r"\r\n?|\n")

GAP = re.compile(r"[\s,;]+")
"""What is between the image and the label map if a line holds both."""

NAMED = 3
"""At most so many scenes are named in a message."""

Marks = tuple[tuple[int, str], ...]
"""The parts of a path that identify a scene: for each the number of parts after it, and the part."""


def take_listed(folder: RawPath, layout: Layout, scenes: Mapping[str, SceneFiles]) -> dict[str, SceneFiles]:
    """Returns the scenes that are in a list, with the split of their list among their fields.

    Args:
        folder: That of the data set, which contains the lists.
        layout: Its layout.
        scenes: Scene id -> its files.

    Raises:
        FileError: If a list can't be read or is empty, none of its lines matches a scene or one matches several, or a
            scene is in lists of two splits.
    """
    names = SceneNames(folder, layout, scenes)
    places: dict[str, tuple[str, str]] = {}
    for split, lists in layout.split_lists.items():
        for scene, place in (each for name in lists for each in _read_list(folder / name, names)):
            other, there = places.setdefault(scene, (split, place))
            if layout.splits[other.casefold()] != layout.splits[split.casefold()]:
                raise FileError(f"scene '{scene}' is in lists of two splits: {there}; {place}")
    logger.info("%d scenes are in a list; %d are in none and are left out", len(places), len(scenes) - len(places))
    annotated = {split for scene, (split, _) in places.items() if scenes[scene].annotation}
    return {
        scene: replace(
            scenes[scene],
            fields={**scenes[scene].fields, "split": split},
            # If no scene of the split has an annotation, none is missing.
            faults=scenes[scene].faults if split in annotated else (),
        )
        for scene, (split, _) in sorted(places.items())
    }


class SceneNames:
    """What lists may call scenes: the paths of their images, from any folder on, with an ending or without, or ids."""

    def __init__(self, folder: RawPath, layout: Layout, scenes: Mapping[str, SceneFiles]) -> None:
        """Takes the folder of the data set, its layout, and the scenes."""
        self._marked: dict[tuple[int, str], set[tuple[Marks, str]]] = {}
        for scene, files in scenes.items():
            marks = {tuple(enumerate(reversed(scene.split("/"))))}
            if files.image:
                path = normalize("NFC", name_below(files.image, folder))
                fields = next(filter(None, (pattern.find_fields(path) for pattern in layout.images)))
                parts = _take_apart(_drop_ending(path))
                marks.add(tuple((distance, parts[distance]) for distance in sorted(fields)))
            for each in marks:
                self._marked.setdefault(each[0], set()).add((each, scene))
        self._distances = {distance for distance, _ in self._marked}

    def find(self, line: str) -> list[str]:
        """Returns the scenes that a line may mean: by all of it and its first word, else by its first match.

        A whole line may be one name with spaces, or end in the label map of another scene than it begins with.
        """
        words = GAP.split(line)
        if found := self._find(line):
            return sorted(found | self._find(words[0]))
        return sorted(next(filter(None, map(self._find, words)), ()))

    def _find(self, text: str) -> set[str]:
        return self._match(_take_apart(text)) or self._match(_take_apart(_drop_ending(text)))

    def _match(self, parts: list[str]) -> set[str]:
        return {
            scene
            for distance in self._distances
            if distance < len(parts)
            for marks, scene in self._marked.get((distance, parts[distance]), ())
            if all(parts[place] == part for place, part in marks if place < len(parts))
        }


def _read_list(path: RawPath, names: SceneNames) -> Iterator[tuple[str, str]]:
    """Yields each scene that a list names, and where."""
    try:
        lines = enumerate(map(str.strip, LINE_END.split(read_text(path))), start=1)
    except InputError as fault:
        raise FileError(f"list '{path}' is {fault}") from fault
    found = {
        f"line {number} of '{path.name}', '{line}'": names.find(normalize("NFC", line))
        for number, line in lines
        if line and not line.startswith(COMMENT)
    }
    if not found:
        raise FileError(f"the list '{path}' names no scenes: fill it, or leave it out of split_lists")
    strange = [place for place, scenes in found.items() if not scenes]
    if strange and len(strange) == len(found):
        raise FileError(f"no line of '{path}' matches a scene; the first is {strange[0]}")
    if strange:
        logger.warning("%d lines of '%s' match no scene; the first is %s", len(strange), path, strange[0])
    for place, scenes in found.items():
        if len(scenes) > 1:
            more = f" and {len(scenes) - NAMED} more" if len(scenes) > NAMED else ""
            raise FileError(
                f"{place}, matches several scenes: {', '.join(scenes[:NAMED])}{more}; write more of the path"
            )
        yield from ((scene, place) for scene in scenes)


def _take_apart(text: str) -> list[str]:
    """Returns the parts of a path, the last first."""
    return [part for part in reversed(text.strip("\"'").replace("\\", "/").split("/")) if part not in ("", ".")]


def _drop_ending(path: str) -> str:
    return path.removesuffix(PurePosixPath(path).suffix)
