"""One versioned file; subclasses define its content."""

from pathlib import PurePosixPath
from typing import Any, TypeVar

from kedro.io import AbstractVersionedDataset, Version
from kedro.io.core import get_protocol_and_path

from roadseg.reading.whole_file import WholeFiles

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class VersionedFileDataset(AbstractVersionedDataset[Saved, Loaded]):
    """A file that fsspec can reach, written under another name and renamed when it is whole."""

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the path of the file, and what fsspec needs to reach it."""
        protocol, path = get_protocol_and_path(filepath, version)
        self._fs = WholeFiles.reached_by(protocol, credentials, fs_args)
        self._protocol, self.metadata = protocol, metadata
        super().__init__(PurePosixPath(path), version, exists_function=self._fs.exists, glob_function=self._fs.glob)

    def _write(self, path: str, content: bytes) -> None:
        with self._fs.open(path, "wb") as file:
            file.write(content)

    def _exists(self) -> bool:
        return bool(self._fs.exists(str(self._get_load_path())))

    def _release(self) -> None:
        super()._release()
        self._fs.invalidate_cache(str(self._filepath))  # of listings, which remote file systems keep

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}
