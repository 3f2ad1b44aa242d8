"""The first pictures to annotate, side by side."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from roadseg.reporting.figures import house_style, start_figure

COLUMNS, PICTURES = 6, 18
"""Pictures beside each other, and in all."""

WIDTH, TITLE, MARGINS = 2.1, 0.4, 0.8
"""Of a picture with its margins; heights of the text above it, and of title and caption; in inches."""

NAME_LENGTH = 40
"""Letters of a name that are shown: its end, which differs between pictures of one folder."""


@house_style
def draw_annotation_strip(order: pd.DataFrame, thumbnails: Sequence[bytes]) -> Figure:
    """Returns pictures in their order, each with its rank and why it has this rank.

    Args:
        order: One row or more of what `order_for_annotation` returns.
        thumbnails: JPEG, of the rows of `order`.
    """
    images: list[Any] = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in thumbnails]
    rows = -(-len(order) // COLUMNS)
    tallest = min(1.0, max(image.shape[0] / image.shape[1] for image in images))
    caption = (
        "The next picture is the one with the highest product of mean entropy, in nats, and distance: the share of the "
        "picture that is another class than in the most similar picture before it. In each round a drive gives one."
    )
    size = (WIDTH * COLUMNS, (WIDTH * tallest + TITLE) * rows + MARGINS)
    figure = start_figure("What to annotate next", size, caption)
    for place, (row, image) in enumerate(zip(order.itertuples(), images, strict=True)):
        axes = figure.add_subplot(rows, COLUMNS, place + 1, anchor="N", frame_on=False, xticks=[], yticks=[])
        axes.imshow(image[..., ::-1])
        reason = f"entropy {row.entropy:.2f}, distance {row.distance:.2f}"
        axes.set_title(
            f"{row.rank}. {_shorten(str(row.picture))}\n{reason}, round {row.round}", fontsize=6.5, loc="left"
        )
    return figure


def _shorten(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= NAME_LENGTH else f"\N{HORIZONTAL ELLIPSIS}{line[1 - NAME_LENGTH :]}"
