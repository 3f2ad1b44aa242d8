"""Paths with `*`, `?`, `[...]` and `**` in them, as shells write them, in either form of Unicode."""

import fnmatch
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from unicodedata import normalize

from roadseg.reading.file_tree import ANY_FILE, ANY_FOLDERS, FOLDERS, PathPart, find_files
from roadseg.reading.stored_path import RawPath, StoredPath

WILDCARDS = re.compile(r"[*?\[]")


def split_glob(path: RawPath) -> tuple[RawPath, list[str]]:
    """Returns the deepest existing folder of a path, and the parts of the path after it.

    A part with a wildcard is taken literally if a folder has this name. In a store, all that is before the first
    wildcard counts as a folder.
    """
    if isinstance(path, StoredPath):
        return path.split_at(WILDCARDS)
    parts = path.relative_to(path.anchor).parts
    folder = Path(path.anchor)
    for count, part in enumerate(parts):
        if not (folder / part).is_dir():
            return folder, list(parts[count:])
        folder /= part
    return folder, []


def find_below(folder: RawPath, parts: Sequence[str]) -> set[str]:
    """Returns the paths, relative to the folder and with slashes, of all files that match or are in a matching folder.

    Links are followed, but not into a folder that contains them. Hidden files and what systems leave behind fit only
    where a part is such a name. Endings fit in small and capital letters, accents in either form of Unicode.

    Args:
        folder: Where to look.
        parts: Of the path, between two slashes; none of them finds all files.

    Raises:
        FileError: If a folder can't be read.
    """
    patterns = [ANY_FOLDERS if part == FOLDERS else PathPart(part, _translate(part)) for part in parts]
    found = set(find_files(folder, [*patterns, ANY_FOLDERS, ANY_FILE]))
    return found | set(find_files(folder, patterns)) if patterns else found


def _translate(part: str) -> re.Pattern[str]:
    part = normalize("NFC", part)
    ending = PurePath(part).suffix
    if ending[1:].isalnum():
        part = part.removesuffix(ending) + "".join(f"[{letter.lower()}{letter.upper()}]" for letter in ending)
    return re.compile(fnmatch.translate(part))
