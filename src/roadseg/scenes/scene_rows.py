"""The rows of a manifest, kept by column: a million scenes need no million mappings."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

FACTS, IMAGE, LABELS = "json", "image.png", "labels.png"
"""Suffixes of the files of a scene."""

COLUMNS = ("scene", "drive", "published_split", "usable", "faults", "height", "width", "pixels", "image_hash", "name")
"""What is kept of a scene: what its row says, and the name of its files without their suffixes."""

CHUNK = 10_000
"""Rows that are handled at once where all are wanted, to save time."""

Values = Sequence[Any]
"""Of a scene, in the order of `COLUMNS`."""


class SceneRows(Sequence[Mapping[str, Any]]):
    """One row per scene, as `PreparedScenes` describes it, made when it is asked for.

    A million rows of seven classes take 0.4 GB; as mappings they take 2.7 GB.
    """

    def __init__(self, count: int, num_classes: int) -> None:
        """Takes the number of rows, whose values are to be put, and of classes."""
        self._texts: dict[str, list[str | None]] = {
            name: [None] * count for name in ("scene", "drive", "published_split", "image_hash", "name")
        }
        self._faults: list[Sequence[Any] | None] = [None] * count
        self._usable, self._labelled = np.zeros((2, count), bool)
        self._sizes = np.zeros((count, 2), np.int32)  # 0 is None
        self._pixels = np.zeros((count, num_classes), np.int64)

    def put(self, start: int, values: Sequence[Values]) -> None:
        """Sets the values of the scenes from a position on; counts of pixels are as many as there are classes."""
        part = slice(start, start + len(values))
        of: dict[str, Sequence[Any]] = dict(zip(COLUMNS, zip(*values, strict=True), strict=True))
        of["drive"], of["published_split"] = map(_share_texts, (of["drive"], of["published_split"]))
        for name, texts in self._texts.items():
            texts[part] = of[name]
        self._faults[part] = [faults or None for faults in of["faults"]]
        self._usable[part] = of["usable"]
        self._sizes[part] = [(height or 0, width or 0) for height, width in zip(of["height"], of["width"], strict=True)]
        self._labelled[part] = [pixels is not None for pixels in of["pixels"]]
        none = [0] * self._pixels.shape[1]
        self._pixels[part] = [none if pixels is None else pixels for pixels in of["pixels"]]

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self._faults)

    @overload
    def __getitem__(self, position: int) -> Mapping[str, Any]: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Mapping[str, Any]]: ...

    def __getitem__(self, position: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        """Returns a row, or a list of some."""
        places = range(len(self))[position]
        if isinstance(places, range):
            return [self[place] for place in places]
        return next(self._make_rows(places, places + 1))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Iterates over the rows."""
        for start in range(0, len(self), CHUNK):
            yield from self._make_rows(start, start + CHUNK)

    def _make_rows(self, start: int, stop: int) -> Iterator[Mapping[str, Any]]:
        part = slice(start, stop)
        columns = (
            *(texts[part] for texts in self._texts.values()),
            self._faults[part],
            *(column[part].tolist() for column in (self._usable, self._labelled, self._sizes, self._pixels)),
        )
        for scene, drive, split, image_hash, name, faults, usable, labelled, size, pixels in zip(*columns, strict=True):
            yield {
                "scene": scene,
                "drive": drive,
                "published_split": split,
                "usable": usable,
                "faults": faults or [],
                "height": size[0] or None,
                "width": size[1] or None,
                "pixels": pixels if labelled else None,
                "image_hash": image_hash,
                "facts": f"{name}.{FACTS}",
                "image": f"{name}.{IMAGE}" if usable else None,
                "label_map": f"{name}.{LABELS}" if labelled else None,
            }


def list_values(row: Mapping[str, Any]) -> Values:
    """Returns what is kept of a row."""
    return [*(row[name] for name in COLUMNS[:-1]), row["facts"].removesuffix(f".{FACTS}")]


def _share_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Returns texts of which equal ones are one object."""
    return [text and sys.intern(text) for text in texts]
