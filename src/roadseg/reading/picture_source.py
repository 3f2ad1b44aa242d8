"""What the path of a source of pictures stands for: a picture, a video, a folder of them, or several by wildcards."""

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from roadseg.errors import FileError
from roadseg.reading.file_tree import describe_files
from roadseg.reading.name_pattern import IMAGE_SUFFIXES
from roadseg.reading.path_glob import WILDCARDS, find_below, split_glob
from roadseg.reading.picture import Picture
from roadseg.reading.stored_path import RawPath, StoredPath
from roadseg.reading.video import VIDEO_SUFFIXES, Video

logger = logging.getLogger(__name__)

KINDS: Mapping[str, type[Picture] | type[Video]] = {
    **dict.fromkeys(IMAGE_SUFFIXES, Picture),
    **dict.fromkeys(VIDEO_SUFFIXES, Video),
}
"""Ending of a file, in small letters -> what it is taken for; others are left out."""


def list_pictures(source: str | RawPath) -> list[Picture | Video]:
    """Returns the pictures and videos of a source, sorted by name; no file is opened, and the log counts other files.

    Args:
        source: Path of a picture or video, or of a folder in which they lie at any depth; or a path with `*`, `?`,
            `[...]`, and `**` for any number of folders, which fits files and folders. Links are followed, but not into
            a folder that they lie in. In an object store, all of it is listed at once.

    Raises:
        FileError: If it does not exist, or there is no picture or video in it.
    """
    path = Path(source) if isinstance(source, str) else source
    folder, parts = split_glob(path)
    is_file = not parts and path.is_file() if isinstance(path, StoredPath) else path.is_file()
    places = {path.name: path} if is_file else {file: folder / file for file in sorted(find_below(folder, parts))}
    files = list(places)
    pictures = [file for file in files if _find_kind(file)]
    if not pictures:
        raise FileError(_describe_nothing(path, folder, parts, files))
    if left_out := [file for file in files if not _find_kind(file)]:
        of_all = f"{len(left_out)} of {len(files)} files"
        logger.info("Left out as neither picture nor video by ending: %s, such as '%s'", of_all, left_out[0])
    names = _name_files(pictures)
    items = [kind(names[file], places[file]) for file in pictures if (kind := _find_kind(file))]
    return sorted(items, key=lambda item: item.name.split("/"))


def _find_kind(file: str) -> type[Picture] | type[Video] | None:
    return KINDS.get(PurePosixPath(file).suffix.lower())


def _describe_nothing(path: RawPath, folder: RawPath, parts: Sequence[str], files: Sequence[str]) -> str:
    """Returns what to say where a source holds none."""
    expected = f"expected one that ends in {', '.join(KINDS)}"
    if not parts:
        return f"no picture or video in '{path}', {expected}; {describe_files(folder)}"
    if files:
        return f"'{folder / files[0]}' is no picture or video by its ending, {expected}"
    if WILDCARDS.search("/".join(parts)):
        return f"no file in '{folder}' fits '{'/'.join(parts)}'"
    return f"'{path}' does not exist: '{folder}' has no '{parts[0]}'"


def _name_files(files: Sequence[str]) -> dict[str, str]:
    """Returns the name of each file, see `SourceFile`."""
    full = {file: os.fsencode(file).decode("utf-8", "backslashreplace") for file in files}
    stems = {file: str(PurePosixPath(name).with_suffix("")) for file, name in full.items()}
    folders = {str(folder) for name in full.values() for folder in PurePosixPath(name).parents}
    taken = Counter(map(_fold, [*stems.values(), *full.values(), *folders]))
    return {file: stem if taken[_fold(stem)] == 1 else full[file] for file, stem in stems.items()}


def _fold(name: str) -> str:
    """Returns what two names have in common that are one on some file systems."""
    return normalize("NFC", name).casefold()
