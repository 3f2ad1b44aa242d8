"""SIGTERM, by which clusters and containers ask a run to end before they kill it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from types import FrameType
from typing import Any, ClassVar, Self

EXIT_CODE = 143
"""The exit code that shells report for a process that SIGTERM ended."""

TOGETHER = 0.2
"""Seconds within which another SIGTERM is the same one: `make` sends it again to processes that have it already."""

SOON = 0.05
"""Seconds after which an error that was lost is raised again."""


class TerminatedError(KeyboardInterrupt):
    """SIGTERM asked this process to end; code that lets Ctrl-C through also lets this through."""

    def __init__(self) -> None:
        super().__init__("SIGTERM")


class Termination:
    """Around a run: the first SIGTERM raises `TerminatedError` in the main thread, the second one ends the process.

    Work that ends by itself, and in time, postpones the error. In another thread than the main one, to which alone
    Python gives signals, this changes nothing.

    Attributes:
        is_asked_for: Whether SIGTERM has come.
    """

    current: ClassVar["Termination | None"] = None

    def __init__(self) -> None:
        self.is_asked_for = False
        self._is_swallowed = False
        self._postponed = 0
        self._came = 0.0

    def __enter__(self) -> Self:
        """Takes SIGTERM over, unless this process was told to ignore it."""
        self._before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
        self._is_possible = current_thread() is main_thread() and self._before[0] is not signal.SIG_IGN
        if self._is_possible:
            Termination.current, sys.unraisablehook = self, self._raise_again
            signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        """Gives SIGTERM back."""
        if self._is_possible:
            signal.signal(signal.SIGTERM, self._before[0])
            Termination.current, sys.unraisablehook = None, self._before[1]

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Ends with `TerminatedError` if SIGTERM came, whatever other errors it caused, such as killed workers."""
        try:
            yield
        finally:
            if self.is_asked_for:
                raise TerminatedError

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """Raises nothing meanwhile; see `postponed_termination`."""
        self._postponed += 1
        try:
            yield
        finally:
            self._postponed -= 1

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if not self.is_asked_for or self._is_swallowed:
            self.is_asked_for, self._is_swallowed, self._came = True, False, time.monotonic()
            if not self._postponed:
                raise TerminatedError
        elif time.monotonic() - self._came > TOGETHER:
            os._exit(EXIT_CODE)

    def _raise_again(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, TerminatedError):
            # It came during a destructor or a callback of the garbage collector, which do not let errors through.
            self._is_swallowed = True
            Timer(SOON, os.kill, (os.getpid(), signal.SIGTERM)).start()
        else:
            self._before[1](unraisable)


def is_termination_asked_for() -> bool:
    """Returns whether SIGTERM has come in the current run."""
    return Termination.current is not None and Termination.current.is_asked_for


def ask_for_termination() -> None:
    """Lets the current run end as if SIGTERM had come, without raising anything now."""
    if Termination.current is not None:
        Termination.current.is_asked_for = True


@contextmanager
def postponed_termination() -> Iterator[None]:
    """Lets work that checks `is_termination_asked_for` regularly end by itself: SIGTERM raises nothing."""
    if Termination.current is None:
        yield
    else:
        with Termination.current.postponed():
            yield
