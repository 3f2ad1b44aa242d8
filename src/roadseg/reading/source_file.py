"""A file of a source of pictures: what is known of it before it is opened."""

import stat
from dataclasses import dataclass

from roadseg.reading.images import file_fingerprint
from roadseg.reading.stored_path import RawPath, StoredPath
from roadseg.scenes.faults import FaultKind, UnusableSceneError


@dataclass(frozen=True)
class SourceFile:
    """A picture or a video that was found and not opened yet.

    Attributes:
        name: Its path below the source, without its ending, with slashes; in one source unique, whatever the case of
            letters and the form of their accents. With its ending where it would be the name of another or of a folder.
        path: Where it lies.
    """

    name: str
    path: RawPath

    @property
    def place(self) -> str:
        """Where it lies, the same from whatever folder a command is called."""
        return str(self.path if isinstance(self.path, StoredPath) else self.path.absolute())

    @property
    def fingerprint(self) -> str:
        """Path, size in bytes and modification time, as text; empty if there is no file."""
        try:
            return f"{file_fingerprint([self.path])} {self.place}"
        except OSError:  # a link to nothing; reading it tells
            return ""

    def count_bytes(self, broken: FaultKind) -> int:
        """Returns the size of the file.

        Args:
            broken: What it is if it is no file but a device or the like, which may never end.

        Raises:
            UnusableSceneError: If there is no file.
        """
        if isinstance(self.path, StoredPath):
            return self.path.size
        try:
            status = self.path.stat()
        except OSError as fault:
            detail = f"'{self.path.name}' can't be read: {fault.strerror}"
            raise UnusableSceneError(FaultKind.IMAGE_MISSING, detail) from fault
        if not stat.S_ISREG(status.st_mode):
            raise UnusableSceneError(broken, f"'{self.path.name}' is no file, and leads to none")
        return status.st_size
