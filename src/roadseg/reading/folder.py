"""A folder on the local disk or in an object store, whose files are read and written whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from roadseg.errors import FileError
from roadseg.reading.whole_file import WholeFiles, is_object_store, list_protocols


@dataclass(frozen=True)
class Folder:
    """A folder, which need not be there.

    Attributes:
        files: The file system that it is in.
        path: As that spells it.
    """

    files: WholeFiles
    path: str

    @classmethod
    def at(cls, path: Path) -> "Folder":
        """Returns a folder of the local disk."""
        return cls(WholeFiles(LocalFileSystem()), str(path))

    @property
    def is_local(self) -> bool:
        """Whether it is on the local disk."""
        return not is_object_store(self.files)

    @property
    def on_disk(self) -> Path:
        """Its path on the local disk.

        Raises:
            FileError: If it is in an object store.
        """
        if not self.is_local:
            raise FileError(f"'{self}' must be a folder on the local disk: see local_folder in globals.yml")
        return Path(self.path)

    def __str__(self) -> str:
        """Returns the path for people, with the protocol of an object store."""
        return name_place(self.files, self.path)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name

    def __truediv__(self, name: str) -> "Folder":
        """Returns a folder in this one."""
        return Folder(self.files, str(PurePosixPath(self.path) / name))

    def list_names(self) -> list[str]:
        """Returns the names of the files and folders that are directly in it, sorted."""
        try:
            return sorted(PurePosixPath(path).name for path in self.files.ls(self.path, detail=False))
        except FileNotFoundError as fault:
            if fault.__cause__ is not None:  # an answer of the store: the bucket is missing
                raise
            return []

    def list_files(self) -> list[str]:
        """Returns the names of all files at any depth, sorted."""
        own = str(self.files._strip_protocol(self.path)).rstrip("/")
        return [path[len(own) + 1 :] for path in self.files.find(self.path)]

    def has(self, name: str) -> bool:
        """Returns whether a file is in it."""
        return bool(self.files.exists(f"{self.path}/{name}"))

    def read(self, name: str) -> bytes:
        """Returns a file.

        Raises:
            FileNotFoundError: If there is none of this name.
        """
        content: bytes = self.files.cat_file(f"{self.path}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, which is there whole or not at all.

        Raises:
            FileError: If the disk is full.
        """
        with self.files.open(f"{self.path}/{name}", "wb") as file:
            file.write(content)

    def create(self, name: str, content: bytes) -> None:
        """Writes a file that is not there, also if several processes try it at once.

        Raises:
            FileExistsError: If it is there.
        """
        if self.is_local:  # elsewhere this would make a bucket
            self.files.makedirs(self.path, exist_ok=True)
        path = f"{self.path}/{name}"
        try:
            self.files.pipe_file(path, content, mode="create")
        except FileExistsError:
            raise
        except OSError:
            if self.is_local and self.has(name):  # a part of it, on a full disk
                self.files.rm_file(path)
            raise

    def take(self, source: Path, last: str | None = None) -> None:
        """Copies a folder of the local disk into this one in an object store, many files at once.

        Args:
            source: The folder.
            last: File in it that is written after all others, as it says that they are there.
        """
        names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
        first = [name for name in names if name != last]
        for together in (first, [last] if last else []):
            if together:
                self.files.put([str(source / name) for name in together], [f"{self.path}/{name}" for name in together])

    def replace_by(self, source: Path, last: str) -> None:
        """Removes what is in it, the last file first, and takes a folder of the local disk, that file last."""
        if self.has(last):
            self.files.rm_file(f"{self.path}/{last}")
            self.files.rm(self.path, recursive=True)
        self.take(source, last)

    def fetch(self, target: Path, names: Sequence[str] | None = None) -> None:
        """Copies files to a folder of the local disk, many at once.

        Args:
            target: The folder.
            names: Of the files; None is all of them.
        """
        chosen = self.list_files() if names is None else names
        if chosen:
            self.files.get([f"{self.path}/{name}" for name in chosen], [str(target / name) for name in chosen])


def name_place(files: Any, path: str, below: Path | None = None) -> str:
    """Returns a path for people: one in an object store with its protocol.

    Args:
        files: The file system.
        path: As that spells it.
        below: Folder of the local disk whose name is left out.
    """
    if is_object_store(files):
        return f"{list_protocols(files)[0]}://{path.lstrip('/')}"
    return str(Path(path).relative_to(below)) if below and Path(path).is_relative_to(below) else path
