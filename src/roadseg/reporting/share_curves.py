"""What a drive or a video shows over time: the shares of the classes, as a part of a page."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from roadseg.reporting.curves import drop_names, write_svg
from roadseg.reporting.figures import hex_colour, house_style
from roadseg.scenes.labels import SegmentationClass

POINTS = 120
"""Points of a curve; the pictures of a longer drive share them."""

AREAS = 20
"""Classes that have an area of their own; all others share one."""

OTHERS = (128, 128, 128)
"""Colour of that area."""


def choose_drives(table: pd.DataFrame, count: int) -> tuple[list[str], int]:
    """Returns the drives with the most pictures, in the order of the table, and how many have more than one.

    Args:
        table: One row per picture that was predicted, with its `drive`.
        count: Drives to choose, of those with more than one picture.
    """
    pictures = table["drive"].value_counts(sort=False)
    several = pictures[pictures > 1]
    chosen = set(several.sort_values(ascending=False, kind="stable").index[:count])
    return [drive for drive in several.index if drive in chosen], len(several)


def write_share_curves(
    places: Sequence[float], shares: NDArray[np.float64], classes: Sequence[SegmentationClass]
) -> str:
    """Returns the shares of the classes of a drive as areas one above the other, as an SVG element.

    Args:
        places: Of its n pictures: seconds, or numbers from 1.
        shares: (n, K) float64, 0..1, of the pixels of each picture.
        classes: K classes in the order of their ids, which is that of the areas.
    """
    return drop_names(write_svg(_draw_shares(*_average(np.asarray(places, np.float64), shares), classes)))


@house_style
def _draw_shares(
    places: NDArray[np.float64], shares: NDArray[np.float64], classes: Sequence[SegmentationClass]
) -> Figure:
    totals = shares.sum(axis=0)
    chosen = np.sort(np.argsort(-totals, kind="stable")[:AREAS])
    chosen = chosen[totals[chosen] > 0]
    areas, colours = list(shares[:, chosen].T), [classes[index].colour for index in chosen]
    figure = Figure(figsize=(5, 1.8))
    axes = figure.subplots()
    axes.stackplot(
        places, *areas, np.maximum(0, 1 - sum(areas)), colors=[*map(hex_colour, colours), hex_colour(OTHERS)]
    )
    axes.set(xlim=(places[0], places[-1]), ylim=(0, 1), yticks=[0, 0.5, 1])
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _average(
    places: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns at most `POINTS` places and shares: the means of pictures that follow each other."""
    count = len(places)
    starts = np.arange(POINTS) * count // POINTS if count > POINTS else np.arange(count)
    sizes = np.diff(starts, append=count)
    return np.add.reduceat(places, starts) / sizes, np.add.reduceat(shares, starts, axis=0) / sizes[:, None]
