"""Random changes of training scenes: image and label map change together."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, Strict

from roadseg.scenes.labels import VOID

GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the grey of a pixel: luma of ITU-R BT.601."""

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Least = Annotated[float, Field(ge=0.25, le=1)]
Greatest = Annotated[float, Field(ge=1, le=4)]


class AugmentationOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Which changes are made, drawn again for each scene and epoch.

    The network brings each colour of an image to mean 0 and deviation 1, and so would undo any change of brightness,
    contrast or of the strength of one colour. Saturation, which mixes the colours, and gamma, which bends them, stay.

    Attributes:
        flip: Mirror every other scene, left to right.
        scale: Smallest and largest size factor, 0.25..1 and 1..4; drawn between them, its logarithm evenly. From 1 on,
        a random window of 1 / factor of both sides is enlarged to the whole. Below, the scene is shrunk and put at
            a random place; around it the image is mirrored, and the label map is void. (1, 1) = none.
        saturation: Largest change of the distance of a pixel from its grey, share: 0.3 multiplies it by 0.7..1.3;
            0 = none.
        gamma: Each colour, on 0..1, is raised to its own power in 1 / gamma..gamma, 1..4, whose logarithm is drawn
            evenly; 1 = none.
    """

    flip: bool
    # Strict pydantic takes no list for a tuple, and YAML has no tuples.
    scale: Annotated[tuple[Least, Greatest], Strict(strict=False)]
    saturation: Annotated[float, Field(ge=0, lt=1)]
    gamma: Annotated[float, Field(ge=1, le=4)]


def augment_scene(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], options: AugmentationOptions, random: np.random.Generator
) -> Pair:
    """Returns the image and the label map, changed alike, in their own sizes.

    Args:
        image: (height, width, 3) uint8, RGB.
        label_map: (height, width) uint8, class ids and `VOID`.
        options: Changes to make.
        random: Draws them; equal generators give equal changes.
    """
    if options.flip and random.random() < 0.5:
        # A view with a negative step would be copied by NumPy, which takes ten times as long.
        image, label_map = _pixels(cv2.flip(image, 1)), _pixels(cv2.flip(label_map, 1))
    if options.scale != (1, 1):
        factor = _draw_ratios(*options.scale, 1, random).item()
        image, label_map = (_enlarge if factor >= 1 else _shrink)(image, label_map, factor, random)
    if options.saturation:
        image = _saturate(image, random.uniform(1 - options.saturation, 1 + options.saturation))
    if options.gamma > 1:
        image = _bend_colours(image, _draw_ratios(1 / options.gamma, options.gamma, 3, random))
    return image, label_map


def _draw_ratios(least: float, greatest: float, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    return np.exp(random.uniform(np.log(least), np.log(greatest), count))


def _enlarge(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], factor: float, random: np.random.Generator
) -> Pair:
    height, width = label_map.shape
    rows, columns, top, left = _place_window(label_map.shape, 1 / factor, random)
    window = np.s_[top : top + rows, left : left + columns]
    return _resize(image[window], label_map[window], (height, width), cv2.INTER_LINEAR)


def _shrink(image: NDArray[np.uint8], label_map: NDArray[np.uint8], factor: float, random: np.random.Generator) -> Pair:
    height, width = label_map.shape
    rows, columns, top, left = _place_window(label_map.shape, factor, random)
    image, label_map = _resize(image, label_map, (rows, columns), cv2.INTER_AREA)
    borders = (top, height - rows - top, left, width - columns - left)
    # OpenCV mirrors again and again where a border is wider than the image.
    mirrored = cv2.copyMakeBorder(image, *borders, cv2.BORDER_REFLECT_101)
    framed = cv2.copyMakeBorder(label_map, *borders, cv2.BORDER_CONSTANT, value=VOID)
    return _pixels(mirrored), _pixels(framed)


def _place_window(size: tuple[int, ...], share: float, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Returns rows, columns, top and left of a window with a share of both sides, anywhere in `size`."""
    rows, columns = (max(1, round(side * share)) for side in size)
    top, left = random.integers((size[0] - rows + 1, size[1] - columns + 1)).tolist()
    return rows, columns, top, left


def _resize(image: NDArray[np.uint8], label_map: NDArray[np.uint8], size: tuple[int, int], interpolation: int) -> Pair:
    # All sample at pixel centres; cv2.INTER_NEAREST would move the labels by up to half a pixel.
    resized = cv2.resize(image, size[::-1], interpolation=interpolation)
    resized_map = cv2.resize(label_map, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return _pixels(resized), _pixels(resized_map)


def _saturate(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    # grey + factor * (colour - grey), written as a product of matrix and colours
    return _pixels(cv2.transform(image, factor * np.eye(3) + (1 - factor) * np.array([GREY] * 3)))


def _bend_colours(image: NDArray[np.uint8], powers: NDArray[np.float64]) -> NDArray[np.uint8]:
    levels = np.linspace(0, 1, 256)[None, :, None]  # (1, 256, 1)
    return _pixels(cv2.LUT(image, np.rint(255 * levels**powers).astype(np.uint8)))


def _pixels(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Returns the given array: OpenCV's types do not say which integers or floats it holds."""
    return np.asarray(array, np.uint8)
