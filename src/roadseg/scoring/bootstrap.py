"""How far a score would move with other drives: percentile intervals, drives being drawn with replacement.

Frames of one drive are near-duplicates. Intervals over frames or pixels would be far too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_DRIVES = 5
"""Fewer drives tell too little of how drives differ."""

RESAMPLES = 1000
LEVEL = 0.95

Score = Callable[[NDArray[Any]], float]
"""From the statistics of all drives together to a score; NaN where it is undefined."""


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


def bootstrap_interval(statistics: NDArray[Any], score: Score, seed: int) -> tuple[float, float] | None:
    """Returns the 95 % interval of a score over drives, or None with fewer than `MIN_DRIVES` drives or no score.

    Args:
        statistics: (drives, ...) what the score is computed from, such as confusion matrices; drives add up.
        score: From a sum over drives to the score.
        seed: Repeats the draws.

    Reference:
        Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13.
    """
    if len(statistics) < MIN_DRIVES:
        return None
    return _percentiles(np.array([score(each) for each in _resample(statistics, seed)]))


def bootstrap_difference(statistics: NDArray[Any], others: NDArray[Any], score: Score, seed: int) -> Difference | None:
    """Returns the difference of the scores of two runs, with its interval, or None with fewer than `MIN_DRIVES` drives.

    Each draw takes the same drives of both, so that what makes a drive hard for both does not widen the interval.

    Args:
        statistics: (drives, ...) as in `bootstrap_interval`.
        others: Same shape, of the other run, drive by drive.
        score: From a sum over drives to the score.
        seed: Repeats the draws.

    Raises:
        ValueError: If the shapes differ: other numbers of drives would be drawn apart, and the pairs lost.
    """
    if statistics.shape != others.shape:
        raise ValueError(f"statistics of two runs must have one shape, received {statistics.shape} and {others.shape}")
    if len(statistics) < MIN_DRIVES:
        return None
    pairs = zip(_resample(statistics, seed), _resample(others, seed), strict=True)
    interval = _percentiles(np.array([score(ours) - score(theirs) for ours, theirs in pairs]))
    value = float(score(statistics.sum(axis=0)) - score(others.sum(axis=0)))
    return interval and Difference(value, *interval)


def _resample(statistics: NDArray[Any], seed: int) -> NDArray[Any]:
    """Returns the sums over drives of each draw: (RESAMPLES, ...)."""
    drives = len(statistics)
    times = np.random.default_rng(seed).multinomial(drives, np.full(drives, 1 / drives), RESAMPLES)
    return np.tensordot(times.astype(statistics.dtype), statistics, axes=1)


def _percentiles(scores: NDArray[np.float64]) -> tuple[float, float] | None:
    defined = scores[~np.isnan(scores)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
