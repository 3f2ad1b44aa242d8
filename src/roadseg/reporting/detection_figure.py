"""Whether a network doubts where it is wrong, as a figure and as a part of a page."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from roadseg.reporting.curves import drop_names, use_page_colours, write_svg
from roadseg.reporting.figures import SPLIT_COLOURS, house_style, start_figure
from roadseg.reporting.numbers import write_score
from roadseg.scoring.error_detection import measure_detection, trace_risk


@house_style
def draw_detection(doubt_table: pd.DataFrame, caption: str = "") -> Figure:
    """Returns risk against coverage of each doubt, one panel per split, beside the best that is possible.

    Args:
        doubt_table: As `tabulate_doubts` returns it.
        caption: Small print at the foot.
    """
    splits = list(doubt_table.groupby("split", sort=False))
    size = (4.2 * max(1, len(splits)), 4.0)
    figure = start_figure("Wrong pixels among those of which the network is surest", size, caption)
    panels = figure.subplots(1, max(1, len(splits)), squeeze=False, sharey=True)[0]
    for axes, (split, of_split) in zip(panels, splits, strict=False):
        _draw_split(axes, of_split)
        axes.set_title(split)
    panels[0].set_ylabel("risk: share of them that is wrong")
    return figure


def write_detection_curves(doubt_table: pd.DataFrame) -> dict[str, str]:
    """Returns the panels of that figure as SVG elements in the colours of a page, by their splits.

    Args:
        doubt_table: As `tabulate_doubts` returns it.
    """
    splits = doubt_table.groupby("split", sort=False)
    return {str(split): drop_names(use_page_colours(write_svg(_draw_panel(each)))) for split, each in splits}


@house_style
def _draw_panel(of_split: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(4.2, 3.2))
    axes = figure.subplots()
    _draw_split(axes, of_split)
    axes.set_ylabel("risk: share of them that is wrong")
    return figure


def _draw_split(axes: Axes, of_split: pd.DataFrame) -> None:
    for place, (doubt, levels) in enumerate(of_split.groupby("doubt", sort=False)):
        coverage, risk = trace_risk(levels)
        found = measure_detection(levels)
        auroc = write_score(np.nan if found is None else found.auroc)
        axes.plot(coverage, risk, color=SPLIT_COLOURS[place % len(SPLIT_COLOURS)], label=f"{doubt}: AUROC {auroc}")
        right = 1 - risk[-1]
    kept = np.linspace(right, 1, 100)[1:]
    best = [0, right, *kept], [0, 0, *(1 - right / kept)]
    axes.plot(*best, color="0.5", linestyle=":", label="if all errors were doubted most")
    axes.set(xlim=(0, 1), ylim=(0, None), xlabel="coverage: share of the pixels that are kept")
    axes.grid()
    axes.legend(loc="upper left")
