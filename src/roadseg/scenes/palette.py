"""The colours of pictures: of each class, of void, and of wrong pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy.optimize import linear_sum_assignment

from roadseg.errors import InputError
from roadseg.scenes.colours import Colour
from roadseg.scenes.labels import SegmentationClass

BLACK, RED, WINE = (0, 0, 0), (213, 0, 0), (136, 34, 85)

SAFE = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (204, 121, 167),  # reddish purple
)
"""Colours that people who see red, green or blue less or not at all can distinguish; the eighth, black, is void.

Reference:
    Okabe and Ito, Color Universal Design, https://jfly.uni-koeln.de/color/; what is wrong is wine, of Paul Tol's scheme
    "muted", https://personal.sron.nl/~pault/.
"""


FIXED: Mapping[str, tuple[Sequence[Colour], Colour]] = {"safe": (SAFE, WINE)}
"""Name of a palette -> the colours that it has for classes, and the colour of what is wrong."""


class PictureOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How pictures are drawn.

    Attributes:
        palette: `classes`, the colours of the label space; or a name in `FIXED`.
    """

    palette: Literal["classes", "safe"]


@dataclass(frozen=True)
class Palette:
    """The colours of pictures.

    Attributes:
        classes: In the order of their ids, each in the colour that it is drawn in.
        void: Of pixels that are not annotated.
        wrong: Of pixels that are predicted as another class.
    """

    classes: tuple[SegmentationClass, ...]
    void: Colour = BLACK
    wrong: Colour = RED

    def paint(self, label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns a label map as an RGB picture: (height, width, 3) uint8.

        Args:
            label_map: (height, width) uint8, class ids and `VOID`.
        """
        colours = np.full((256, 3), self.void, np.uint8)
        colours[: len(self.classes)] = [each.colour for each in self.classes]
        picture: NDArray[np.uint8] = colours[label_map]
        return picture


def make_palette(classes: Sequence[SegmentationClass], options: PictureOptions) -> Palette:
    """Returns the colours of pictures; with `safe`, each class gets the safe colour that is most similar to its own.

    Args:
        classes: With their names and the colours of their label space.
        options: Which palette.

    Raises:
        InputError: If there are more classes than safe colours.
    """
    if options.palette == "classes":
        return Palette(tuple(classes))
    colours, wrong = FIXED[options.palette]
    if len(classes) > len(colours):
        raise InputError(
            f"pictures.palette={options.palette} has {len(colours)} colours, and there are {len(classes)} classes: "
            "give pictures.palette=classes"
        )
    own = np.array([each.colour for each in classes]).reshape(-1, 1, 3)
    chosen = linear_sum_assignment(np.linalg.norm(own - np.array(colours), axis=-1))[1]
    named = zip(classes, chosen.tolist(), strict=True)
    return Palette(
        tuple(SegmentationClass(name=each.name, colour=colours[place]) for each, place in named), wrong=wrong
    )
