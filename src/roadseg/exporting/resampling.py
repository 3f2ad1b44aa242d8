"""How images become smaller or larger: steps that every runtime can calculate.

Runtimes have no OpenCV, with which `resize_image` works. These are its sums of weighted pixels, in its order and its
precision, so that the results are equal to the last bit. They are what OpenCV's `resize.cpp` calculates on processors
of the x86 family.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

Size = tuple[int, int]
"""(height, width) in pixels."""

SMALLEST = 32
"""Least height and width in pixels of images that an exported model takes."""


def _read_size(value: Any) -> Size:
    """Returns [height, width] as a pair, and refuses all else."""
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if is_pair and all(type(each) is int and each >= SMALLEST for each in value):
        return (value[0], value[1])
    expected = f"input should be [height, width] in pixels, two whole numbers from {SMALLEST}"
    raise PydanticCustomError("image_size", "{expected}", {"expected": expected})


ImageSize = Annotated[Size, BeforeValidator(_read_size)]
"""(height, width) in pixels of images that an exported model takes, where it is not the network's."""

ROWS, COLUMNS = 1, 2
"""Axes of images, (batch, height, width, channels)."""

ONE = 2048
"""The weight of 1 where OpenCV calculates with integers."""

LEAST = 1e-3
"""Share of a pixel below which OpenCV leaves it out of an area."""


class Taps(NamedTuple):
    """Which pixels of a line each pixel of another line is the weighted sum of, in the order in which they are added.

    Attributes:
        positions: (taps, length of the other line) int64.
        weights: (taps, length of the other line) float32; 0 where a pixel needs fewer taps.
    """

    positions: NDArray[np.int64]
    weights: NDArray[np.float32]


class Windows(NamedTuple):
    """A step that makes a pixel of each window: the sum of its pixels times a scale, in float32, rounded.

    Attributes:
        height: Of a window, in pixels.
        width: Of a window, in pixels.
    """

    height: int
    width: int

    @property
    def scale(self) -> np.float32:
        """What the sum is multiplied by."""
        return np.float32(1) / np.float32(self.height * self.width)

    @property
    def rounds_halves_up(self) -> bool:
        """Whether halves are rounded up, else to the even number."""
        return (self.height, self.width) == (2, 2)


class Areas(NamedTuple):
    """A step that makes each pixel the mean of its area: sums within rows, then sums of rows, in float32.

    Halves are rounded to the even number.

    Attributes:
        columns: Of the sums within rows.
        rows: Of the sums of rows.
    """

    columns: Taps
    rows: Taps


class Neighbours(NamedTuple):
    """A step that makes each pixel the weighted mean of its four neighbours, in integers: `ONE` is the weight of 1.

    The sum within a row is divided by 16. Each of its two products with the weights of rows is divided by 65536. The
    sum of both, plus 2, is divided by 4. Each division is rounded down.

    Attributes:
        columns: The two neighbours within a row.
        rows: The two neighbours within a column.
    """

    columns: Taps
    rows: Taps


Step = Windows | Areas | Neighbours


def plan_resizing(size: Size, new: Size) -> list[Step]:
    """Returns the steps by which images become what `resize_image` makes of them: whole numbers 0..255 after each step.

    Args:
        size: (height, width) in pixels.
        new: The same of the result; if both are the same, there are no steps.
    """
    if size == new:
        return []
    if size[0] % 2 == size[1] % 2 == 0 and size[0] >= 4 * new[0] and size[1] >= 4 * new[1]:
        return [Windows(2, 2), _plan_step((size[0] // 2, size[1] // 2), new)]
    return [_plan_step(size, new)]


def _plan_step(size: Size, new: Size) -> Step:
    (height, width), (new_height, new_width) = size, new
    if height < new_height or width < new_width:
        return Neighbours(find_neighbours(width, new_width), find_neighbours(height, new_height))
    if height % new_height == width % new_width == 0:
        return Windows(height // new_height, width // new_width)
    return Areas(find_areas(width, new_width), find_areas(height, new_height))


def find_areas(length: int, new: int) -> Taps:
    """Returns the taps by which each pixel of a line is the mean of what it covers of a longer one."""
    step = 1 / (new / length)  # as OpenCV calculates it
    starts = np.arange(new) * step
    ends, covered = starts + step, np.minimum(step, length - starts)
    last = np.minimum(np.floor(ends).astype(np.int64), length - 1)
    first = np.minimum(np.ceil(starts).astype(np.int64), last)
    pixels = first - 1 + np.arange((last - first).max() + 2)[:, None]
    shares = np.where((pixels >= first) & (pixels < last), 1.0, 0.0)
    for at, part in ((first - 1, first - starts), (last, np.minimum(ends - last, 1))):
        shares = np.where((pixels == at) & (part > LEAST), part, shares)
    used = shares.any(axis=1)
    return Taps(np.clip(pixels, 0, length - 1)[used], (shares / covered).astype(np.float32)[used])


def find_neighbours(length: int, new: int) -> Taps:
    """Returns the two neighbours that each pixel of a line has in another line, with weights that sum to `ONE`."""
    centres = ((np.arange(new) + 0.5) * (1 / (new / length)) - 0.5).astype(np.float32)
    before = np.floor(centres)
    parts = centres - before
    positions = np.stack([before, before + 1]).astype(np.int64)
    return Taps(np.clip(positions, 0, length - 1), np.rint(np.stack([1 - parts, parts]) * np.float32(ONE)))
