"""Images of another size than the network's, in TensorFlow's own operators."""

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from roadseg.exporting.resampling import COLUMNS, ROWS, Areas, Neighbours, Size, Taps, Windows, plan_resizing
from roadseg.segnet.backend import Tensor


def resize_images(images: Tensor, size: Size, new: Size) -> Tensor:
    """Returns what `resize_image` returns.

    Args:
        images: (batch, height, width, 3) float32, whole numbers 0..255.
        size: (height, width) in pixels.
        new: The same of the result.
    """
    import tensorflow as tf

    for step in plan_resizing(size, new):
        match step:
            case Windows():
                images = _average_windows(images, step)
            case Areas():
                images = tf.round(_add_up(_weigh(_add_up(_weigh(images, step.columns, COLUMNS)), step.rows, ROWS)))
            case Neighbours():
                images = _interpolate(images, step)
    return images


def _average_windows(images: Tensor, windows: Windows) -> Tensor:
    import tensorflow as tf

    within = _add_up([images[:, row :: windows.height] for row in range(windows.height)])
    mean = _add_up([within[:, :, column :: windows.width] for column in range(windows.width)]) * windows.scale
    return tf.floor(mean + 0.5) if windows.rounds_halves_up else tf.round(mean)


def _interpolate(images: Tensor, neighbours: Neighbours) -> Tensor:
    """Returns the result of integer arithmetic in float32, which is exact up to 2^24."""
    import tensorflow as tf

    rounded = tf.floor(_add_up(_weigh(images, neighbours.columns, COLUMNS)) / 16)
    # Its products with the weights of rows may be larger, so it is split into a multiple of 256 and the rest.
    high = tf.floor(rounded / 256)
    split = zip(*(_weigh(each, neighbours.rows, ROWS) for each in (high, rounded - 256 * high)), strict=True)
    products = [tf.floor((upper + tf.floor(lower / 256)) / 256) for upper, lower in split]
    return tf.floor((_add_up(products) + 2) / 4)


def _weigh(images: Tensor, taps: Taps, axis: int) -> list[Tensor]:
    """Returns the product of each tap."""
    import tensorflow as tf

    shape = (-1, 1, 1) if axis == ROWS else (-1, 1)
    pairs = zip(taps.positions.astype(np.int32), taps.weights, strict=True)
    return [tf.gather(images, positions, axis=axis) * weights.reshape(shape) for positions, weights in pairs]


def _add_up(terms: Sequence[Tensor]) -> Tensor:
    """Returns the sum of terms, in their order."""
    return reduce(add, terms)
