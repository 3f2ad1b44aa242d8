"""Files that exist completely or not at all, whatever stops the program that writes them."""

import errno
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import deepcopy
from typing import IO, Any, Self

import fsspec

from roadseg.errors import FileError


@contextmanager
def open_whole(fs: Any, path: str, mode: str = "wb", **arguments: Any) -> Iterator[IO[Any]]:
    """Opens a file that gets its name when all is written; after an error or Ctrl-C, no part of it is left.

    Args:
        fs: The fsspec file system.
        path: Of the file; its folder is made if it is missing.
        mode: One that writes.
        arguments: What `fs.open` takes.

    Raises:
        FileError: If the disk is full.
    """
    folder = fs._parent(path)
    temporary = f"{folder}/{uuid.uuid4().hex}.part"  # a long name may have no room for more
    fs.makedirs(folder, exist_ok=True)
    try:
        with fs.open(temporary, mode, **arguments) as file:
            yield file
        fs.mv(temporary, path)
    except BaseException as fault:
        if fs.exists(temporary):
            fs.rm(temporary)
        with suppress(OSError):  # another file is in it
            fs.rmdir(folder)
        if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
            raise FileError(f"the disk is full: '{path}' could not be saved; make room and run again") from fault
        raise


class WholeFiles:
    """A file system that opens for writing as `open_whole` does, and does all else as the one that it is made from."""

    def __init__(self, fs: Any) -> None:
        """Takes the fsspec file system."""
        self._fs = fs

    @classmethod
    def reached_by(
        cls, protocol: str, credentials: Mapping[str, Any] | None = None, fs_args: Mapping[str, Any] | None = None
    ) -> Self:
        """Returns the file system of a protocol, with what a catalog entry says of how to reach it."""
        return cls(fsspec.filesystem(protocol, **deepcopy({**(credentials or {}), **(fs_args or {})})))

    def open(self, path: str, mode: str = "rb", **arguments: Any) -> AbstractContextManager[IO[Any]]:
        """Opens a file."""
        opened: AbstractContextManager[IO[Any]] = (
            open_whole(self._fs, path, mode, **arguments) if "w" in mode else self._fs.open(path, mode, **arguments)
        )
        return opened

    def __getattr__(self, name: str) -> Any:
        """Returns what the file system has."""
        if name == "_fs":
            raise AttributeError(name)  # `copy` asks for it before there is one
        return getattr(self._fs, name)
