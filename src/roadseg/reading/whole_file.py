"""Files that exist completely or not at all, whatever stops the program that writes them."""

import errno
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import deepcopy
from typing import IO, Any, Self

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from roadseg.errors import FileError

OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "r2", "memory"))
"""Protocols of stores in which a file that is written in one go is there when all of it is, and not before. They have
no folders to make, and rename by copying."""

FIRST_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    each: {"max_concurrency": 1}  # with more, s3fs asks for the size of each file before it reads it
    for each in ("s3", "s3a")
}
"""Protocol -> what its file system is made with if a catalog entry says nothing else."""

TEXT = ("encoding", "errors", "newline")
"""What only files of text are opened with."""


def list_protocols(fs: Any) -> tuple[str, ...]:
    """Returns the protocols of a file system."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def is_object_store(fs: Any) -> bool:
    """Returns whether a file system is a store of objects, see `OBJECT_STORES`."""
    return not OBJECT_STORES.isdisjoint(list_protocols(fs))


def open_whole(fs: Any, path: str, mode: str = "wb", **arguments: Any) -> AbstractContextManager[IO[Any]]:
    """Opens a file that gets its name when all is written; after an error or Ctrl-C, no part of it is left.

    Args:
        fs: The fsspec file system.
        path: Of the file; its folder is made if it is missing.
        mode: One that writes.
        arguments: What `fs.open` takes.

    Raises:
        FileError: If the disk is full.
    """
    opens = _open_object if is_object_store(fs) else _open_file
    return opens(fs, path, mode, **arguments)


@contextmanager
def _open_file(fs: Any, path: str, mode: str, **arguments: Any) -> Iterator[IO[Any]]:
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


@contextmanager
def _open_object(fs: Any, path: str, mode: str, **arguments: Any) -> Iterator[IO[Any]]:
    """Collects in memory what is written: the file of a store, when closed after an error, would keep a part of it."""
    content = io.BytesIO()
    text = {name: arguments.pop(name) for name in TEXT if name in arguments}
    file = content if "b" in mode else io.TextIOWrapper(content, **text, write_through=True)
    yield file
    fs.pipe_file(path, content.getvalue(), **arguments)


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
        arguments = {**FIRST_ARGUMENTS.get(protocol, {}), **(credentials or {}), **(fs_args or {})}
        return cls(fsspec.filesystem(protocol, **deepcopy(arguments)))

    def open(self, path: str, mode: str = "rb", **arguments: Any) -> AbstractContextManager[IO[Any]]:
        """Opens a file."""
        opened: AbstractContextManager[IO[Any]] = (
            open_whole(self._fs, path, mode, **arguments) if "w" in mode else self._fs.open(path, mode, **arguments)
        )
        return opened

    def write_files(self, contents: Mapping[str, bytes]) -> None:
        """Writes files, each of them whole; those of an object store at the same time."""
        if is_object_store(self._fs):
            self._fs.pipe(dict(contents))
            return
        for path, content in contents.items():
            with self.open(path, "wb") as file:
                file.write(content)

    def read_files(self, paths: Sequence[str]) -> list[bytes | Exception]:
        """Returns the content of each file, or why it can't be read; those of an object store at the same time."""
        found: list[bytes | Exception] = self._fs.cat_ranges(list(paths), None, None, on_error="return")
        return found

    @property
    def is_remote(self) -> bool:
        """Whether each request waits for the answer of another machine."""
        return not isinstance(self._fs, LocalFileSystem | MemoryFileSystem)

    def __getattr__(self, name: str) -> Any:
        """Returns what the file system has."""
        if name == "_fs":
            raise AttributeError(name)  # `copy` asks for it before there is one
        return getattr(self._fs, name)
