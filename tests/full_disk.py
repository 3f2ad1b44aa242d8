"""A disk for tests that fails in the middle of a file, as it is told."""

import errno
import os
import threading
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.local import LocalFileOpener, LocalFileSystem


class FullDisk(LocalFileSystem):
    """A disk with room for so many bytes.

    Attributes:
        room: Bytes that are left; of what is written beyond them the rest is lost.
        only: Files whose path does not contain this have room always.
        fault: What is raised then.
    """

    protocol = "fulldisk"
    room: ClassVar[int] = 0
    only: ClassVar[str] = ""
    fault: ClassVar[BaseException] = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    lock = threading.Lock()

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**arguments, "auto_mkdir": True})

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self).room, type(self).only)

    def _open(self, path: str, mode: str = "rb", **arguments: Any) -> LocalFileOpener:
        opened = super()._open(path, mode=mode, **arguments)
        if mode[0] in "wx" and self.only in path:
            write = opened.write

            def write_what_has_room(content: bytes) -> int:
                with self.lock:
                    room = type(self).room
                    type(self).room = max(0, room - len(content))
                write(content[:room])
                if len(content) > room:
                    raise self.fault
                return len(content)

            opened.write = write_what_has_room
        return opened


def _restore(room: int, only: str) -> FullDisk:
    """Returns the disk in a worker process; each has the room that was left when it began."""
    FullDisk.room, FullDisk.only = room, only
    return FullDisk()


fsspec.register_implementation("fulldisk", FullDisk, clobber=True)
