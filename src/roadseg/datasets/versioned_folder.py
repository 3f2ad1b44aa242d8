"""One versioned folder on the local disk; subclasses define its content."""

from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractVersionedDataset, Version

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class VersionedFolderDataset(AbstractVersionedDataset[Saved, Loaded]):
    """A folder whose versions are folders."""

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Takes the path of the folder."""
        self.metadata = metadata
        self._fs = LocalFileSystem()  # old versions are removed through it
        super().__init__(PurePosixPath(filepath), version)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}
