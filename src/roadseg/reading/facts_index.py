"""The facts of all scenes of a store in one file: who wants to know them reads no file per scene."""

import hashlib
import io
import json
import logging
from collections.abc import Iterable
from typing import Any, Self

from roadseg.reading.folder import name_place
from roadseg.reading.whole_file import WholeFiles

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
"""What a store knows of a scene, as JSON."""

HEAD = b"facts 1 "
"""Start of the first line, which ends with the SHA-256 of the others; the number is that of the form."""

_ENCODER, _DECODER = json.JSONEncoder(separators=(",", ":")), json.JSONDecoder()

LEAST_VOID = 255
"""Counts of pixels from here on are those of void, which no manifest has."""


class FactsIndex:
    """Name of a scene -> its facts: a cache of the files that have them, since equal names have equal facts.

    Of two that are saved at once one stays. What it lacks is read from the store the next time, and added. The facts
    are kept as JSON, a fifth of the memory of their objects.

    Attributes:
        is_saved: Whether the file has all of them.
    """

    def __init__(self, fs: WholeFiles, path: str) -> None:
        """Takes the file system and the path; nothing is read yet."""
        self._fs, self._path = fs, path
        self._lines: dict[bytes, bytes] = {}
        self.is_saved = True

    @classmethod
    def load(cls, fs: WholeFiles, path: str) -> Self:
        """Returns what a file has: nothing if there is none, or if it is damaged, which the log says."""
        index = cls(fs, path)
        try:
            content = fs.cat_file(path)
        except FileNotFoundError:
            return index
        file = io.BytesIO(content)
        if file.readline() != HEAD + _digest([content[file.tell() :]]) + b"\n":
            logger.warning(
                "'%s' is damaged: the facts of each scene are read again, and it is replaced", name_place(fs, path)
            )
            index.is_saved = False
            return index
        for line in file:
            name, _, facts = line.partition(b"\t")
            index._lines[name] = facts
        return index

    def __contains__(self, name: str) -> bool:
        """Returns whether the facts of a scene are known."""
        return _encode(name) in self._lines

    def __getitem__(self, name: str) -> Facts:
        """Returns the facts of a scene; its pixels end with the last class that it has."""
        facts: Facts = _DECODER.raw_decode(self._lines[_encode(name)].decode())[0]
        return facts

    def add(self, name: str, facts: Facts) -> None:
        """Takes the facts of a scene, in place of what was known of it."""
        pixels = facts["pixels"]
        if pixels is not None:
            pixels = pixels[:LEAST_VOID]
            while pixels and not pixels[-1]:
                pixels.pop()
        self._lines[_encode(name)] = _encode(facts | {"pixels": pixels}) + b"\n"
        self.is_saved = False

    def remove(self, names: Iterable[str]) -> None:
        """Forgets scenes."""
        gone = [self._lines.pop(_encode(name), None) for name in names]
        self.is_saved = self.is_saved and not any(gone)

    def save(self) -> None:
        """Writes the file, if it lacks something: equal bytes for equal facts.

        Raises:
            FileError: If the disk is full.
        """
        if self.is_saved:
            return
        names = sorted(self._lines)
        with self._fs.open(self._path, "wb") as file:
            file.write(HEAD + _digest(b"%b\t%b" % (name, self._lines[name]) for name in names) + b"\n")
            for name in names:
                file.write(b"%b\t%b" % (name, self._lines[name]))
        self.is_saved = True


def _encode(content: Any) -> bytes:
    return _ENCODER.encode(content).encode()


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()
