"""One function for many items in worker processes, which end with the process that started them."""

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Thread
from typing import Any, ClassVar, TypeVar

import cv2
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from roadseg.errors import RoadSegError
from roadseg.reading.in_flight import map_in_flight

Item = TypeVar("Item")
Result = TypeVar("Result")

IDLE_SECONDS = 5
"""After so many seconds without work, a worker process ends."""


def map_in_workers(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, threads: int = 1, batch: int = 1
) -> Iterator[Result]:
    """Yields the result of each item in order; only a few are computed in advance, to save memory.

    Args:
        function: Handed to each worker once, so it may hold much; it and its results must be picklable (cloudpickle).
        items: What to apply it to.
        workers: Number of processes, at least 2.
        threads: How many items a process works on at the same time, because they wait for answers.
        batch: How many items a process gets at once; at the end of a batch, threads wait for its last item.

    Raises:
        Exception: What the function raises, as soon as one item fails.
        RoadSegError: If a worker is killed.
    """
    pool = Parallel(
        workers,
        return_as="generator",
        idle_worker_timeout=IDLE_SECONDS,
        initializer=_Worker.start,
        initargs=(function, threads, os.getpid()),
    )
    rest = iter(items)
    results = pool(delayed(_Worker.call)(each) for each in iter(lambda: list(islice(rest, batch)), []))
    try:
        for each in results:
            yield from each
    except TerminatedWorkerError as fault:
        raise RoadSegError(str(fault)) from fault
    finally:
        with warnings.catch_warnings():
            # joblib warns of finished results that nobody takes; here this is no mistake.
            warnings.simplefilter("ignore", UserWarning)
            results.close()


class _Worker:
    """What lives in a worker process: the function that it was started with."""

    function: ClassVar[Callable[[Any], Any]]
    threads: ClassVar[int]

    @classmethod
    def start(cls, function: Callable[[Any], Any], threads: int, parent: int) -> None:
        cls.function, cls.threads = function, threads
        cv2.setNumThreads(1)  # there is a worker for each core already
        # joblib's own processes wait forever for a killed parent.
        Thread(target=_end_with, args=(parent,), daemon=True).start()

    @classmethod
    def call(cls, batch: Sequence[Any]) -> list[Any]:
        return list(map_in_flight(cls.function, batch, cls.threads))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
