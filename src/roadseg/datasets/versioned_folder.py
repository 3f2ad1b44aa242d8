"""One versioned folder; subclasses define its content."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, ClassVar, TypeVar

from kedro.io import AbstractVersionedDataset, Version
from kedro.io.core import get_protocol_and_path

from roadseg.reading.folder import Folder
from roadseg.reading.whole_file import WholeFiles, is_object_store

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class VersionedFolderDataset(AbstractVersionedDataset[Saved, Loaded]):
    """A folder whose versions are folders: moved to their places when they are whole, or filled in an object store.

    Attributes:
        LAST: Name of the file that an object store gets last: a version without it does not count there.
    """

    LAST: ClassVar[str]

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the path of the folder, and what fsspec needs to reach it."""
        protocol, path = get_protocol_and_path(filepath, version)
        self._fs, self.metadata = WholeFiles.reached_by(protocol, credentials, fs_args), metadata
        super().__init__(PurePosixPath(path), version, self._is_whole, self._fs.glob)

    def discount(self, version: str) -> None:
        """Lets a version in an object store not count any more, before its many files are removed."""
        if is_object_store(self._fs):
            self._fs.rm_file(f"{self._get_versioned_path(version)}/{self.LAST}")

    def remove_half_written(self, before: datetime) -> None:
        """Removes what is left in an object store of runs that were killed before a time."""
        if not is_object_store(self._fs):
            return  # there a folder is moved to its place when it is whole
        for name in self._open(self._filepath).list_names():
            path = str(self._get_versioned_path(name))
            if not self._is_whole(path) and all(self._fs.modified(each) < before for each in self._fs.find(path)):
                self._fs.rm(str(self._filepath / name), recursive=True)

    def _open(self, path: PurePosixPath) -> Folder:
        return Folder(self._fs, str(path))

    def _is_whole(self, path: str) -> bool:
        return bool(self._fs.exists(f"{path}/{self.LAST}" if is_object_store(self._fs) else path))

    def _get_versions(self) -> list[str]:
        if not is_object_store(self._fs):
            return list(super()._get_versions())
        paths = (str(self._get_versioned_path(name)) for name in self._open(self._filepath).list_names())
        return sorted(filter(self._is_whole, paths), reverse=True)

    def _exists(self) -> bool:
        return self._is_whole(str(self._get_load_path()))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._open(self._filepath)), "version": self._version}
