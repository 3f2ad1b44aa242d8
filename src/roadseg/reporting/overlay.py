"""The colours of classes laid over a picture, with a legend."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from roadseg.reporting.figures import shorten_name
from roadseg.scenes.palette import Palette

LEGEND_LINES = 30
"""Lines of text that fit into the height of a picture: the legend keeps its share of pictures of any size."""

LEAST_LETTER = 8
"""Pixels of the smallest letters that can be read; smaller pictures get no legend."""

LEGEND_SHARE = 0.5
"""Most of the height and of the width of a picture that a legend may cover; one that needs more is left out."""


@dataclass(frozen=True)
class Overlay:
    """Paints pictures.

    Attributes:
        palette: Of the classes.
        opacity: Of their colours, 0..1.
        has_legend: Whether names and colours of the classes stand in the upper left corner.
    """

    palette: Palette
    opacity: float
    has_legend: bool = True

    def paint(self, image: NDArray[np.uint8], label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns a picture with the colours of its classes over it: (height, width, 3) uint8, RGB.

        Args:
            image: (height, width, 3) uint8, RGB.
            label_map: (height, width) uint8, class ids.
        """
        colours = np.full((256, 1, 3), self.palette.void, np.uint8)
        colours[: len(self.palette.classes), 0] = [each.colour for each in self.palette.classes]
        painted = cv2.LUT(cv2.merge([label_map] * 3), colours)  # a third of the time of NumPy's indexing
        blended = cv2.addWeighted(painted, self.opacity, image, 1 - self.opacity, 0).astype(np.uint8, copy=False)
        legend = draw_legend(self.palette, image.shape[0] // LEGEND_LINES) if self.has_legend else None
        if legend is not None and all(np.array(legend.shape[:2]) <= LEGEND_SHARE * np.array(image.shape[:2])):
            blended[: legend.shape[0], : legend.shape[1]] = legend
        return blended


@lru_cache(maxsize=64)
def draw_legend(palette: Palette, line: int) -> NDArray[np.uint8] | None:
    """Returns names and colours of classes as a picture, (height, width, 3) uint8; None if letters would be too small.

    Args:
        palette: Of the classes.
        line: Pixels between two lines of text.
    """
    if line < LEAST_LETTER:
        return None
    font = ImageFont.truetype(findfont("DejaVu Sans"), round(0.8 * line))
    names = [shorten_name(each.name) for each in palette.classes]
    width = int(max(font.getlength(name) for name in names) + 2.5 * line)
    picture = Image.new("RGB", (width, (len(names) + 1) * line), "white")
    pen = ImageDraw.Draw(picture)
    for place, (name, each) in enumerate(zip(names, palette.classes, strict=True)):
        top = place * line + line // 2
        pen.rectangle((line // 2, top, line + line // 2, top + line - 2), fill=each.colour)
        pen.text((2 * line, top + line / 2), name, fill="black", font=font, anchor="lm")
    return np.asarray(picture)
