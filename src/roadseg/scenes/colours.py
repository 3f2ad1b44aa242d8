"""Label maps in colours: pixels to raw ids, with the name of each."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

NAMED_STRANGERS = 5
"""At most so many colours that are not in the list get their own id; all others of a picture share one."""

Colour = tuple[int, int, int]
"""Red, green and blue in 0..255."""

Colours = Mapping[Colour, str]
"""Colour -> name of the raw class; several colours may have one name."""


def index_colours(
    picture: NDArray[np.uint8], colours: Colours
) -> tuple[NDArray[np.uint16], dict[int, str], dict[int, str]]:
    """Returns the label map of a picture in colours.

    Args:
        picture: (height, width, 3) uint8, RGB; one colour for each class, no blends.
        colours: The colours that have a name.

    Returns:
        (height, width) uint16, raw ids that mean something in this picture only; the name of each raw id; and what the
        raw ids without a name are: a colour and the number of its pixels.
    """
    codes = cv2.cvtColor(picture, cv2.COLOR_RGB2BGRA).view("<u4").ravel()  # 0xffRRGGBB
    # Label maps are runs of one colour: few of their pixels need to be sorted.
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    lengths = np.diff(starts, append=codes.size)
    present, kinds = np.unique(codes[starts], return_inverse=True)
    counts = np.bincount(kinds, lengths).astype(int)
    found = [(code >> 16 & 255, code >> 8 & 255, code & 255) for code in present.tolist()]
    known = [index for index, colour in enumerate(found) if colour in colours]
    strangers = [index for index in np.argsort(-counts, kind="stable").tolist() if found[index] not in colours]
    shown, rest = strangers[:NAMED_STRANGERS], strangers[NAMED_STRANGERS:]
    names = {raw_id: colours[found[index]] for raw_id, index in enumerate(known)}
    unnamed = {
        raw_id: f"colour {found[index]} ({counts[index]} pixels)" for raw_id, index in enumerate(shown, len(known))
    }
    if rest:
        unnamed[len(known) + len(shown)] = f"{len(rest)} other colours ({counts[rest].sum()} pixels)"
    ids = np.zeros(len(found), np.uint16)
    ids[known + shown] = np.arange(len(known) + len(shown))
    ids[rest] = len(known) + len(shown)
    return np.repeat(ids[kinds], lengths).reshape(picture.shape[:2]), names, unnamed
