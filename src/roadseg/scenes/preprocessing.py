"""From a raw scene to a prepared one: the size of the network's input, the classes of the label space."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PositiveInt, Strict

from roadseg.scenes.labels import LabelSpace, SegmentationClass, remap_label_map
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, content_digest
from roadseg.scenes.raw import RawScenes, Scene

PREPARATION_VERSION = 1
"""Raised whenever the same raw scene and options would give other pixels, so that stored results are not reused."""


class PrepareOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How scenes are prepared.

    Attributes:
        image_size: (height, width) in pixels of the prepared image and label map.
    """

    image_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(strict=False)]


def plan_preparation(
    raw_scenes: RawScenes, ids: Sequence[str], label_space: LabelSpace, options: PrepareOptions
) -> PreparationPlan:
    """Returns the plan that prepares scenes; nothing is read yet.

    Args:
        raw_scenes: The data set.
        ids: Which of its scenes.
        label_space: What the raw classes become.
        options: How to prepare.

    Returns:
        A plan whose `prepare` raises ValueError with the scene's id where a scene does not fit.
    """
    table = label_space.lookup_table(raw_scenes.raw_names)
    shaped_by = [PREPARATION_VERSION, options.image_size, table.tolist()]

    def prepare(scene: str) -> PreparedScene:
        try:
            return prepare_scene(raw_scenes[scene], table, raw_scenes.raw_names, options.image_size)
        except ValueError as fault:
            raise ValueError(f"scene '{scene}': {fault}") from fault

    return PreparationPlan(
        classes=tuple(SegmentationClass(name=each.name, colour=each.colour) for each in label_space.classes),
        image_size=options.image_size,
        records={scene: raw_scenes.records[scene] for scene in ids},
        digests={scene: content_digest([raw_scenes.records[scene].fingerprint, *shaped_by]) for scene in ids},
        prepare=prepare,
    )


def prepare_scene(
    scene: Scene, table: NDArray[np.int16], raw_names: Mapping[int, str], image_size: tuple[int, int]
) -> PreparedScene:
    """Returns a scene at the network's size, in class ids.

    Args:
        scene: The raw scene.
        table: Class id of each raw id, from `LabelSpace.lookup_table`.
        raw_names: Name of each raw id.
        image_size: (height, width) of the result.

    Raises:
        ValueError: If image and label map differ in size, or a raw id has no entry in the label space.
    """
    height, width = scene.image.shape[:2]
    label_map = None
    if scene.label_map is not None:
        if scene.label_map.shape != (height, width):
            raise ValueError(
                f"image and label map must have one size (height, width); "
                f"the image has {(height, width)}, the label map {scene.label_map.shape}"
            )
        label_map = resize_label_map(remap_label_map(scene.label_map, table, raw_names), image_size)
    return PreparedScene(resize_image(scene.image, image_size), label_map, raw_size=(height, width))


def resize_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns the image at `size` (height, width): by area where it shrinks, else bilinear.

    Args:
        image: (height, width, 3) uint8.
        size: (height, width) in pixels.
    """
    shrinks = size[0] <= image.shape[0] and size[1] <= image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: NDArray[np.uint8] = np.asarray(cv2.resize(image, size[::-1], interpolation=interpolation), np.uint8)
    return resized


def resize_label_map(label_map: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns the label map at `size` (height, width), each pixel from the nearest pixel centre, of two the later.

    Args:
        label_map: (height, width) uint8.
        size: (height, width) in pixels.
    """
    # OpenCV's INTER_NEAREST takes the pixel at the cell's corner, its INTER_NEAREST_EXACT rounds to 1/65536 pixel.
    rows, columns = (
        (2 * np.arange(new) + 1) * raw // (2 * new) for raw, new in zip(label_map.shape, size, strict=True)
    )
    resized: NDArray[np.uint8] = label_map[rows][:, columns]
    return resized
