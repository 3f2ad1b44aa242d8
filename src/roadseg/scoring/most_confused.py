"""The classes that a picture has space for: those with the most wrong pixels, and all others together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from roadseg.scoring.metrics import count_classes


def choose_most_confused(matrix: NDArray[np.int64], count: int) -> list[int]:
    """Returns the ids, sorted, of the classes with the most pixels that are missed or wrongly predicted.

    Args:
        matrix: (K, K) int64, true classes along the rows.
        count: Number of classes, all of them where there are fewer.
    """
    hits, true, predicted = count_classes(matrix).T
    ordered = np.argsort(-(true + predicted - 2 * hits), kind="stable")
    return sorted(ordered[:count].tolist())


def gather_others(
    matrix: NDArray[np.int64], class_names: Sequence[str], count: int
) -> tuple[NDArray[np.int64], list[str]]:
    """Returns a confusion matrix and its names; the last row and column hold all classes but the most confused.

    Args:
        matrix: (K, K) int64, true classes along the rows.
        class_names: K names in the order of the ids.
        count: Number of classes that keep a row of their own, the most confused ones; all where there are no more.
    """
    if len(class_names) <= count:
        return matrix, list(class_names)
    chosen = choose_most_confused(matrix, count)
    groups = np.full(len(class_names), count)
    groups[chosen] = np.arange(count)
    gathered = np.zeros((count + 1, count + 1), np.int64)
    np.add.at(gathered, (groups[:, None], groups), matrix)
    return gathered, [*(class_names[each] for each in chosen), f"{len(class_names) - count} others"]
