"""Training curves as a part of a page, in its colours."""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from roadseg.reporting.figures import SPLIT_COLOURS, draw_training_curves

PAGE_COLOURS = {
    to_hex(SPLIT_COLOURS[0]): "var(--training)",
    to_hex(SPLIT_COLOURS[1]): "var(--validation)",
    to_hex("0.9"): "var(--line)",  # the grid
    to_hex("0.35"): "var(--soft)",  # the learning rate
    to_hex("black"): "var(--ink)",  # but of texts, which have no colour of their own
}
"""Colours of the figure -> those of the page, which may be light or dark."""


def write_curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Returns loss, mean IoU and learning rate by epoch as an SVG element, whose text is text.

    Args:
        history: One row per epoch: epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate, seconds;
            None where there is no figure.
    """
    return use_page_colours(write_svg(draw_training_curves(pd.DataFrame(history))))


def use_page_colours(svg: str) -> str:
    """Returns an SVG element whose colours are those of the page, for curves that are not in the colours of classes."""
    for colour, of_page in PAGE_COLOURS.items():
        svg = svg.replace(colour, of_page)
    return svg


def drop_names(svg: str) -> str:
    """Returns an SVG element without the names of its groups, which all figures of a page would share."""
    return re.sub(r'<g id="[^"]*">', "<g>", svg)


def write_svg(figure: Figure) -> str:
    """Returns a figure as an SVG element without a background, whose text is text; equal figures give equal bytes."""
    file = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "curves"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    return svg[svg.index("<svg") :]
