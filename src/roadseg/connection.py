"""The connection of hosts that train together: JAX makes it, and keeps texts on host 0 that all can read."""

import ctypes
import os
import signal
import socket
import sys
import time
from threading import Thread
from typing import Any

from roadseg.errors import HostError
from roadseg.hosts import ADDRESS, COUNT, PATIENCE, Hosts

ROOM = "roadseg/"
"""What the names of these texts begin with; JAX keeps others for itself."""

POLL = 0.2
"""Seconds between two looks at something that is waited for."""

SILENCE = 30
"""Seconds without a sign of life after which a host counts as lost."""

GRACE = 15.0
"""Seconds in which the main thread of host 0, if it is not stuck in JAX, can end in order when a host was lost."""

PARTING = 120
"""Seconds in which all must have come to the end of the training, once the first one has."""

AGAIN = "start all hosts again, and the training continues after its last finished epoch"


class Connection:
    """The connection of this process to host 0, which may be itself."""

    def __init__(self, hosts: Hosts) -> None:
        """Takes the hosts, and connects nothing yet."""
        self._hosts = hosts
        self._client: Any = None
        self._fault: Exception | None = None

    def open(self) -> None:
        """Waits until all hosts are there; if they do not come in time, the process ends with a sentence.

        Raises:
            HostError: If JAX can't listen or connect.
        """
        self._survive_jax()
        joining = Thread(target=self._join, daemon=True)
        joining.start()
        while joining.is_alive():  # here Ctrl-C is heard, in JAX it would not be
            joining.join(POLL)
        if self._client is None:
            raise HostError(f"the hosts can't be connected at {self._hosts.address} ({ADDRESS}): {self._fault}")

    def put(self, name: str, text: str) -> None:
        """Lets all hosts read a text; the first one under a name stays.

        Raises:
            HostError: If host 0 can no longer be reached.
        """
        import jax

        try:
            self._client.key_value_set(f"{ROOM}{name}", text)
        except jax.errors.JaxRuntimeError as fault:
            if "ALREADY_EXISTS" not in str(fault):
                raise _lose_host_0() from fault

    def read(self) -> dict[str, str]:
        """Returns all texts by name.

        Raises:
            HostError: If host 0 can no longer be reached.
        """
        import jax

        try:
            return {name.removeprefix(ROOM): text for name, text in self._client.key_value_dir_get(ROOM)}
        except jax.errors.JaxRuntimeError as fault:
            raise _lose_host_0() from fault

    def close(self) -> None:
        """Waits until all hosts call this; then each is alone."""
        import jax

        jax.distributed.shutdown()  # type: ignore[no-untyped-call]
        ctypes.CDLL(None).signal(signal.SIGABRT, signal.SIG_DFL)

    def _join(self) -> None:
        import jax
        from jax._src import distributed  # what keeps the texts has no public name

        # It would take SIGTERM over.
        jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
        try:
            jax.distributed.initialize(
                self._hosts.address,
                self._hosts.count,
                self._hosts.number,
                cluster_detection_method="deactivate",
                initialization_timeout=self._hosts.patience,
                heartbeat_timeout_seconds=SILENCE,
                shutdown_timeout_seconds=PARTING,
            )
            self._client = distributed.global_state.client
        except (RuntimeError, ValueError) as fault:
            self._fault = fault

    def _survive_jax(self) -> None:
        """Ends this process with a sentence where JAX would abort it, which it does when another host is lost."""

        @ctypes.CFUNCTYPE(None, ctypes.c_int)
        def end(_: int) -> None:
            if self._client is None:
                end_now(
                    f"{self._hosts.count} hosts ({COUNT}) did not meet at {self._hosts.address} ({ADDRESS}) within "
                    f"{self._hosts.patience} seconds ({PATIENCE})"
                )
            if self._hosts.is_first:
                time.sleep(GRACE)
            lost = "another host" if self._reaches_host_0() else "host 0"
            end_now(f"{lost} was killed or can no longer be reached; {AGAIN}")

        self._end_process = end  # else it would be collected
        library = ctypes.CDLL(None)
        library.signal.argtypes, library.signal.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
        library.signal(signal.SIGABRT, ctypes.cast(end, ctypes.c_void_p))

    def _reaches_host_0(self) -> bool:
        name, _, port = self._hosts.address.rpartition(":")
        try:
            socket.create_connection((name.strip("[]"), int(port)), timeout=5).close()
        except OSError:
            return self._hosts.is_first
        return True


def end_now(sentence: str) -> None:
    """Ends this process at once with a sentence, from any thread."""
    sys.stdout.flush()
    os.write(2, f"Error: {sentence}\n".encode())
    os._exit(1)


def _lose_host_0() -> HostError:
    return HostError(f"host 0 was killed or can no longer be reached; {AGAIN}")
