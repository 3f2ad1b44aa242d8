"""What hosts that train together tell each other: texts, states, when to stop, and why one of them ended."""

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from roadseg.connection import AGAIN, POLL, Connection, end_now
from roadseg.errors import HostError
from roadseg.hosts import Hosts

GRACE = 5.0
"""Seconds in which a host that fails can say why, and in which host 0 can end by itself when another one fails."""


class Meeting:
    """Around a run: connects the hosts of a training, until they have parted or one of them has failed.

    Attributes:
        hosts: Who they are.
    """

    current: ClassVar["Meeting | None"] = None

    def __init__(self, hosts: Hosts, describe: Callable[[BaseException], str | None]) -> None:
        """Takes the hosts, and what turns a fault into a sentence; None for a fault of the program."""
        self.hosts, self._describe = hosts, describe
        self._connection = Connection(hosts)
        self._step = 0
        self._is_leaving = self._has_parted = False

    def __enter__(self) -> Self:
        """Waits until all hosts are there.

        Raises:
            HostError: If they can't be connected.
        """
        self._connection.open()
        Meeting.current = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends the meeting for all; a fault here ends the others with it.

        Raises:
            HostError: Instead of an error that another host has caused.
        """
        Meeting.current = None
        if self._has_parted:
            return
        if fault is not None:
            self._fail(fault)
        else:
            if self.hosts.is_first:
                self.say("end", "")  # its run had no training
            self.part()

    def say(self, name: str, text: str) -> None:
        """Tells all hosts a text; the first one under a name stays."""
        self._connection.put(name, text)

    def hear(self, name: str) -> str | None:
        """Returns a text that a host tells, as soon as it does; None if host 0 has ended its run without it.

        Raises:
            HostError: If another host fails, or host 0 can no longer be reached.
        """
        while name not in (said := self._listen()):
            if "end" in said:
                return None
            time.sleep(POLL)
        return said[name]

    def gather(self, name: str, text: str) -> list[str]:
        """Waits for all hosts, and returns what each of them brings, in their order.

        Raises:
            HostError: If another host fails, or host 0 can no longer be reached or has ended its run.
        """
        self.say(f"{name}/{self.hosts.number}", text)
        brought = [self.hear(f"{name}/{number}") for number in range(self.hosts.count)]
        texts = [each for each in brought if each is not None]
        if len(texts) < self.hosts.count:
            raise HostError(f"host 0 has ended its run; {AGAIN}")
        return texts

    def decide(self, wish: str | None) -> str | None:
        """Returns, on all hosts after the same step, the wish that one of them had; None until then.

        Each host calls this after each step, when the step is over. A wish is for the end of the next step: no host can
        end that before the one with the wish begins it, so all hear of it in time.

        Args:
            wish: Why this host wants the training to end; None if it does not.
        """
        self._step += 1
        decided = self._listen().get("stop")
        if decided is None:
            if wish is not None:
                self.say("stop", f"{self._step + 1} {wish}")
            return None
        step, _, reason = decided.partition(" ")
        return reason if self._step >= int(step) else None

    def hand_round(self, content: bytes) -> bytes:
        """Returns on all hosts the content that host 0 gives; all must call this, up to 4 GB."""
        from jax.experimental import multihost_utils

        size = int(multihost_utils.broadcast_one_to_all(np.uint32(len(content))))
        given = np.frombuffer(content, np.uint8) if self.hosts.is_first else np.zeros(size, np.uint8)
        return bytes(multihost_utils.broadcast_one_to_all(given)) if size else b""

    def watch(self) -> None:
        """Ends this process, from here to the parting, when another host fails while this one waits for it in JAX."""
        Thread(target=self._watch, daemon=True).start()

    def part(self) -> None:
        """Lets each host go on alone; all must call this."""
        self._is_leaving = True  # from here on the watch may find the texts gone
        self._connection.close()
        self._has_parted = True

    def _listen(self) -> dict[str, str]:
        """Returns all that was said."""
        said = self._connection.read()
        if "fault" in said and not self._is_leaving:
            raise HostError(said["fault"])
        return said

    def _watch(self) -> None:
        while not self._has_parted:
            time.sleep(1)
            try:
                self._listen()
            except HostError as told:
                if self.hosts.is_first:
                    time.sleep(GRACE)  # it has more to end in order, and the lost connection wakes it
                if not self._is_leaving and not self._has_parted:
                    self._is_leaving = True
                    with suppress(HostError):
                        self.say(f"left/{self.hosts.number}", "")
                    end_now(str(told))

    def _fail(self, fault: BaseException) -> None:
        """Tells the others why this host fails, unless another one has caused it, and lets nothing wait for them."""
        atexit.register(_leave_at_once)
        self._is_leaving = isinstance(fault, HostError)
        reason = self._explain(fault)
        self._is_leaving = True
        with suppress(HostError):  # what ends this host is known by now
            if reason is None:
                self.say("fault", f"host {self.hosts.number}: {self._put(fault)}")
            self._wait_until_others_left()
        if reason is not None and not isinstance(fault, HostError):
            raise HostError(reason) from fault

    def _explain(self, fault: BaseException) -> str | None:
        """Returns what happened to another host if that is why this one fails, else None."""
        if isinstance(fault, HostError):
            return str(fault)
        if isinstance(fault, KeyboardInterrupt) or self._describe(fault) is not None:
            return None
        try:
            return self._find_reason()
        except HostError as told:
            return str(told)

    def _find_reason(self) -> str | None:
        """Returns which hosts are lost, if any: those that do not fail in time with this one."""
        self.say(f"failed/{self.hosts.number}", "")
        end = time.monotonic() + GRACE
        while missing := [str(each) for each in range(self.hosts.count) if f"failed/{each}" not in self._listen()]:
            if time.monotonic() > end:
                return f"host {' and '.join(missing)} was killed or can no longer be reached; {AGAIN}"
            time.sleep(POLL)
        return None

    def _put(self, fault: BaseException) -> str:
        if isinstance(fault, KeyboardInterrupt):
            return f"ended by {str(fault) or 'Ctrl-C'}"
        return self._describe(fault) or repr(fault)

    def _wait_until_others_left(self) -> None:
        """Keeps the texts of host 0 until all have read why it ends."""
        self.say(f"left/{self.hosts.number}", "")
        end = time.monotonic() + GRACE
        while self.hosts.is_first and time.monotonic() < end:
            if all(f"left/{number}" in self._listen() for number in range(self.hosts.count)):
                return
            time.sleep(POLL)


def _leave_at_once() -> None:
    # JAX would wait for the hosts that are lost.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
