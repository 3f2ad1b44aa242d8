"""How scores, shares and counts are written: on pages, in pictures, on the terminal and in the log."""

import math
from collections.abc import Mapping

UNDEFINED = "\N{EN DASH}"
"""Stands in place of a score that has nothing to divide by."""


def write_score(score: float | None, digits: int = 4) -> str:
    """Returns a score in so many digits, or a dash where it is None or NaN."""
    return UNDEFINED if score is None or math.isnan(score) else f"{score:.{digits}f}"


def write_percent(share: float | None) -> str:
    """Returns a share in percent to a tenth, or a dash where it is None or NaN; <0.1 for what is not quite nothing."""
    if share is None or math.isnan(share):
        return UNDEFINED
    return "<0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"


def abbreviate_count(count: int) -> str:
    """Returns a count in at most three digits: 1234567 is 1.23M."""
    for limit, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 0.9995 * limit:
            return f"{count / limit:.3g}{suffix}"
    return str(count)


def write_counts(counts: Mapping[str, int]) -> str:
    """Returns how many there are of each thing: {"picture": 1, "video": 2} is "1 picture and 2 videos".

    Args:
        counts: Thing in the singular -> how many; things that there are none of are left out.
    """
    return " and ".join(f"{count:,} {thing}{'s' if count != 1 else ''}" for thing, count in counts.items() if count)
