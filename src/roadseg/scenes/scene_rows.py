"""The rows of a manifest, kept by column: a million scenes need no million mappings."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, overload

import numpy as np

FACTS, IMAGE, LABELS = "json", "image.png", "labels.png"
"""Suffixes of the files of a scene."""

COLUMNS = ("scene", "drive", "published_split", "usable", "faults", "height", "width", "pixels", "image_hash", "name")
"""What is kept of a scene: what its row says, and the name of its files without their suffixes."""

CHUNK = 10_000
"""Rows that are handled at once where all are wanted, to save time."""

_SAID = itemgetter(*COLUMNS[:-1])

Values = Sequence[Any]
"""Of a scene, in the order of `COLUMNS`."""


class SceneRows(Sequence[Mapping[str, Any]]):
    """One row per scene, as `PreparedScenes` describes it, made when it is asked for.

    A million rows of seven classes take 0.4 GB; as mappings they take 2.7 GB.
    """

    def __init__(self, values: Iterable[Values], count: int, num_classes: int) -> None:
        """Takes the values of scenes, their number, and that of the classes, as many as have pixels counted."""
        self._texts: dict[str, list[str | None]] = {
            name: [None] * count for name in ("scene", "drive", "published_split", "image_hash", "name")
        }
        self._faults: list[Sequence[Any] | None] = [None] * count
        self._usable, self._labelled = np.zeros((2, count), bool)
        self._sizes = np.zeros((count, 2), np.int32)  # 0 is None
        self._pixels = np.zeros((count, num_classes), np.int64)
        rest = iter(values)
        for start in range(0, count, CHUNK):
            self._put(start, list(islice(rest, min(CHUNK, count - start))))

    def _put(self, start: int, values: Sequence[Values]) -> None:
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

    def list_unusable(self) -> dict[str, Sequence[Any]]:
        """Returns the faults of each scene that can't be used."""
        return {str(self._texts["scene"][place]): self._faults[place] or [] for place in np.flatnonzero(~self._usable)}

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
        return _make_row(next(self._list_values(places, places + 1)))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Iterates over the rows."""
        return map(_make_row, self.list_values())

    def list_values(self) -> Iterator[Values]:
        """Iterates over what is kept of the rows."""
        for start in range(0, len(self), CHUNK):
            yield from self._list_values(start, start + CHUNK)

    def _list_values(self, start: int, stop: int) -> Iterator[Values]:
        part = slice(start, stop)
        scenes, drives, splits, hashes, names = (texts[part] for texts in self._texts.values())
        heights, widths = ([each or None for each in column[part].tolist()] for column in self._sizes.T)
        counts, labelled = self._pixels[part].tolist(), self._labelled[part].tolist()
        pixels = [each if is_there else None for each, is_there in zip(counts, labelled, strict=True)]
        faults = [each or [] for each in self._faults[part]]
        usable = self._usable[part].tolist()
        return zip(scenes, drives, splits, usable, faults, heights, widths, pixels, hashes, names, strict=True)


def list_values(rows: Sequence[Mapping[str, Any]]) -> Iterator[Values]:
    """Iterates over what is kept of rows."""
    if isinstance(rows, SceneRows):
        return rows.list_values()
    return ((*_SAID(row), row["facts"].removesuffix(f".{FACTS}")) for row in rows)


def _make_row(values: Values) -> Mapping[str, Any]:
    *said, name = values
    row = dict(zip(COLUMNS, said, strict=False))
    row["facts"] = f"{name}.{FACTS}"
    row["image"] = f"{name}.{IMAGE}" if row["usable"] else None
    row["label_map"] = None if row["pixels"] is None else f"{name}.{LABELS}"
    return row


def _share_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Returns texts of which equal ones are one object."""
    return [text and sys.intern(text) for text in texts]
