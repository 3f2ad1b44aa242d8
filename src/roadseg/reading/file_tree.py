"""The files below a folder, without those that operating systems add."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from roadseg.errors import FileError
from roadseg.reading.stored_path import RawPath, StoredPath

LEFTOVERS = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),  # Windows
        *("__macosx", "icon\r"),  # macOS; its other files are hidden
        *("@eadir", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "lost+found"),  # network disks, Linux
    )
)
"""Names, in small letters, of files and folders that operating systems add; hidden ones are not data either."""

FOLDERS = "**"
"""The part of a path pattern that stands for any number of folders."""


@dataclass(frozen=True)
class PathPart:
    """What one part of a path, between two slashes, must look like.

    Attributes:
        text: As it is written in a pattern.
        regex: What the name of a file or folder must match, with letters and their accents composed.
    """

    text: str
    regex: re.Pattern[str]

    def fits(self, name: str) -> bool:
        """Returns whether a name fits; a hidden one or a leftover fits only where the text itself is such a name."""
        if is_leftover(name) and not is_leftover(self.text):
            return False
        return self.regex.fullmatch(normalize("NFC", name)) is not None


ANY_FOLDERS = PathPart(FOLDERS, re.compile(".*", re.DOTALL))
ANY_FILE = PathPart("*", re.compile(".*", re.DOTALL))


def is_leftover(name: str) -> bool:
    """Returns whether the name of a file or folder is hidden, or one that a system leaves behind."""
    return name.startswith(".") or name.casefold() in LEFTOVERS


def find_files(folder: RawPath, parts: Sequence[PathPart]) -> Iterator[str]:
    """Yields the paths, relative to the folder and with slashes, of the files that fit; in no order.

    Links are followed, but not into a folder that contains them. A link to nothing counts as a file.

    Args:
        folder: Where to look; one that is missing holds nothing.
        parts: What the parts of a path must look like, `ANY_FOLDERS` being none, one or several.

    Raises:
        FileError: If a folder can't be read.
    """
    if isinstance(folder, StoredPath):
        yield from _pick_files(folder.list_names(), parts)
        return
    waiting = [("", _reach(0, parts), frozenset[tuple[int, int]]())] if folder.is_dir() else []
    while waiting:
        place, ahead, above = waiting.pop()
        status = (folder / place).stat()
        if (identity := (status.st_dev, status.st_ino)) in above:
            continue
        for name, is_folder in _list_folder(folder / place):
            fitting = [index for index in ahead if parts[index].fits(name)]
            if is_folder:
                reached = {each for index in fitting for each in _reach_after(index, parts)}
                if reached:
                    waiting.append((f"{place}{name}/", reached, above | {identity}))
            elif len(parts) - 1 in fitting:
                yield place + name


def _pick_files(names: Iterable[str], parts: Sequence[PathPart]) -> Iterator[str]:
    """Yields the paths that fit, of files in a store, which lists them all at once."""
    reached = {"": _reach(0, parts)}

    def reach(place: str) -> set[int]:
        if place not in reached:
            above, _, name = place.rpartition("/")
            fitting = [index for index in reach(above) if parts[index].fits(name)]
            reached[place] = {each for index in fitting for each in _reach_after(index, parts)}
        return reached[place]

    for path in names:
        place, _, name = path.rpartition("/")
        if len(parts) - 1 in reach(place) and parts[-1].fits(name):
            yield path


def describe_files(folder: RawPath) -> str:
    """Returns which files are below a folder: how many with each ending, and one of them."""
    files = sorted(find_files(folder, (ANY_FOLDERS, ANY_FILE)))
    if not files:
        return f"'{folder}' contains no files"
    endings = Counter(Path(file).suffix or "without an ending" for file in files)
    counts = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(5))
    return f"'{folder}' contains {counts}, such as '{files[0]}'"


def _reach(index: int, parts: Sequence[PathPart]) -> set[int]:
    """Returns the parts that a name may fit where `index` is the next: `**` may also be no folder."""
    reached = {index} if index < len(parts) else set()
    return reached | _reach(index + 1, parts) if reached and parts[index] is ANY_FOLDERS else reached


def _reach_after(index: int, parts: Sequence[PathPart]) -> set[int]:
    return _reach(index if parts[index] is ANY_FOLDERS else index + 1, parts)


def _list_folder(path: Path) -> Iterator[tuple[str, bool]]:
    """Yields the name of each folder, file and link in a folder, and whether it is a folder or a link to one."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                is_folder = _is_folder(entry)
                if is_folder or entry.is_symlink() or entry.is_file():
                    yield entry.name, is_folder
    except OSError as fault:
        raise FileError(f"folder '{path}' can't be read: {fault.strerror}") from fault


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
