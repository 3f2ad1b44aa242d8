"""Items shared out in batches among the workers of a cluster."""

import hashlib
import logging
import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import cv2

from roadseg.reading.in_flight import map_in_flight
from roadseg.reading.program import DESCRIBE, check_program

if TYPE_CHECKING:
    from distributed import Client, Future

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

OVERHEAD_SHARE = 0.05
"""Largest share of a worker's time that sending batches and taking their results may cost."""

BUSY_SHARE = 0.5
"""Largest share of its time that this process and the scheduler, which do one thing at a time, may need for that."""

IN_FLIGHT = 3
"""Batches per thread that are sent before one is taken back: one is worked on, the others wait for it."""

LAST_BATCHES = 4
"""Batches per thread that the items left are cut into at least, so that all threads end at about the same time."""

PER_PLACE = 8
"""Items of a batch per item that a thread works on at the same time: at its end, all wait for the last one."""

FETCH_SECONDS = 30.0
"""After so many seconds, a result that was said to be there is waited for like others: its worker may have ended."""

SMALL = 2**15
"""Bytes of a pickled function up to which it goes with each batch; Dask gives batches to those who have what they need
first, so a function that is kept by one worker keeps others waiting."""

LISTEN_SECONDS = 1.0
"""After so many seconds without a result, the cluster is looked at."""


@dataclass(frozen=True)
class Killed:
    """What stands for the result of an item that ended each worker process that worked on it.

    Attributes:
        workers: How many it ended.
    """

    workers: int


class Crew(Protocol):
    """Workers that are there.

    Attributes:
        client: Of Dask.
        program: Which program they run.
        overhead: Seconds that a batch costs beside its work; None while that is measured.
    """

    client: "Client"
    program: str
    overhead: float | None

    def count_threads(self) -> int:
        """Returns how many batches they work on at once, at least 1."""

    def check(self) -> None:
        """Raises RoadSegError if none is there, and none comes in time."""

    def drop(self, futures: Sequence["Future"]) -> None:
        """Asks for the results of futures no longer."""


class Batches(Generic[Item, Result]):
    """Items on their way through a crew, in batches.

    A batch that is lost with its worker is done again by another one; Dask does this a few times. If it was lost each
    time, its items come again at the end, one alone at a time: only then it is certain which one ends workers.
    """

    def __init__(
        self, crew: Crew, function: Callable[[Item], Result], items: Iterable[Item], in_flight: int = 1
    ) -> None:
        """Takes who works, what they do, with what, and how many items a thread works on at the same time."""
        import cloudpickle
        import dask

        self._crew, self._in_flight = crew, in_flight
        self._left = deque(enumerate(items))
        self._count = len(self._left)
        self._suspects: deque[tuple[int, Item]] = deque()
        self._lone: Future | None = None
        self._running: dict[Future, Sequence[tuple[int, Item]]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._found: dict[int, Result | Killed] = {}
        self._seconds_per_item: float | None = None
        payload = cloudpickle.dumps(function)
        self._digest = hashlib.sha256(payload).hexdigest()
        self._payload: bytes | Future = payload
        if len(payload) > SMALL:
            # A result, not an argument of each batch: each worker gets it once, and Dask makes it again if it is lost.
            with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 PB"}):  # a network is large
                self._payload = crew.client.submit(_keep, payload, pure=False)

    def take_each(self) -> Iterator[Result | Killed]:
        """Yields the result of each item in order; what is on its way when the caller stops is dropped.

        Raises:
            Exception: What the function raises, as soon as one item fails.
            RoadSegError: If the workers are gone.
        """
        try:
            for place in range(self._count):
                while place not in self._found:
                    self._send()
                    self._take()
                yield self._found.pop(place)
        finally:
            self._crew.drop([*self._running] if isinstance(self._payload, bytes) else [*self._running, self._payload])

    def _send(self) -> None:
        threads = self._crew.count_threads()
        while self._left and len(self._running) < IN_FLIGHT * threads:
            size = choose_size(len(self._left), threads, self._crew.overhead, self._seconds_per_item, self._in_flight)
            self._submit([self._left.popleft() for _ in range(size)])
        if self._suspects and not self._running:
            self._lone = self._submit([self._suspects.popleft()])

    def _submit(self, batch: Sequence[tuple[int, Item]]) -> "Future":
        import cloudpickle

        items = cloudpickle.dumps([item for _, item in batch])  # so that the scheduler need not understand them
        given = self._payload, self._digest, self._crew.program, items, self._in_flight
        future = self._crew.client.submit(carry_out_batch, *given, pure=False)
        self._watch(future, batch)
        return future

    def _watch(self, future: "Future", batch: Sequence[tuple[int, Item]]) -> None:
        self._running[future] = batch
        future.add_done_callback(self._ended.put)

    def _take(self) -> None:
        from distributed import KilledWorker

        try:
            future = self._ended.get(timeout=LISTEN_SECONDS)
        except Empty:
            self._crew.check()
            return
        batch = self._running.pop(future)
        try:
            results, seconds = future.result(timeout=FETCH_SECONDS)
        except TimeoutError:  # its worker ended before the result was fetched: another one is at it
            self._watch(future, batch)
            self._crew.check()
        except KilledWorker as fault:
            self._blame(future, batch, fault.allowed_failures + 1)
        else:
            self._found |= zip((place for place, _ in batch), results, strict=True)
            self._note_speed(seconds / len(batch))

    def _blame(self, future: "Future", batch: Sequence[tuple[int, Item]], workers: int) -> None:
        if future is self._lone:
            self._found[batch[0][0]] = Killed(workers)
            return
        logger.warning("%d workers ended at the same batch; its %d items come again alone", workers, len(batch))
        self._suspects.extend(batch)

    def _note_speed(self, seconds: float) -> None:
        before = self._seconds_per_item
        self._seconds_per_item = seconds if before is None else (3 * before + seconds) / 4


def choose_size(left: int, threads: int, overhead: float | None, seconds: float | None, in_flight: int = 1) -> int:
    """Returns how many items the next batch has, at least 1: as few as keep the overhead small.

    Args:
        left: Items that are in no batch yet, at least 1.
        threads: Batches that are worked on at once.
        overhead: Seconds that a batch costs beside its work; None while that is measured.
        seconds: That an item takes; None before the first result.
        in_flight: Items that a thread works on at the same time.
    """
    least = 1 if in_flight == 1 else PER_PLACE * in_flight
    if seconds is not None and overhead is not None:
        long_enough = overhead * max(1 / OVERHEAD_SHARE, threads / BUSY_SHARE)
        least = max(least, math.ceil(long_enough / max(seconds, 1e-9)))
    return min(least, math.ceil(left / (LAST_BATCHES * threads)))


def carry_out_batch(
    payload: bytes, digest: str, program: str, items: bytes, in_flight: int
) -> tuple[Sequence[Any], float]:
    """Returns the results of items in a worker, and the seconds that they took.

    Args:
        payload: The function, pickled; it is read once per process.
        digest: Of the payload.
        program: Which program this worker must run.
        items: What to apply the function to, pickled.
        in_flight: How many items to work on at the same time.

    Raises:
        RoadSegError: If the worker runs another program; it may have come after the others were asked.
    """
    check_program("a worker", DESCRIBE(), program)
    cv2.setNumThreads(1)  # there is a thread for each core already
    function = _Function.read(payload, digest)
    start = time.perf_counter()
    given = pickle.loads(items)  # noqa: S301 - sent by our own client
    results = map_in_flight(function, given, in_flight) if in_flight > 1 else map(function, given)
    return list(results), time.perf_counter() - start


class _Function:
    """What lives in a worker process: the function of the work that is going on, and what that has loaded."""

    digest: ClassVar[str] = ""
    function: ClassVar[Callable[[Any], Any]]
    lock: ClassVar[Lock] = Lock()

    @classmethod
    def read(cls, payload: bytes, digest: str) -> Callable[[Any], Any]:
        with cls.lock:
            if cls.digest != digest:
                cls.function, cls.digest = pickle.loads(payload), digest  # noqa: S301 - sent by our own client
            return cls.function


def _keep(payload: bytes) -> bytes:
    return payload
