"""Paths of raw files in a store of objects: it is listed once, and each file is read with one request."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from roadseg.reading.whole_file import WholeFiles, list_protocols

TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
"""What stores call the time of a file's last change; the first that one has counts."""

TAGS = ("ETag", "etag")
"""What they call the text that changes with a file's content."""


class StoredPath:
    """A path in a store, with the part of `pathlib.Path` that readers of raw data use.

    What is where is known from one listing of the folder that the first path named, so that nothing but `read_bytes`
    asks the store again. Where a path leads out of this folder, as `../lists` does, that place is listed too.
    """

    __slots__ = ("_listing", "_path")

    def __init__(self, fs: WholeFiles, path: str) -> None:
        """Takes the file system and the path; nothing is listed yet."""
        self._listing, self._path = _Listing(fs), str(fs._strip_protocol(path))

    def _at(self, path: str) -> Self:
        other = object.__new__(type(self))
        other._listing, other._path = self._listing, path
        return other

    def __truediv__(self, part: str) -> Self:
        """Returns the path of what is below."""
        return self._at(posixpath.join(self._path, part))

    def __str__(self) -> str:
        """Returns the path with its protocol, as a catalog has it."""
        return str(self._listing.fs.unstrip_protocol(self._path))

    def __repr__(self) -> str:
        """Returns the path with the name of the class."""
        return f"StoredPath('{self}')"

    def __eq__(self, other: object) -> bool:
        """Returns whether both are the same path in the same store."""
        return isinstance(other, StoredPath) and (self._path, self._listing) == (other._path, other._listing)

    def __hash__(self) -> int:
        """Agrees with `==`."""
        return hash(self._path)

    @property
    def name(self) -> str:
        """The last part."""
        return posixpath.basename(self._path)

    @property
    def suffix(self) -> str:
        """The ending, with its point."""
        return PurePosixPath(self._path).suffix

    @property
    def fingerprint(self) -> str:
        """Size in bytes, tag and time of the last change, as the store says them."""
        return self._listing.find(self._key)

    @property
    def is_remote(self) -> bool:
        """Whether reading a file waits for the answer of another machine."""
        return self._listing.fs.is_remote

    @property
    def is_shared(self) -> bool:
        """Whether other processes find the same files."""
        return "memory" not in list_protocols(self._listing.fs)

    @property
    def size(self) -> int:
        """Size of the file in bytes; 0 where there is none."""
        return int(self.fingerprint.partition(":")[0] or 0)

    def split_at(self, wildcards: re.Pattern[str]) -> tuple[Self, list[str]]:
        """Returns the path before its first part with a wildcard, and the parts from there on."""
        parts = self._path.split("/")
        count = next((count for count, part in enumerate(parts) if wildcards.search(part)), len(parts))
        return self._at("/".join(parts[:count])), parts[count:]

    def exists(self) -> bool:
        """Returns whether there is such a file or folder."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Returns whether there is such a file."""
        return bool(self._listing.find(self._key))

    def is_dir(self) -> bool:
        """Returns whether there are files below."""
        self._listing.find(self._key)
        return self._key in self._listing.folders

    def list_names(self) -> Iterator[str]:
        """Yields the paths of all files below, relative to this one; in no order."""
        return self._listing.list_below(self._key)

    def read_bytes(self) -> bytes:
        """Returns the content of the file.

        Raises:
            OSError: If it can't be read.
        """
        content: bytes = self._listing.fs.cat_file(self._key)
        return content

    def fetch(self, target: Path) -> None:
        """Copies the file to the local disk, a part at a time."""
        self._listing.fs.get_file(self._key, str(target))

    @property
    def _key(self) -> str:
        return posixpath.normpath(self._path)


RawPath = Path | StoredPath
"""Of a raw file or a folder of them, on this machine or in a store."""


def name_below(path: RawPath, folder: RawPath) -> str:
    """Returns a path as messages and lists name it: relative to a folder that it begins with, with slashes."""
    return PurePosixPath(str(path)).relative_to(str(folder)).as_posix()


class _Listing:
    """What a store holds in some folders; other processes get it empty, since they only read."""

    def __init__(self, fs: WholeFiles) -> None:
        self.fs = fs
        self._listed: list[str] = []
        self._files: dict[str, str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _Listing, (self.fs,)

    def find(self, key: str) -> str:
        """Returns the fingerprint of a file, empty where there is none."""
        if not any(_is_in(key, folder) for folder in self._listed):
            self._list(key if not self._listed else posixpath.dirname(key))
        return self._files.get(key, "")

    def list_below(self, key: str) -> Iterator[str]:
        """Yields the names of the files below a folder, relative to it."""
        if not any(_is_in(key, folder) for folder in self._listed):
            self._list(key)
        return (file[len(key) + 1 :] for file in self._files if file.startswith(f"{key}/"))

    def _list(self, folder: str) -> None:
        found: Mapping[str, Mapping[str, Any]] = self.fs.find(folder, detail=True)
        self._files |= {path: _describe(info) for path, info in found.items() if not _stands_for_folder(info)}
        self._listed.append(folder)
        self.__dict__.pop("folders", None)

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold files, directly or in one of them."""
        folders = {""}
        for file in self._files:
            while (file := posixpath.dirname(file)) not in folders:
                folders.add(file)
        return frozenset(folders)


def _is_in(key: str, folder: str) -> bool:
    return key == folder or key.startswith(f"{folder}/")


def _stands_for_folder(info: Mapping[str, Any]) -> bool:
    """Returns whether an object is no file, but what consoles make for an empty folder."""
    return info["type"] == "directory" or str(info["name"]).endswith("/")


def _describe(info: Mapping[str, Any]) -> str:
    tag, time = (next((str(info[name]) for name in names if info.get(name)), "") for names in (TAGS, TIMES))
    return f"{info['size']}:{tag.strip(chr(34))}:{time}"
