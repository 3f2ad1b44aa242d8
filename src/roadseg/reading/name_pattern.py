"""Where the files of a data set are: patterns of paths, with fields for split, drive and frame."""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from unicodedata import normalize

from roadseg.errors import FileError, InputError
from roadseg.reading.file_tree import ANY_FOLDERS, FOLDERS, PathPart, find_files
from roadseg.reading.stored_path import RawPath

FIELDS = ("split", "drive", "frame")

JPEG_SUFFIXES = (".jpg", ".jpeg")
IMAGE_SUFFIXES = (".png", *JPEG_SUFFIXES, ".tif", ".tiff", ".bmp", ".webp")
"""Endings of image files, in small letters."""

TOKEN = re.compile(r"\{(\w*)\}|(\*)")

ENDING = re.compile(r"(?<=.)\.(\*|\w+)$")

ANY_TEXT = "[^/]+?"

UP = re.compile(r"(\.\./)*")


class NamePattern:
    """A pattern of paths below a folder, such as `{split}/{drive}/{frame}_image.*`.

    `{split}`, `{drive}` and `{frame}` mean text without a slash, as short as possible; the split is one of those
    given, in small or capital letters. `*` is any text without a slash, `**` between two slashes any number of folders,
    none too, as few as there can be. `.*` at the end is the ending of an image; endings match in small and capital
    letters. Hidden files and files that systems add match only if the pattern names them. Letters with accents
    match in either form of Unicode, and fields have the composed one.
    """

    def __init__(self, pattern: str, splits: Iterable[str], *, frameless: bool = False) -> None:
        """Takes the pattern, the names that splits have in it, and whether it may lack the frame.

        Raises:
            InputError: If the pattern holds another field or no frame, starts at the root, or has `**` beside text.
        """
        fields = TOKEN.split(pattern)[1::3]
        unknown = {field for field in fields if field is not None} - set(FIELDS)
        if unknown or not (frameless or "frame" in fields):
            raise InputError(f"pattern '{pattern}' must contain {{frame}}, and no fields except {', '.join(FIELDS)}")
        path = posixpath.normpath(normalize("NFC", pattern))
        self._up = UP.match(path)[0]  # type: ignore[index] # it matches the empty text too
        parts = path.removeprefix(self._up).split("/")
        if not parts[0]:
            raise InputError(f"pattern '{pattern}' must start in the folder of the data set, not at the root")
        if any(FOLDERS in part and part != FOLDERS for part in parts) or parts[-1] == FOLDERS:
            raise InputError(f"in pattern '{pattern}', ** must be alone between slashes, because it means folders")
        self.text = pattern
        self.fields = tuple(field for field in FIELDS if field in fields)
        split = f"(?ai:{'|'.join(map(re.escape, sorted(splits, key=len, reverse=True)))})"
        self._parts = _read_parts(parts)
        self._regex = _translate(parts, split)
        self._of_any_split = _translate(parts, ANY_TEXT) if "{split}" in posixpath.dirname(path) else None

    def find(self, folder: RawPath) -> Iterator[tuple[RawPath, Mapping[str, str]]]:
        """Yields the files that match, sorted by path, each with the text of its fields.

        Raises:
            FileError: If a folder can't be read, or a name is not in UTF-8.
        """
        names = find_files(folder / self._up, self._parts)
        for name in sorted(names, key=lambda name: name.split("/")):
            if match := self._regex.fullmatch(normalize("NFC", name)):
                yield self._locate(folder, name), match.groupdict()

    def find_other_splits(self, folder: RawPath) -> Iterator[tuple[RawPath, Mapping[str, str]]]:
        """Yields the files that would match if the folder in place of `{split}` were called like a split; unsorted."""
        if self._of_any_split is None:
            return
        for name in find_files(folder / self._up, self._parts):
            normal = normalize("NFC", name)
            if not self._regex.fullmatch(normal) and (match := self._of_any_split.fullmatch(normal)):
                yield self._locate(folder, name), match.groupdict()

    def find_fields(self, name: str, fields: Iterable[str] = FIELDS) -> set[int]:
        """Returns which parts of a matching path, counted from its end, hold one of some fields; else none.

        Parts between two `**` are left out, because their place is not known.
        """
        if not self._regex.fullmatch(name.removeprefix(self._up)):
            return set()
        texts = [part.text for part in self._parts]
        holds = [any(f"{{{field}}}" in text for field in fields) for text in texts]
        first = texts.index(FOLDERS) if FOLDERS in texts else 0
        behind = texts[::-1].index(FOLDERS) if FOLDERS in texts else len(texts)
        length = name.removeprefix(self._up).count("/") + 1
        found = {distance for distance, held in enumerate(holds[::-1][:behind]) if held}
        return found | {length - 1 - place for place, held in enumerate(holds[:first]) if held}

    def find_place(self, folder: RawPath) -> RawPath:
        """Returns the deepest existing folder that contains all files that can match."""
        fixed = [part.text for part in takewhile(lambda part: not TOKEN.search(part.text), self._parts[:-1])]
        places = [folder / self._up / "/".join(fixed[:count]) for count in range(len(fixed), 0, -1)]
        return next((place for place in places if place.is_dir()), folder)

    def _locate(self, folder: RawPath, name: str) -> RawPath:
        path = folder / (self._up + name)
        try:
            name.encode()
        except UnicodeEncodeError as fault:
            raise FileError(f"the name of the file {os.fsencode(str(path))!r} is not in UTF-8: rename it") from fault
        return path


def _read_parts(parts: list[str]) -> list[PathPart]:
    *folders, file = parts
    read = [
        ANY_FOLDERS if part == FOLDERS else PathPart(part, re.compile(_spell(part, set(), ANY_TEXT)))
        for part in folders
    ]
    return [*read, PathPart(file, re.compile(_spell_file(file, set(), ANY_TEXT)))]


def _translate(parts: list[str], split: str) -> re.Pattern[str]:
    """Returns the regular expression of whole paths."""
    *folders, file = parts
    seen: set[str] = set()
    spelled = ["(?:[^/]+/)*?" if part == FOLDERS else f"{_spell(part, seen, split)}/" for part in folders]
    return re.compile("".join([*spelled, _spell_file(file, seen, split)]))


def _spell_file(name: str, seen: set[str], split: str) -> str:
    ending = ENDING.search(name)
    if ending is None:
        return _spell(name, seen, split)
    suffixes = [suffix[1:] for suffix in IMAGE_SUFFIXES] if ending[1] == "*" else [ending[1]]
    return _spell(name[: ending.start()], seen, split) + rf"\.(?i:{'|'.join(suffixes)})"


def _spell(part: str, seen: set[str], split: str) -> str:
    """Returns a part of a pattern as a regular expression; a field that was seen before has the same text again."""
    literal, *tokens = TOKEN.split(part)
    spelled = [re.escape(literal)]
    for field, literal in zip(tokens[::3], tokens[2::3], strict=True):
        if field is None:
            spelled.append("[^/]*")
        elif field in seen:
            spelled.append(f"(?P={field})")
        else:
            spelled.append(f"(?P<{field}>{split if field == 'split' else ANY_TEXT})")
            seen.add(field)
        spelled.append(re.escape(literal))
    return "".join(spelled)
