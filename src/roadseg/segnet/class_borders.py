"""One class per pixel at a larger size, fast: all logits are resized only where classes meet.

Between four neighbouring pixels of the network, a cell, bilinear logits are weighted means of theirs, with the same
weights for each class. So a class that is the highest of all four is the highest everywhere in the cell.
"""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from roadseg.segnet.class_choice import Size, choose_class

ROUNDING = np.float32(1e-5)
"""Share of the largest logit that rounding never reaches: four to ten roundings of 2^-24 in each resized logit."""

LARGEST = np.float32(1e35)
"""Logits up to it can be subtracted and added without becoming infinite."""

MOST = 0.3
"""Share of classes in cells that may be the highest there, up to which it is faster to look at these alone."""

CHUNK = 2**15
"""Pixels whose logits are resized at once: few enough to stay in a processor's cache."""


class Axis(NamedTuple):
    """Rows, or columns, of an image and the cells that they lie in.

    Attributes:
        counts: (cells,) number of rows in each cell; there is a cell more than rows of the network.
        starts: (cells,) the first of them.
        parts: (rows,) float32, 0..1: how far each is from the beginning of its cell.
    """

    counts: NDArray[np.intp]
    starts: NDArray[np.intp]
    parts: NDArray[np.float32]

    def list_rows(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns (cells, rows of the largest cell): the rows of each; where a cell has fewer, its last one again."""
        numbers = np.minimum(np.arange(self.counts.max()), self.counts[cells, None] - 1)
        return self.starts[cells, None] + numbers


def choose_label_map(logits: NDArray[np.float32], size: Size) -> NDArray[np.uint8]:
    """Returns the class with the highest logit of each pixel at a size, of equal ones the first.

    On TensorFlow on a processor these are the classes of `choose_class`. Other backends round otherwise: where two
    resized logits are equal but for rounding, they may give the other class. All logits are resized where that is as
    fast: where the image is smaller than the logits, or classes meet nearly everywhere.

    Args:
        logits: (height, width, classes) float32; resized bilinearly, before a class is chosen.
        size: (height, width) in pixels.

    Returns:
        Array of `size`.
    """
    height, width = logits.shape[:2]
    if size[0] < height or size[1] < width:
        return _choose_in_small(logits, size)
    # A pixel more at each margin, where images reach beyond the centres of the network's pixels.
    maps = np.pad(np.moveaxis(logits, -1, 0), ((0, 0), (1, 1), (1, 1)), mode="edge")
    largest = np.abs(maps).max()
    if not largest < LARGEST:
        return choose_class(logits, size)[0]
    ids, candidates = _compare_in_cells(maps, ROUNDING * largest)
    counts = candidates.sum(axis=0, dtype=np.uint8)
    if counts[counts > 1].sum() > MOST * candidates.size:
        return choose_class(logits, size)[0]
    rows, columns = _divide(size[0], height), _divide(size[1], width)
    label_map = np.repeat(np.repeat(ids, columns.counts, axis=1), rows.counts, axis=0)
    has_pixels = (rows.counts > 0)[:, None] & (columns.counts > 0)
    _choose_in_cells(label_map, maps, candidates, (counts > 1) & has_pixels, rows, columns)
    return label_map


def _choose_in_small(logits: NDArray[np.float32], size: Size) -> NDArray[np.uint8]:
    """Returns the same in NumPy, as compiling for each size takes longer than to choose for a small one."""
    resized = keras.ops.image.resize(logits[None], size, interpolation="bilinear", data_format="channels_last")[0]
    chosen: NDArray[np.uint8] = keras.ops.convert_to_numpy(resized).argmax(axis=-1).astype(np.uint8)
    return chosen


def _divide(length: int, network_length: int) -> Axis:
    """Returns how rows of an image lie between those of a network, as TensorFlow calculates it, in float32."""
    scale = np.float32(network_length) / np.float32(length)
    positions = (np.arange(length, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    before = np.floor(positions)
    counts = np.bincount(before.astype(np.intp) + 1, minlength=network_length + 1)
    return Axis(counts, np.cumsum(counts) - counts, positions - before)


def _compare_in_cells(maps: NDArray[np.float32], rounding: np.float32) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Returns of each cell a class that is high in it, and whether each class may be the highest somewhere in it.

    A class can't be the highest where its smallest distance from the highest logits is above another one's largest.

    Args:
        maps: (classes, rows + 2, columns + 2) float32, with the margins.
        rounding: Differences up to it may be due to rounding.

    Returns:
        Arrays of (rows + 1, columns + 1) uint8 class ids, and of (classes, rows + 1, columns + 1).
    """
    highest = maps.max(axis=0)
    cells = (len(maps), highest.shape[0] - 1, highest.shape[1] - 1)
    ids, reach, nearest = np.zeros(cells[1:], np.uint8), np.full(cells[1:], np.inf, np.float32), np.empty(cells, "f4")
    for index, logits in enumerate(maps):
        distance = highest - logits
        farthest = _over_corners(np.maximum, distance)
        nearest[index] = _over_corners(np.minimum, distance)
        ids[farthest < reach] = index
        reach = np.minimum(reach, farthest)
    return ids, nearest <= reach + rounding


def _over_corners(combine: np.ufunc, values: NDArray[np.float32]) -> NDArray[np.float32]:
    beside = combine(values[:, :-1], values[:, 1:])
    corners: NDArray[np.float32] = combine(beside[:-1], beside[1:])
    return corners


def _choose_in_cells(
    label_map: NDArray[np.uint8],
    maps: NDArray[np.float32],
    candidates: NDArray[np.bool_],
    cells: NDArray[np.bool_],
    rows: Axis,
    columns: Axis,
) -> None:
    """Sets the classes of all pixels of some cells, from the resized logits of the candidates of each."""
    y_cells, x_cells = np.nonzero(cells)
    order = np.argsort(candidates.sum(axis=0)[cells], kind="stable")  # those of few candidates share their chunks
    y_cells, x_cells = y_cells[order], x_cells[order]
    each, ids = np.nonzero(candidates[:, y_cells, x_cells].T)
    counts = np.bincount(each)
    first = np.cumsum(counts) - counts
    step = max(1, CHUNK // (rows.counts.max() * columns.counts.max()))
    for at in (slice(start, start + step) for start in range(0, len(counts), step)):
        y, x = rows.list_rows(y_cells[at]), columns.list_rows(x_cells[at])
        numbers = np.minimum(np.arange(counts[at][-1])[:, None], counts[at] - 1)
        classes = ids[first[at] + numbers]
        corner = (classes * maps.shape[1] + y_cells[at]) * maps.shape[2] + x_cells[at]
        chosen = _choose(maps, corner, classes, rows.parts[y][:, :, None], columns.parts[x])
        label_map.reshape(-1)[(y * label_map.shape[1])[:, :, None] + x[:, None, :]] = chosen


def _choose(
    maps: NDArray[np.float32],
    corners: NDArray[np.intp],
    classes: NDArray[np.intp],
    y_parts: NDArray[np.float32],
    x_parts: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Returns the class with the highest logit of each pixel of some cells, of equal ones the first.

    Args:
        maps: (classes, rows, columns) float32.
        corners: (number, cells) where in the maps, counted through, each class has the upper left corner of each cell.
        classes: (number, cells) ids, in ascending order; the last one may come several times.
        y_parts: (cells, rows of a cell, 1) float32.
        x_parts: (cells, columns of a cell) float32.

    Returns:
        (cells, rows of a cell, columns of a cell).
    """
    values, below = maps.reshape(-1), maps.shape[2]
    for number, (corner, ids) in enumerate(zip(corners, classes.astype(np.uint8)[:, :, None, None], strict=True)):
        upper_left, upper_right, lower_left, lower_right = (
            values[corner + offset][:, None] for offset in (0, 1, below, below + 1)
        )
        # As `resize_bilinear_op.cc` of TensorFlow does it, to the last bit.
        upper = upper_left + (upper_right - upper_left) * x_parts
        lower = lower_left + (lower_right - lower_left) * x_parts
        logits = (lower - upper)[:, None] * y_parts
        logits += upper[:, None]
        if number == 0:
            highest, chosen = logits, np.broadcast_to(ids, logits.shape).copy()
        else:
            np.copyto(chosen, ids, where=logits > highest)
            np.maximum(highest, logits, out=highest)
    return chosen
