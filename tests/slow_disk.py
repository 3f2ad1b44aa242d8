"""A disk for tests that has written half of a file when something happens."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.local import LocalFileOpener, LocalFileSystem


def press_ctrl_c() -> None:
    """Sends SIGINT to this process, whose main thread gets it, and gives that thread the time to act on it."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)


class SlowDisk(LocalFileSystem):
    """A disk on which something happens when half of a file is written.

    Attributes:
        only: Files whose path does not contain this are written as on any disk.
        meanwhile: What happens.
    """

    protocol = "slowdisk"
    only: ClassVar[str] = "nothing"
    meanwhile: ClassVar[Callable[[], None]] = staticmethod(press_ctrl_c)

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**arguments, "auto_mkdir": True})

    def _open(self, path: str, mode: str = "rb", **arguments: Any) -> LocalFileOpener:
        opened = super()._open(path, mode=mode, **arguments)
        if "w" in mode and self.only in path:
            write = opened.write

            def write_slowly(content: bytes) -> int:
                opened.write = write  # once per file, which may be written in many pieces
                half = len(content) // 2
                write(content[:half])
                opened.flush()
                self.meanwhile()
                return half + write(content[half:])

            opened.write = write_slowly
        return opened


fsspec.register_implementation("slowdisk", SlowDisk, clobber=True)
