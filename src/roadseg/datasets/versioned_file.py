"""One versioned file that is there whole or not at all; what stands in it is the business of those who derive."""

import uuid
from copy import deepcopy
from pathlib import PurePosixPath
from typing import Any, TypeVar

import fsspec
from kedro.io import AbstractVersionedDataset, Version
from kedro.io.core import get_protocol_and_path

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
        self._fs = fsspec.filesystem(protocol, **deepcopy(credentials or {}), **deepcopy(fs_args or {}))
        self._protocol, self.metadata = protocol, metadata
        super().__init__(PurePosixPath(path), version, exists_function=self._fs.exists, glob_function=self._fs.glob)

    def _write(self, path: str, content: bytes) -> None:
        write_whole(self._fs, path, content)

    def _exists(self) -> bool:
        return bool(self._fs.exists(str(self._get_load_path())))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}


def write_whole(fs: Any, path: str, content: bytes) -> None:
    """Writes a file under another name and renames it: it is there whole or not at all.

    Args:
        fs: The fsspec file system.
        path: Of the file; its folder is made if it is missing.
        content: All of it.
    """
    temporary = f"{path}.{uuid.uuid4().hex}.part"
    fs.makedirs(fs._parent(path), exist_ok=True)
    try:
        fs.pipe_file(temporary, content)
        fs.mv(temporary, path)
    finally:
        if fs.exists(temporary):
            fs.rm(temporary)
