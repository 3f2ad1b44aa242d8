"""Whether a network doubts where it is wrong, as a figure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

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
    splits = list(dict(doubt_table.groupby("split", sort=False).groups))
    size = (4.2 * max(1, len(splits)), 4.0)
    figure = start_figure("Wrong pixels among those of which the network is surest", size, caption)
    panels = figure.subplots(1, max(1, len(splits)), squeeze=False, sharey=True)[0]
    for axes, split in zip(panels, splits, strict=False):
        for place, (doubt, levels) in enumerate(
            doubt_table[doubt_table["split"] == split].groupby("doubt", sort=False)
        ):
            coverage, risk = trace_risk(levels)
            found = measure_detection(levels)
            auroc = write_score(np.nan if found is None else found.auroc)
            axes.plot(coverage, risk, color=SPLIT_COLOURS[place % len(SPLIT_COLOURS)], label=f"{doubt}: AUROC {auroc}")
            right = 1 - risk[-1]
        kept = np.linspace(right, 1, 100)
        axes.plot(
            [0, *kept], [0, *(1 - right / kept)], color="0.5", linestyle=":", label="if all errors were doubted most"
        )
        axes.set(title=split, xlim=(0, 1), ylim=(0, None), xlabel="coverage: share of the pixels that are kept")
        axes.grid()
        axes.legend(loc="upper left")
    panels[0].set_ylabel("risk: share of them that is wrong")
    return figure
