"""A lock on a folder that one process at a time may work in."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from roadseg.errors import FileError

logger = logging.getLogger(__name__)

LOCK = "lock"

PATIENCE = 10.0
"""Seconds to wait for the lock: a run that was killed may need some to give back its memory, and only then ends."""

WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What file systems without locks answer, such as Lustre mounted without `flock`."""


@contextmanager
def locked(folder: Path, work: str, patience: float = PATIENCE) -> Iterator[None]:
    """Keeps other processes from a folder; the system unlocks it when this one ends, in whatever way.

    Args:
        folder: Where the work is done.
        work: What it is, such as `training`, in messages.
        patience: Seconds to wait for another process.

    Raises:
        FileError: If another process works there, or has just removed what was there, or nothing can be written there.
    """
    lock = FileLock(folder / LOCK, fallback_to_soft=False)
    try:
        lock.acquire(patience)
    except (Timeout, FileNotFoundError):
        raise FileError(
            f"another run is doing the same {work}, in {folder}: wait until it has ended, or stop it and start again"
        ) from None
    except OSError as fault:
        if fault.errno not in WITHOUT_LOCKS:
            raise FileError(f"'{folder}' can't be written: {fault.strerror}") from fault
        logger.warning(
            "%s can't be locked (%s): make sure that no other run does this %s", folder, fault.strerror, work
        )
    try:
        yield
    finally:
        lock.release()
