"""One function for many items, several of them at the same time: for work that waits for answers, not for a core."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_flight(function: Callable[[Item], Result], items: Iterable[Item], in_flight: int) -> Iterator[Result]:
    """Yields the result of each item in order; at most twice as many as are in flight are computed in advance.

    One in flight is computed when it is due, in no other thread.

    Args:
        function: Called in a thread.
        items: What to apply it to.
        in_flight: Number of threads.

    Raises:
        Exception: What the function raises, when its item is due.
    """
    if in_flight == 1:
        yield from map(function, items)
        return
    threads = ThreadPoolExecutor(in_flight, "in_flight")
    rest = iter(items)
    try:
        waiting: deque[Future[Result]] = deque(threads.submit(function, item) for item in islice(rest, 2 * in_flight))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(threads.submit(function, item) for item in islice(rest, 1))
    finally:
        threads.shutdown(cancel_futures=True)
