"""How much scores vary with other drives: percentile intervals over drives drawn with replacement.

Frames of one drive are almost equal. Intervals over frames or pixels would be far too narrow.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_DRIVES = 5
"""Fewer drives are too few for an interval."""

RESAMPLES = 1000
LEVEL = 0.95

Scores = Callable[[NDArray[Any]], Sequence[float] | NDArray[np.float64]]
"""From the summed statistics of all drives to one or more scores, always the same number; NaN if undefined."""

Interval = tuple[float, float]
"""Lower and upper end."""


@dataclass(frozen=True)
class Difference:
    """A score of one run less that of another, over the same drives.

    Attributes:
        value: The difference.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def bootstrap_intervals(statistics: NDArray[Any], scores: Scores, seed: int) -> list[Interval | None]:
    """Returns the 95 % interval of each score over drives, or None with fewer than `MIN_DRIVES` drives or no score.

    Args:
        statistics: (drives, ...) what the scores are computed from, such as class counts; drives add up.
        scores: From a sum over drives to the scores.
        seed: Repeats the draws.

    Reference:
        Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13.
    """
    if len(statistics) < MIN_DRIVES:
        return [None for _ in scores(statistics.sum(axis=0))]
    return list(_percentiles(np.array([scores(each) for each in _resample(statistics, seed)])))


def bootstrap_differences(
    statistics: NDArray[Any], others: NDArray[Any], scores: Scores, seed: int
) -> list[Difference | None]:
    """Returns the differences of the scores of two runs with their intervals, None where `bootstrap_intervals` has it.

    Each draw takes the same drives for both, so drives that are hard for both do not make the interval wider.

    Args:
        statistics: (drives, ...) as in `bootstrap_intervals`.
        others: Same shape, of the other run, drive by drive.
        scores: From a sum over drives to the scores.
        seed: Repeats the draws.

    Raises:
        ValueError: If the shapes differ: drives could not be paired.
    """
    if statistics.shape != others.shape:
        raise ValueError(
            f"statistics of two runs must have equal shapes, received {statistics.shape} and {others.shape}"
        )
    values = np.subtract(scores(statistics.sum(axis=0)), scores(others.sum(axis=0)))
    if len(statistics) < MIN_DRIVES:
        return [None for _ in values]
    pairs = zip(_resample(statistics, seed), _resample(others, seed), strict=True)
    intervals = _percentiles(np.array([np.subtract(scores(ours), scores(theirs)) for ours, theirs in pairs]))
    return [interval and Difference(float(value), *interval) for value, interval in zip(values, intervals, strict=True)]


def _resample(statistics: NDArray[Any], seed: int) -> NDArray[Any]:
    """Returns the sums over drives of each draw: (RESAMPLES, ...)."""
    drives = len(statistics)
    times = np.random.default_rng(seed).multinomial(drives, np.full(drives, 1 / drives), RESAMPLES)
    return np.tensordot(times.astype(statistics.dtype), statistics, axes=1)


def _percentiles(drawn: NDArray[np.float64]) -> Iterator[Interval | None]:
    """Yields the interval of each column of (RESAMPLES, scores), None where no draw has that score."""
    for scores in drawn.T:
        defined = scores[~np.isnan(scores)]
        if len(defined):
            low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            yield float(low), float(high)
        else:
            yield None
