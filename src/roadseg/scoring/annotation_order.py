"""Which pictures to annotate next: those of which the network is unsure, unlike each other, and of different drives."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def order_for_annotation(pictures: pd.DataFrame, layouts: NDArray[np.int16], count: int) -> pd.DataFrame:
    """Returns the first pictures to annotate, the most useful first.

    Farthest-first traversal, weighted by uncertainty: the next picture is the one with the highest product of its mean
    entropy and its distance to the nearest picture that is already chosen; the first has the highest entropy. Choosing
    goes in rounds: in each, a drive gives one picture at most, and a round ends when no drive is left in it. Of equal
    products the higher entropy counts, then the place in the table. The time grows with pictures times `count`.

    Args:
        pictures: (n rows) `picture`, `drive`, `entropy`.
        layouts: (n, D) int16, not negative, rows of one sum: which classes lie where in each picture. The distance of
            two pictures is half the sum of absolute differences over that sum: the share, 0..1, that is another class.
        count: How many are chosen; all where there are fewer.

    Returns:
        `rank` from 1, `round` from 1, `picture`, `drive`, `entropy`, `distance` (of the first picture 1), and `score`,
        their product.

    References:
        Gonzalez 1985, Clustering to minimize the maximum intercluster distance; as a choice of what to annotate:
        Sener and Savarese 2018, Active learning for convolutional neural networks: a core-set approach, 1708.00489.
        There the distance is that of features, and entropy has no weight.
    """
    entropies = pictures["entropy"].to_numpy(np.float64)
    drives = pd.factorize(pictures["drive"], use_na_sentinel=False)[0]
    distances, is_left = np.ones(len(pictures)), np.ones(len(pictures), bool)
    rounds = np.ones(len(pictures), np.int64)  # the one in which a picture can be chosen next
    chosen = []
    for _ in range(min(count, len(pictures))):
        is_next = is_left & (rounds == rounds[is_left].min())
        place = _find_best(is_next, entropies * distances, entropies)
        chosen.append((place, rounds[place], distances[place]))
        is_left[place] = False
        rounds[drives == drives[place]] += 1
        np.minimum(distances, _measure_distances(layouts, place), out=distances)
    places, of_round, distance = (list(each) for each in zip(*chosen, strict=True)) if chosen else ([], [], [])
    table = pictures.iloc[places][["picture", "drive", "entropy"]].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table.insert(1, "round", np.array(of_round, np.int64))
    table["distance"] = np.array(distance, np.float64)
    return table.assign(score=table["entropy"] * table["distance"])


def _find_best(is_next: NDArray[np.bool_], scores: NDArray[np.float64], entropies: NDArray[np.float64]) -> int:
    places = np.flatnonzero(is_next)
    return int(places[np.lexsort((-entropies[places], -scores[places]))[0]])  # a stable sort


def _measure_distances(layouts: NDArray[np.int16], place: int) -> NDArray[np.float64]:
    differences = np.abs(layouts - layouts[place]).sum(axis=1, dtype=np.int64)
    shares: NDArray[np.float64] = differences / (2 * int(layouts[place].sum(dtype=np.int64)))
    return shares
