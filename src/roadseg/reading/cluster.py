"""The workers of a Dask cluster: reached, checked, and given work."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from joblib import cpu_count

from roadseg.errors import RoadSegError
from roadseg.reading.batches import Batches, Killed
from roadseg.reading.program import DESCRIBE, check_program
from roadseg.reading.work_options import LOCAL, WorkOptions

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

Share = Callable[[Callable[[Any], Any], Iterable[Any], int], Iterator[Any]]
"""Applies a function to items elsewhere, and gives the results in order, see `Cluster.share`."""

PROBES = 100
"""Batches without work from which the overhead is measured."""

COUNT_SECONDS = 1.0
"""Threads are counted again after so many seconds: workers come and go."""

CLOSE_SECONDS = 5.0
"""Most seconds that leaving the cluster may take."""


IGNORE_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
"""What workers of this machine run first: a terminal sends Ctrl-C to them too, but this process ends them."""


class Cluster:
    """Workers of a Dask cluster; it is reached when the first work comes.

    Attributes:
        client: Of Dask.
        program: Which program runs here and must run there.
        overhead: Seconds that a batch costs beside its work; None until it is measured.
    """

    client: "Client"
    overhead: float | None

    def __init__(self, address: str, wait: float) -> None:
        """Takes `local` or the address of the scheduler, and the seconds after which missing workers are given up."""
        self._address, self._wait = address, wait
        self.program, self.overhead = str(DESCRIBE()), None
        self._own: LocalCluster | None = None
        self._is_reached = False
        self._threads, self._counted = 0, 0.0

    def __enter__(self) -> Self:
        """Waits for work."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the cluster, and ends it if it was made here."""
        if self._is_reached:
            self.client.close(CLOSE_SECONDS)
        if self._own is not None:
            self._own.close(CLOSE_SECONDS)

    def share(
        self, function: Callable[[Item], Result], items: Iterable[Item], in_flight: int = 1
    ) -> Iterator[Result | Killed]:
        """Yields the result of each item in order; workers apply the function.

        Args:
            function: Sent to each worker once, so it may hold much; it and its results must be picklable (cloudpickle).
            items: What to apply it to; each is sent with its batch.
            in_flight: How many items a thread works on at the same time, because they wait for answers.

        Raises:
            Exception: What the function raises, as soon as one item fails.
            RoadSegError: If Dask is not installed, the scheduler can't be reached or ends, there are no workers, or
                one of these runs another program.
        """
        distributed = import_distributed()
        try:
            if not self._is_reached:
                self._reach(distributed)
            yield from Batches(self, function, items, in_flight).take_each()
        except (CancelledError, distributed.comm.CommClosedError) as fault:
            raise self._describe_loss() from fault

    def _reach(self, distributed: ModuleType) -> None:
        logging.getLogger("distributed").setLevel(logging.WARNING)
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a sentence tells what it would say
        if self._address == LOCAL:
            self._own = _make_cluster(distributed)
        logger.info("Connecting to the Dask cluster '%s'", self._address)
        try:
            self.client = distributed.Client(self._own or self._address, timeout=self._wait, set_as_default=False)
        except OSError as fault:
            raise RoadSegError(
                f"no Dask scheduler answers at '{self._address}' within {self._wait:g} s; expected work.cluster to be "
                f"the address that 'dask scheduler' prints when it starts"
            ) from fault
        self._is_reached = True
        self._wait_for_workers()
        self._check_programs()
        for probes in (self.count_threads(), PROBES):  # first once per thread, as its first batch takes longer
            start = time.perf_counter()
            list(Batches(self, _idle, range(probes)).take_each())
            seconds = time.perf_counter() - start
        self.overhead = seconds / PROBES
        logger.info(
            "Dask shares out the work among %d threads of %d workers; a batch costs %.1f ms; watch it at %s",
            *(self.count_threads(), len(self.client.nthreads()), 1000 * self.overhead, self.client.dashboard_link),
        )

    def _wait_for_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=self._wait)
        except TimeoutError as fault:
            raise RoadSegError(
                f"the Dask cluster '{self._address}' has no workers after {self._wait:g} s (work.wait_for_workers): "
                f"start some with 'dask worker {self.client.scheduler.address}', and run again"
            ) from fault

    def _check_programs(self) -> None:
        check_program(f"the scheduler at {self._address}", self.client.run_on_scheduler(DESCRIBE), self.program)
        for worker, program in self.client.run(DESCRIBE).items():
            check_program(f"the worker at {worker}", program, self.program)

    def count_threads(self) -> int:
        """Returns how many batches the workers do at once, at least 1."""
        now = time.monotonic()
        if now > self._counted + COUNT_SECONDS:
            self._counted, self._threads = now, sum(self.client.nthreads().values())
        return max(1, self._threads)

    def check(self) -> None:
        """Waits for workers if there are none.

        Raises:
            RoadSegError: If none comes in time, or the scheduler is gone.
        """
        if self.client.status != "running":
            raise self._describe_loss()
        if not self.client.nthreads():
            logger.warning("The Dask cluster has no workers left: waiting %g s for others", self._wait)
            self._wait_for_workers()

    def drop(self, futures: Sequence["Future"]) -> None:
        """Asks for the results of futures no longer."""
        if self.client.status == "running":
            self.client.cancel(futures)

    def _describe_loss(self) -> RoadSegError:
        return RoadSegError(
            f"the Dask scheduler at '{self._address}' is gone: start it again, and run again; what is finished is kept"
        )


@contextmanager
def sharing_out(options: WorkOptions) -> Iterator[Share | None]:
    """Yields what shares out work on the cluster that is asked for; None for processes of this machine."""
    if options.cluster is None:
        yield None
        return
    with Cluster(options.cluster, options.wait_for_workers) as cluster:
        yield cluster.share


def _make_cluster(distributed: ModuleType) -> "LocalCluster":
    """Returns a cluster of this machine, with a worker per core, whose logs hold warnings only."""
    import dask

    environment = "distributed.nanny.pre-spawn-environ"
    with dask.config.set({environment: {**dask.config.get(environment), "DASK_LOGGING__DISTRIBUTED": "warning"}}):
        return distributed.LocalCluster(
            n_workers=cpu_count(),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            preload=[IGNORE_CTRL_C],
        )


def import_distributed() -> ModuleType:
    """Returns the package distributed.

    Raises:
        RoadSegError: If it is missing.
    """
    try:
        import distributed  # only who takes the extra `dask` has it
    except ImportError as fault:
        raise RoadSegError(
            "work.cluster needs the package distributed, of the extra 'dask': pip install -e '.[dask]'"
        ) from fault
    module: ModuleType = distributed
    return module


def _idle(item: Any) -> Any:
    return item
