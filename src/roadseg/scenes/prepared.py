"""Prepared scenes: what the network trains on, and the plan that makes them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scenes.faults import Fault
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.raw import SceneRecord
from roadseg.scenes.scene_rows import SceneRows

DIGITS = 16
"""Hexadecimal digits of a content's hash."""

SCENE_COLUMNS = {
    "scene": "str",
    "drive": "str",
    "published_split": "str",
    "usable": "bool",
    "labelled": "bool",
    "faults": "str",
    "height": "Int64",
    "width": "Int64",
    "image_hash": "str",
}
PIXEL_COLUMNS = {"scene": "str", "drive": "str", "class": "str", "pixels": "int64"}
FAULT_COLUMNS = {
    "scene": "str",
    "drive": "str",
    "published_split": "str",
    "usable": "bool",
    "kind": "str",
    "detail": "str",
}
"""Columns of the tables of scenes, with their types; text may be missing, and so may `Int64`."""


@dataclass(frozen=True)
class PreparedScene:
    """A scene at the network's size.

    Attributes:
        image: (height, width, 3) uint8, RGB.
        label_map: (height, width) uint8, class ids and void; None where the scene has no labels.
        raw_size: (height, width) in pixels of the scene it was made from.
        faults: What is wrong with the scene, though it can be used.
    """

    image: NDArray[np.uint8]
    label_map: NDArray[np.uint8] | None
    raw_size: tuple[int, int]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class PreparationPlan:
    """Scenes that are to be prepared, and how.

    Attributes:
        classes: The classes of the label maps; a class's id is its position.
        image_size: (height, width) in pixels.
        records: Record of each scene.
        digests: For each scene a hash of all that determines its pixels: scenes with equal digests are equal.
        prepare: Returns the prepared scene of a scene id; raises `UnusableSceneError` if it can't be used.
        unusable_share: Largest share of the scenes that may be left out.
        workers: Number of processes; None is one per core, if the work takes long enough.
        is_remote: Whether reading a raw scene waits for the answers of another machine.
    """

    classes: tuple[SegmentationClass, ...]
    image_size: tuple[int, int]
    records: Mapping[str, SceneRecord]
    digests: Mapping[str, str]
    prepare: Callable[[str], PreparedScene]
    unusable_share: float
    workers: int | None
    is_remote: bool = False


class PreparedScenes(Mapping[str, PreparedScene]):
    """Scene id -> prepared scene, read when asked for; scenes that can't be used are not among them.

    Attributes:
        manifest: All that is saved besides their files: `classes`, `image_size`, and `scenes`, which are the rows:
            `SceneRows`, or a list where an older program saved it.
        classes: The classes of the label maps.
        image_size: (height, width) in pixels.
        rows: For each scene `scene`, `drive`, `published_split`, `usable`, `faults` (a list of kind and detail),
            `height` and `width` of the raw image, `pixels` (one count per class, at the prepared size; None without
            labels), `facts`, `image` and `label_map` (names of files), `image_hash` (equal for equal pixels). Where the
            scene can't be used, the first five and `facts` are there, and the others None.
        is_remote: Whether reading a scene waits for the answer of another machine.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], PreparedScene],
        *,
        is_remote: bool = False,
    ) -> None:
        """Takes a manifest, and a function that reads the scene of one of its rows."""
        self.classes = tuple(SegmentationClass.model_validate(each) for each in manifest["classes"])
        self.image_size: tuple[int, int] = tuple(manifest["image_size"])
        self.rows: Sequence[Mapping[str, Any]] = manifest["scenes"]
        self.manifest, self._read, self.is_remote = manifest, read, is_remote

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {row["scene"]: position for position, row in enumerate(self.rows) if row["usable"]}

    def __getitem__(self, scene: str) -> PreparedScene:
        """Returns the prepared scene."""
        return self._read(self.rows[self._positions[scene]])

    def __contains__(self, scene: object) -> bool:
        """Returns whether there is such a scene, without reading it."""
        return scene in self._positions

    def __iter__(self) -> Iterator[str]:
        """Iterates over the scene ids."""
        return iter(self._positions)

    def __len__(self) -> int:
        """Returns the number of scenes."""
        return len(self._positions)

    def read_pair(self, scene: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Returns image and label map of a scene.

        Raises:
            InputError: If the scene has no labels.
        """
        prepared = self[scene]
        if prepared.label_map is None:
            raise InputError(f"scene '{scene}' has no labels to train on or to score against")
        return prepared.image, prepared.label_map

    def count_pixels(self, scenes: Sequence[str]) -> NDArray[np.int64]:
        """Returns how many pixels of each class labelled scenes have: (scenes, classes) int64."""
        return np.array([self.rows[self._positions[scene]]["pixels"] for scene in scenes], np.int64)

    def tabulate(self) -> pd.DataFrame:
        """Returns one row per scene, also for those that can't be used, with the columns of `SCENE_COLUMNS`.

        `labelled` says whether a pixel has a class; height and width are those of the raw image.
        """
        columns: dict[str, list[Any]] = {name: [] for name in SCENE_COLUMNS}
        for row in self.rows:
            labelled = sum(row["pixels"] or [0]) > 0
            faults = "; ".join(f"{kind} ({detail})" for kind, detail in row["faults"]) or None
            for name, values in columns.items():
                values.append({"labelled": labelled, "faults": faults}.get(name, row.get(name)))
        return pd.DataFrame(columns).astype(SCENE_COLUMNS)

    def tabulate_pixels(self) -> pd.DataFrame:
        """Returns the pixels at the prepared size: a row for each scene and class that it holds, in their order."""
        scenes, drives = (pd.array([row[name] for row in self.rows], "str") for name in ("scene", "drive"))
        counts = np.zeros((len(self.rows), len(self.classes)), np.int64)
        for place, row in enumerate(self.rows):
            if row["pixels"]:
                counts[place] = row["pixels"]
        places, classes = counts.nonzero()
        names = pd.array([each.name for each in self.classes], "str")
        columns = scenes[places], drives[places], names[classes], counts[places, classes]
        return pd.DataFrame(dict(zip(PIXEL_COLUMNS, columns, strict=True)))

    def tabulate_faults(self) -> pd.DataFrame:
        """Returns one row per fault, with the columns of `FAULT_COLUMNS`."""
        rows = [
            (row["scene"], row["drive"], row["published_split"], row["usable"], kind, detail or None)
            for row in self.rows
            for kind, detail in row["faults"]
        ]
        return pd.DataFrame(rows, columns=list(FAULT_COLUMNS)).astype(FAULT_COLUMNS)

    @property
    def digest(self) -> str:
        """A hash of the content: equal for equal scenes, whatever the version is called and whatever form it has."""
        if not isinstance(self.rows, SceneRows):
            return content_digest(self.manifest)
        encode = json.JSONEncoder(sort_keys=True).encode
        head = encode({name: self.manifest[name] for name in ("classes", "image_size")})
        digest = hashlib.sha256(f'{head[:-1]}, "scenes": ['.encode())  # as `json.dumps` writes it, a row at a time
        for place, row in enumerate(self.rows):
            digest.update(f"{', ' if place else ''}{encode(row)}".encode())
        digest.update(b"]}")
        return digest.hexdigest()[:DIGITS]


def content_digest(content: Any) -> str:
    """Returns 16 hexadecimal digits: the start of the SHA-256 of `content` (what JSON can hold), keys sorted."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGITS]


def digest_each(firsts: Iterable[str], rest: Sequence[Any]) -> Iterator[str]:
    """Yields the `content_digest` of [first, *rest] for each first; the rest, which may be long, is encoded once."""
    tail = json.dumps([None, *rest], sort_keys=True).removeprefix("[null")
    for first in firsts:
        yield hashlib.sha256(f"[{json.dumps(first)}{tail}".encode()).hexdigest()[:DIGITS]
