"""Scenes as a person compares them: the image beside what was annotated, what was predicted and where that is wrong."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from roadseg.reporting.figures import hex_colour, house_style, shorten_name, start_figure
from roadseg.scenes.colours import Colour
from roadseg.scenes.labels import VOID
from roadseg.scenes.palette import Palette

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
def draw_panels(
    examples: Sequence[Example], palette: Palette, caption: str = "", title: str = "What the network sees"
) -> Figure:
    """Returns scenes one below the other, in each row image, annotation, prediction and errors.

    Args:
        examples: The scenes, top to bottom.
        palette: Of the K classes.
        caption: Small print at the foot.
        title: At the head.
    """
    legend = _list_colours(examples, palette)
    legend_height = 0.22 * -(-len(legend) // LEGEND_COLUMNS)
    heights = [3.1 * example.image.shape[0] / example.image.shape[1] for example in examples]
    heights = [height * min(1, TALLEST / sum(heights)) + 0.25 for height in heights]
    figure = start_figure(title, (12.6, sum(heights) + legend_height + 0.8), caption)
    grid = figure.add_gridspec(len(examples) + 1, 4, height_ratios=[*heights, legend_height])
    for row, example in enumerate(examples):
        errors, share = _mark_errors(example, palette)
        pictures = {
            example.title: example.image,
            "annotation": palette.paint(example.truth),
            "prediction": palette.paint(example.prediction),
            f"errors: {share}": errors,
        }
        for column, (heading, picture) in enumerate(pictures.items()):
            axes = figure.add_subplot(grid[row, column], frame_on=False, xticks=[], yticks=[])
            axes.imshow(picture, interpolation="nearest")
            axes.set_title(textwrap.fill(heading, 40), loc="left")
    foot = figure.add_subplot(grid[-1, :], frame_on=False, xticks=[], yticks=[])
    patches = [Patch(color=hex_colour(colour), label=" ") for _, colour in legend]
    texts = foot.legend(handles=patches, loc="center", ncols=LEGEND_COLUMNS, borderpad=0).get_texts()
    for text, (name, _) in zip(texts, legend, strict=True):
        text.set_text(shorten_name(name))  # as a label, a name that starts with an underscore would be left out
    return figure


def _list_colours(examples: Sequence[Example], palette: Palette) -> list[tuple[str, Colour]]:
    """Returns names and colours of the legend; of many classes those that fill the most pixels of the pictures."""
    classes = palette.classes
    maps = [label_map.ravel() for each in examples for label_map in (each.truth, each.prediction)]
    pixels = np.bincount(np.concatenate([*maps, np.zeros(0, np.uint8)]), minlength=len(classes))[: len(classes)]
    chosen = sorted(np.argsort(-pixels, kind="stable")[:LEGEND_CLASSES].tolist())
    listed = [(classes[index].name, classes[index].colour) for index in chosen]
    rest = len(classes) - len(listed)
    others = [(f"and {rest} more classes", (255, 255, 255))] if rest else []
    return [*listed, *others, ("void", palette.void), ("wrong", palette.wrong)]


def _mark_errors(example: Example, palette: Palette) -> tuple[NDArray[np.uint8], str]:
    """Returns the image in grey, void and wrong pixels in colour, (height, width, 3) uint8, and the share of errors."""
    counted = example.truth != VOID
    wrong = counted & (example.prediction != example.truth)
    grey = example.image.mean(axis=2, keepdims=True)
    picture = np.repeat(255 - 0.35 * (255 - grey), 3, axis=2).astype(np.uint8)
    picture[~counted] = palette.void
    picture[wrong] = palette.wrong
    share = f"{100 * wrong.sum() / counted.sum():.1f} % of pixels" if counted.any() else "all void"
    return picture, share
