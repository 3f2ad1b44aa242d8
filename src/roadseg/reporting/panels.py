"""Scenes as a person compares them: the image beside what was annotated, what was predicted and where that is wrong."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from roadseg.reporting.figures import hex_colour, house_style, shorten_name, start_figure
from roadseg.scenes.labels import VOID, SegmentationClass, colour_label_map

VOID_COLOUR = (0, 0, 0)
WRONG_COLOUR = (213, 0, 0)

LEGEND_COLUMNS, LEGEND_CLASSES = 6, 57
"""How many classes the legend has room for: ten rows, with void, wrong and the number of those left out."""

TALLEST = 26.0
"""Inches that all examples may take; where more would be needed, they are drawn smaller."""


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
    legend = _list_colours(examples, classes)
    legend_height = 0.22 * -(-len(legend) // LEGEND_COLUMNS)
    heights = [3.1 * example.image.shape[0] / example.image.shape[1] for example in examples]
    heights = [height * min(1, TALLEST / sum(heights)) + 0.25 for height in heights]
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
    foot = figure.add_subplot(grid[-1, :], frame_on=False, xticks=[], yticks=[])
    patches = [Patch(color=hex_colour(colour), label=" ") for _, colour in legend]
    texts = foot.legend(handles=patches, loc="center", ncols=LEGEND_COLUMNS, borderpad=0).get_texts()
    for text, (name, _) in zip(texts, legend, strict=True):
        text.set_text(shorten_name(name))  # as a label, a name that starts with an underscore would be left out
    return figure


def _list_colours(
    examples: Sequence[Example], classes: Sequence[SegmentationClass]
) -> list[tuple[str, tuple[int, int, int]]]:
    """Returns names and colours of the legend; of many classes those that fill the most pixels of the pictures."""
    maps = [label_map.ravel() for each in examples for label_map in (each.truth, each.prediction)]
    pixels = np.bincount(np.concatenate([*maps, np.zeros(0, np.uint8)]), minlength=len(classes))[: len(classes)]
    chosen = sorted(np.argsort(-pixels, kind="stable")[:LEGEND_CLASSES].tolist())
    listed = [(classes[index].name, classes[index].colour) for index in chosen]
    rest = len(classes) - len(listed)
    others = [(f"and {rest} more classes", (255, 255, 255))] if rest else []
    return [*listed, *others, ("void", VOID_COLOUR), ("wrong", WRONG_COLOUR)]


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
