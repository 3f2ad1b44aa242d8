"""The store of prepared scenes: PNG files in a folder, each written once, under its own name."""

import json
import os
import shutil
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError
from roadseg.reading.facts_index import Facts, FactsIndex
from roadseg.reading.folder import name_place
from roadseg.reading.in_flight import map_in_flight
from roadseg.reading.stored_path import TIMES
from roadseg.reading.whole_file import WholeFiles, is_object_store, list_protocols
from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.prepared import PreparedScene
from roadseg.scenes.scene_rows import FACTS, IMAGE, LABELS

# Measured on photographs of 240x480: half the time of OpenCV's own choice of level 1, for smaller files.
PNG_IMAGE = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
)
PNG_LABELS = (*(cv2.IMWRITE_PNG_COMPRESSION, 1), *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE))

DELETED_AT_ONCE = 16
"""Files of a store on another machine that are removed at the same time."""

INDEX = "facts.index"
"""Name of the file that repeats the facts of all scenes."""


class SceneStore:
    """Prepared scenes in a folder, by name: the facts of each, its image, and its label map where it has one.

    Any number of processes may write to it at once: a file gets its name when all of it is written, and equal names
    have equal content.

    Attributes:
        folder: Its path, as the file system spells it.
        is_shared: Whether other processes find what this one writes.
        is_remote: Whether each request waits for the answer of another machine.
    """

    def __init__(self, fs: WholeFiles, folder: str) -> None:
        """Takes the file system and the path of the folder, which need not be there."""
        self._fs = fs
        self.folder = str(fs._strip_protocol(folder))  # as it lists what is there: a local path becomes absolute
        self._protocols = list_protocols(fs)
        self.is_shared, self.is_remote = "memory" not in self._protocols, fs.is_remote

    def list_files(self, in_flight: int = 1) -> Iterator[str]:
        """Yields the names of all files, with their suffixes: folder by folder, so that millions need little memory.

        Args:
            in_flight: How many folders are listed at the same time where the store is not on the disk.
        """
        if "file" not in self._protocols:
            yield from self._list_far_files(in_flight)
            return
        for folder, _, files in os.walk(self.folder):  # `fs.ls` would ask for the size of each file
            within = folder[len(self.folder) + 1 :]
            yield from (f"{within}/{file}" for file in files) if within else files

    def _list_far_files(self, in_flight: int) -> Iterator[str]:
        folders = [self.folder]
        while folders:
            listed = list(folders)
            folders.clear()
            for infos in map_in_flight(self._list_folder, listed, in_flight):
                folders += [info["name"] for info in infos if info["type"] == "directory"]
                yield from (info["name"][len(self.folder) + 1 :] for info in infos if info["type"] != "directory")

    def _list_folder(self, folder: str) -> list[dict[str, Any]]:
        try:
            infos: list[dict[str, Any]] = self._fs.ls(folder, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        self._fs.invalidate_cache(folder)  # a listing that is kept takes a kilobyte per file
        return [info for info in infos if info["name"] != folder]

    def find_free_space(self) -> int | None:
        """Returns the bytes that are free on the disk of the folder; None where it is on no local disk."""
        return shutil.disk_usage(self.folder).free if "file" in self._protocols else None

    def put(self, name: str, facts: Facts, scene: PreparedScene | None) -> int:
        """Writes a scene, its facts last, which say that it is complete; returns its size in bytes.

        Args:
            name: No scene with other content has it.
            facts: What the store is to know of it.
            scene: None where it can't be used.

        Raises:
            FileError: If the disk is full.
        """
        pictures = {}
        if scene:
            pictures[IMAGE] = encode_png(scene.image[..., ::-1], PNG_IMAGE)
            if scene.label_map is not None:
                pictures[LABELS] = encode_png(scene.label_map, PNG_LABELS)
        for contents in (pictures, {FACTS: (said := json.dumps(facts).encode())}):
            self._fs.write_files({f"{self.folder}/{name}.{suffix}": each for suffix, each in contents.items()})
        return sum(map(len, pictures.values())) + len(said)

    def gather_facts(self, names: Iterable[str], in_flight: int = 1) -> FactsIndex:
        """Returns the facts of all scenes that the index has, and of these: what it lacks is read one by one.

        Args:
            names: Of scenes whose facts are in the store.
            in_flight: How many files are read at the same time.

        Raises:
            FileError: If the facts of a scene are damaged.
        """
        index = FactsIndex.load(self._fs, f"{self.folder}/{INDEX}")
        lacking = [name for name in names if name not in index]
        for name, facts in zip(lacking, map_in_flight(self.read_facts, lacking, in_flight), strict=True):
            index.add(name, facts)
        return index

    def read_facts(self, name: str) -> Facts:
        """Returns what is said of a scene.

        Raises:
            FileError: If the file is damaged.
        """
        path = f"{self.folder}/{name}.{FACTS}"
        content = self._fs.cat_file(path)
        try:
            facts: Facts = json.loads(content)
        except ValueError as fault:
            raise self._blame_content(path, content) from fault
        return facts

    def read(self, row: Mapping[str, Any]) -> PreparedScene:
        """Returns the scene of a row of a manifest, see `PreparedScenes`.

        Raises:
            FileError: If a file of it is missing or broken.
        """
        paths = [f"{self.folder}/{row[kind]}" for kind in ("image", "label_map") if row[kind]]
        flags = (cv2.IMREAD_COLOR_RGB, cv2.IMREAD_UNCHANGED)
        image, *label_maps = map(self._decode, paths, self._fs.read_files(paths), flags)
        faults = tuple(Fault(FaultKind(kind), detail) for kind, detail in row["faults"])
        return PreparedScene(image, next(iter(label_maps), None), (row["height"], row["width"]), faults)

    def _decode(self, path: str, encoded: bytes | Exception, flags: int) -> NDArray[np.uint8]:
        if isinstance(encoded, FileNotFoundError):
            raise FileError(
                f"'{name_place(self._fs, path)}' is missing, though a manifest names it: prepare again"
            ) from encoded
        if isinstance(encoded, Exception):
            raise encoded
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
        if image is None:
            raise self._blame_content(path, encoded)
        return image.astype(np.uint8, copy=False)

    def _blame_content(self, path: str, content: bytes) -> FileError:
        place = name_place(self._fs, path)
        return FileError(f"'{place}' is broken ({len(content)} bytes): remove it and prepare again")

    def prune(self, named: Collection[str], before: datetime) -> tuple[int, int]:
        """Removes what is not named and was last written before a time, and folders that are empty then.

        The files of a scene go together, its facts first: they say that it is complete, so that a run after a killed
        pruning prepares it again.

        Args:
            named: Names of the scenes that stay.
            before: With its time zone.

        Returns:
            Number of files removed, and their size in bytes.
        """
        found = self._fs.find(self.folder, withdirs=True, detail=True)
        folders = {path for path, info in found.items() if info["type"] == "directory"}
        scenes: dict[str, list[str]] = {}
        for path in found.keys() - folders - {f"{self.folder}/{INDEX}"}:
            scenes.setdefault(name_scene(path[len(self.folder) + 1 :]), []).append(path)
        unnamed = [paths for name, paths in scenes.items() if name not in named]
        old = [paths for paths in unnamed if all(self._find_time(path, found[path]) < before for path in paths)]
        gone = [path for paths in old for path in paths]
        for is_facts in (True, False):
            several = [path for path in gone if path.endswith(f".{FACTS}") == is_facts]
            deque(map_in_flight(self._fs.rm_file, several, DELETED_AT_ONCE if self.is_remote else 1), maxlen=0)
        if not is_object_store(self._fs):
            self._remove_empty(folders - {self.folder})
        index = FactsIndex.load(self._fs, f"{self.folder}/{INDEX}")
        index.remove(name_scene(path[len(self.folder) + 1 :]) for path in gone)
        index.save()
        return len(gone), sum(found[path]["size"] for path in gone)

    def _find_time(self, path: str, info: Mapping[str, Any]) -> datetime:
        """Returns when a file was last written; most stores say it in their listing."""
        said: datetime | None = next((info[name] for name in TIMES if isinstance(info.get(name), datetime)), None)
        return said or self._fs.modified(path)

    def _remove_empty(self, folders: Set[str]) -> None:
        for folder in sorted(folders, reverse=True):
            if self._fs.isdir(folder) and not self._fs.ls(folder):
                self._fs.rmdir(folder)


def split_suffix(file: str) -> tuple[str, str]:
    """Returns the name of the scene that a file of the store belongs to, and the file's suffix; none of other files."""
    for suffix in (FACTS, IMAGE, LABELS):
        if file.endswith(f".{suffix}"):
            return file[: -len(suffix) - 1], suffix
    return file, ""


def name_scene(file: str) -> str:
    """Returns the name of the scene that a file of the store belongs to."""
    return split_suffix(file)[0]


def encode_png(image: NDArray[np.uint8], settings: Sequence[int] = PNG_IMAGE) -> bytes:
    """Returns (height, width[, 3]) uint8, blue first, as PNG; equal bytes for equal pixels."""
    return cv2.imencode(".png", image, settings)[1].tobytes()
