"""A Dask cluster of processes of their own, as users start it."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

STARTED = re.compile(r"Scheduler at:\s+(tcp://\S+)")


class DaskCluster:
    """A scheduler and workers, each started by its command.

    Attributes:
        address: Of the scheduler.
        scheduler: Its process.
        workers: The processes that watch over a worker each, and start it again.
    """

    def __init__(self, workers: int, threads: int = 1) -> None:
        self._threads = threads
        self._folder = tempfile.TemporaryDirectory()
        self._environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self._find_address()
        for _ in range(workers):
            self.add_worker()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in sorted(Path(self._folder.name).glob("*.log")))

    def add_worker(self, environment: Mapping[str, str] | None = None) -> None:
        place = "--nthreads", str(self._threads), "--local-directory", self._folder.name
        given = self.address, *place, "--no-dashboard", "--host", "127.0.0.1"
        self.workers.append(self._start("worker", *given, environment=environment))

    def _start(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        log = Path(self._folder.name) / f"{len(self.workers)}-{command[0]}.log"
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                env={**self._environment, **(environment or {})},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def _find_address(self) -> str:
        for _ in range(600):
            if found := STARTED.search(self.log):
                return found[1]
            time.sleep(0.1)
        raise RuntimeError(f"the scheduler does not start: {self.log}")
