"""The folder of a prediction: its files, and an index that says for which picture each was made.

While the work goes on, what is finished is noted line by line in a journal. A kill at any moment loses the pictures
that were not finished, and no other. When all is done, the journal becomes the index.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, TypeAdapter, ValidationError

from roadseg.errors import FileError
from roadseg.predicting.entry import Entry
from roadseg.reading.folder import Folder
from roadseg.reading.whole_file import open_whole

JOURNAL, INDEX = "journal.jsonl", "index.json"

FILES = LocalFileSystem()

OVERLAYS, VIDEOS = "overlays", "overlay_videos"

KINDS = {
    "label_maps": ".png",
    OVERLAYS: ".jpg",
    "confidence_maps": ".png",
    "entropy_maps": ".png",
    "variance_maps": ".png",
    "thumbnails": ".jpg",
    VIDEOS: ".mp4",
}
"""What is written of a picture or video -> the ending of its files."""

FOLDERS = {VIDEOS: OVERLAYS}
"""Kinds that lie in the folder of another one."""


class Footage(BaseModel, frozen=True):
    """A video of which all that is asked for is finished.

    Attributes:
        video: Its name in the source.
        fingerprint: Changes when the file does, or what is asked of it.
    """

    video: str
    fingerprint: str


class Index(BaseModel, frozen=True):
    """What is in a finished folder.

    Attributes:
        key: Of all that its files depend on, beside the pictures.
        entries: Of all pictures and frames, in the order of the source.
        videos: Those that are finished.
    """

    key: str
    entries: tuple[Entry, ...]
    videos: tuple[Footage, ...]


NOTES: Any = Entry | Footage  # mypy takes a union for no type
NOTE: TypeAdapter[Any] = TypeAdapter(NOTES)
"""What a line of the journal holds."""

Wanted = tuple[Entry | Footage, list[str]]
"""What is finished in another folder, and the names of its files there."""


class PredictionFolder:
    """A folder in which pictures are predicted; several threads may use it at once.

    Attributes:
        path: The folder.
        entries: Of finished pictures and frames, by their names.
        videos: Finished videos, by their names.
    """

    def __init__(self, path: Path) -> None:
        """Takes the folder, makes it if it is missing, and reads what is finished in it.

        Raises:
            FileError: If its journal is damaged.
        """
        path.mkdir(parents=True, exist_ok=True)
        self.path, self._lock = path, Lock()
        self.entries: dict[str, Entry] = {}
        self.videos: dict[str, Footage] = {}
        if (path / INDEX).exists():  # killed before it was saved
            index = read_index(Folder.at(path))
            for entry in index.entries:
                self.note(entry)
            for video in index.videos:
                self.note(video)
            (path / INDEX).unlink()
        for note in _read_journal(path / JOURNAL):
            self._keep(note)

    def name_file(self, kind: str, name: str) -> Path:
        """Returns the path of a file of a picture, or of the overlay of a video."""
        return self.path / _name_file(kind, name)

    def write(self, kind: str, name: str, content: bytes) -> None:
        """Writes a file of a picture: it is there whole or not at all.

        Raises:
            FileError: If the disk is full.
        """
        with open_whole(FILES, str(self.name_file(kind, name))) as file:
            file.write(content)

    def note(self, note: Entry | Footage) -> None:
        """Notes that a picture or a video is finished: all its files are written.

        Raises:
            FileError: If the disk is full.
        """
        with self._lock:
            _add_line(self.path / JOURNAL, note.model_dump_json())
            self._keep(note)

    def take_over(self, version: Folder, fingerprints: Mapping[str, str], kinds: Collection[str]) -> None:
        """Takes what a finished folder has of pictures and videos that are still the same, if no file is missing.

        Args:
            version: The finished folder.
            fingerprints: Of each picture and video by its name.
            kinds: What is written of each picture; frames have no overlay of their own.
        """
        index = read_index(version)
        of_frame = [kind for kind in kinds if kind != OVERLAYS]
        same: list[Wanted] = []
        for entry in index.entries:
            source = entry.drive if entry.is_frame else entry.picture
            is_same = fingerprints.get(source) == entry.fingerprint
            if is_same and entry.picture not in self.entries and (entry.is_frame or not entry.fault):
                wanted = [] if entry.fault else of_frame if entry.is_frame else kinds
                same.append((entry, [_name_file(kind, entry.picture) for kind in wanted]))
        for video in index.videos:
            if fingerprints.get(video.video) == video.fingerprint and video.video not in self.videos:
                same.append((video, [_name_file(VIDEOS, video.video)] if OVERLAYS in kinds else []))
        for note in self._link_files(version, same) if version.is_local else self._fetch_files(version, same):
            self.note(note)

    def finish(self, key: str, names: Sequence[str], videos: Sequence[str]) -> Index:
        """Removes what is of no picture of the source, and makes the journal an index.

        Args:
            key: Of all that the files depend on, beside the pictures.
            names: Of all pictures and frames of the source, in order; each is finished.
            videos: Names of its videos.
        """
        index = Index(
            key=key,
            entries=tuple(self.entries[name] for name in names),
            videos=tuple(self.videos[name] for name in videos if name in self.videos),
        )
        kept = {self.name_file(kind, name) for kind in KINDS for name in [*names, *videos]}
        for kind in KINDS:
            for path in (self.path / FOLDERS.get(kind, kind)).rglob("*"):
                if path.is_file() and path not in kept:
                    path.unlink()
        with open_whole(FILES, str(self.path / INDEX)) as file:
            file.write(index.model_dump_json(indent=1).encode())
        (self.path / JOURNAL).unlink()
        return index

    def _keep(self, note: Entry | Footage) -> None:
        if isinstance(note, Entry):
            self.entries[note.picture] = note
        else:
            self.videos[note.video] = note

    def _link_files(self, version: Folder, wanted: Iterable[Wanted]) -> Iterator[Entry | Footage]:
        """Takes files from a finished folder of this disk; yields each note whose files were all there."""
        for note, names in wanted:
            pairs = [(version.on_disk / name, self.path / name) for name in names]
            if all(old.exists() for old, _ in pairs):
                for old, path in pairs:
                    _link(old, path)
                yield note

    def _fetch_files(self, version: Folder, wanted: Sequence[Wanted]) -> Iterator[Entry | Footage]:
        """Takes files from a finished folder in an object store, many at once; yields as `_link_files` does."""
        there = set(version.list_files()) if wanted else set()
        whole = [(note, names) for note, names in wanted if there.issuperset(names)]
        version.fetch(self.path, [name for _, names in whole for name in names])
        yield from (note for note, _ in whole)


def read_index(folder: Folder) -> Index:
    """Returns the index of a finished folder.

    Raises:
        FileError: If it is missing or damaged.
    """
    try:
        return Index.model_validate_json(folder.read(INDEX))
    except FileNotFoundError as fault:
        raise FileError(f"'{folder}/{INDEX}' can't be read: {fault.strerror or 'it is missing'}") from fault
    except ValidationError as fault:
        raise FileError(f"'{folder}/{INDEX}' is damaged: remove '{folder}', and predict again") from fault


def find_versions(versions: Folder, key: str) -> list[Folder]:
    """Returns the finished folders with a key, newest first.

    Args:
        versions: Where finished folders are, each as `VERSION/NAME` with the name of this folder.
        key: Of all that the files depend on, beside the pictures.

    Raises:
        FileError: If the index of one is damaged.
    """
    folders = [versions / version / versions.name for version in reversed(versions.list_names())]
    return [each for each in folders if each.has(INDEX) and read_index(each).key == key]


def _name_file(kind: str, name: str) -> str:
    return f"{FOLDERS.get(kind, kind)}/{name}{KINDS[kind]}"


def _link(old: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        path.hardlink_to(old)
    except OSError:  # a file system without links
        shutil.copyfile(old, path)


def _add_line(path: Path, line: str) -> None:
    """Adds a line to a file, or nothing: after half of one, the next would be lost too."""
    end = path.stat().st_size if path.exists() else 0
    try:
        with path.open("ab") as file:
            file.write(f"{line}\n".encode())
    except OSError as fault:
        if path.exists():
            os.truncate(path, end)
        raise FileError(
            f"'{path}' can't be written: {fault.strerror}; see that there is room, and run again"
        ) from fault


def _read_journal(path: Path) -> Iterator[Entry | Footage]:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:  # a kill cut its last line
        os.truncate(path, len(whole))
    for line in whole.splitlines():
        try:
            yield NOTE.validate_json(line)
        except ValidationError as fault:
            raise FileError(f"'{path}' is damaged: remove '{path.parent}', and predict again") from fault
