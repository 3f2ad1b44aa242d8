"""Pooling and unpooling in NumPy, and maps to try them on."""

import numpy as np

SIZES = [(1, 1), (2, 2), (5, 7), (15, 30), (16, 6)]


def numpy_pool(x):
    batch, height, width, channels = x.shape
    maxima = np.empty((batch, -(-height // 2), -(-width // 2), channels), x.dtype)
    indices = np.empty(maxima.shape, "uint8")
    for place in np.ndindex(*maxima.shape):
        image, row, column, channel = place
        best = None
        for position in range(4):
            y, z = 2 * row + position // 2, 2 * column + position % 2
            if y < height and z < width and (best is None or x[image, y, z, channel] > best):
                best = x[image, y, z, channel]
                indices[place] = position
        maxima[place] = best
    return maxima, indices


def numpy_unpool(values, indices, size):
    result = np.zeros((values.shape[0], *size, values.shape[3]), values.dtype)
    for image, row, column, channel in np.ndindex(*values.shape):
        position = indices[image, row, column, channel]
        y, z = 2 * row + position // 2, 2 * column + position % 2
        result[image, y, z, channel] = values[image, row, column, channel]
    return result


def images_with_ties(size, batch=3, channels=5, seed=0):
    """Small integers of both signs: most windows hold equal maxima, and no two images are alike."""
    return np.random.default_rng(seed).integers(-3, 3, (batch, *size, channels)).astype("float32")
