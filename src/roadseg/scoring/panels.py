"""Scenes as a person compares them: the image beside what was annotated, what was predicted and where that is wrong."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from roadseg.scenes.labels import VOID, SegmentationClass, colour_label_map
from roadseg.scoring.figures import hex_colour, house_style, start_figure

VOID_COLOUR = (0, 0, 0)
WRONG_COLOUR = (213, 0, 0)


@dataclass(frozen=True)
class Example:
    """One scene with what was annotated and what was predicted.

    Attributes:
        title: Name of the scene.
        image: (height, width, 3) uint8, RGB.
        truth: (height, width) uint8, class ids, 255 = void.
        prediction: Same shape and type, class ids.
    """

    title: str
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    prediction: NDArray[np.uint8]


@house_style
def draw_panels(examples: Sequence[Example], classes: Sequence[SegmentationClass], caption: str = "") -> Figure:
    """Returns scenes one below the other, in each row image, annotation, prediction and errors.

    Args:
        examples: The scenes, top to bottom.
        classes: K classes in the order of the ids.
        caption: Small print at the foot.
    """
    num_columns = 6
    legend_height = 0.22 * (1 + (len(classes) + 1) // num_columns)
    heights = [3.1 * example.image.shape[0] / example.image.shape[1] + 0.25 for example in examples]
    figure = start_figure("What the network sees", (12.6, sum(heights) + legend_height + 0.8), caption)
    grid = figure.add_gridspec(len(examples) + 1, 4, height_ratios=[*heights, legend_height])
    for row, example in enumerate(examples):
        errors, share = _mark_errors(example)
        pictures = {
            example.title: example.image,
            "annotation": colour_label_map(example.truth, classes),
            "prediction": colour_label_map(example.prediction, classes),
            f"errors: {share}": errors,
        }
        for column, (title, picture) in enumerate(pictures.items()):
            axes = figure.add_subplot(grid[row, column], frame_on=False, xticks=[], yticks=[])
            axes.imshow(picture, interpolation="nearest")
            axes.set_title(textwrap.fill(title, 40), loc="left")
    colours = {each.name: each.colour for each in classes} | {"void": VOID_COLOUR, "wrong": WRONG_COLOUR}
    patches = [Patch(color=hex_colour(colour), label=name) for name, colour in colours.items()]
    foot = figure.add_subplot(grid[-1, :], frame_on=False, xticks=[], yticks=[])
    foot.legend(handles=patches, loc="center", ncols=num_columns, borderpad=0)
    return figure


def _mark_errors(example: Example) -> tuple[NDArray[np.uint8], str]:
    """Returns the image in grey, wrong pixels red and void black, (height, width, 3) uint8, and the share of errors."""
    counted = example.truth != VOID
    wrong = counted & (example.prediction != example.truth)
    grey = example.image.mean(axis=2, keepdims=True)
    picture = np.repeat(255 - 0.35 * (255 - grey), 3, axis=2).astype(np.uint8)
    picture[~counted] = VOID_COLOUR
    picture[wrong] = WRONG_COLOUR
    share = f"{100 * wrong.sum() / counted.sum():.1f} % of pixels" if counted.any() else "all void"
    return picture, share
