"""From a raw scene to a prepared one: the size of the network's input, the classes of the label space."""

from collections.abc import Sequence
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt, Strict

from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.labels import VOID, LabelSpace, SegmentationClass, remap_label_map
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, content_digest
from roadseg.scenes.raw import RawScenes, Scene

PREPARATION_VERSION = 2
"""Raised whenever the same raw scene and options would give other pixels, so that stored results are not reused."""


class PrepareOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How scenes are prepared.

    Attributes:
        image_size: (height, width) in pixels of the prepared image and label map.
        unknown_label: What a raw label without an entry in the label space does: `error` stops, `void` makes its
            pixels void and notes it.
        unusable_share: Largest share of the scenes that may be left out because they can't be used.
        workers: Number of processes; None is one a core where the work is worth starting them.
    """

    image_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(strict=False)]
    unknown_label: Literal["error", "void"]
    unusable_share: Annotated[float, Field(ge=0, le=1)]
    workers: PositiveInt | None


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
        A plan whose `prepare` raises `UnusableSceneError` where a scene can't be used, and ValueError with the
        scene's id where a raw label is unknown and this is an error.
    """
    shaped_by = [PREPARATION_VERSION, options.image_size, options.unknown_label, label_space.class_ids]

    def prepare(scene: str) -> PreparedScene:
        try:
            return prepare_scene(raw_scenes.read(scene, options.image_size), label_space, options)
        except ValueError as fault:
            raise ValueError(f"scene '{scene}': {fault}") from fault

    return PreparationPlan(
        classes=tuple(SegmentationClass(name=each.name, colour=each.colour) for each in label_space.classes),
        image_size=options.image_size,
        records={scene: raw_scenes.records[scene] for scene in ids},
        digests={scene: content_digest([raw_scenes.records[scene].fingerprint, *shaped_by]) for scene in ids},
        prepare=prepare,
        unusable_share=options.unusable_share,
        workers=options.workers,
    )


def prepare_scene(scene: Scene, label_space: LabelSpace, options: PrepareOptions) -> PreparedScene:
    """Returns a scene at the network's size, in class ids, with its faults.

    Args:
        scene: The raw scene.
        label_space: What its raw classes become.
        options: How to prepare.

    Raises:
        ValueError: If a raw label has no entry in the label space, and this is an error.
    """
    image = resize_image(scene.image, options.image_size)
    if scene.label_map is None:
        return PreparedScene(image, None, scene.size, scene.faults)
    # Resized first: raw ids are looked up for the pixels that stay, a small part of all.
    raw_label_map = resize_label_map(scene.label_map, options.image_size)
    label_map, unknown = remap_label_map(raw_label_map, scene.raw_names, label_space)
    faults = list(scene.faults)
    if unknown:
        named = ", ".join(unknown)
        if options.unknown_label == "error":
            raise ValueError(
                f"raw label '{named}' has no entry in the label space; add its name to a class or to void, "
                f"or set prepare.unknown_label to 'void'"
            )
        faults.append(Fault(FaultKind.UNKNOWN_LABEL, named))
    if (label_map == VOID).all():
        faults.append(Fault(FaultKind.ONLY_VOID, "nothing to learn from or to score"))
    return PreparedScene(image, label_map, scene.size, tuple(faults))


def resize_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns the image at `size` (height, width): by area where it shrinks, else bilinear.

    Args:
        image: (height, width, 3) uint8.
        size: (height, width) in pixels.
    """
    height, width = image.shape[:2]
    if height % 2 == width % 2 == 0 and height >= 4 * size[0] and width >= 4 * size[1]:
        # Means of 2x2 pixels take a fifth of the time of means of any area, and differ by at most a few steps of 255.
        image = np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    shrinks = size[0] <= height and size[1] <= width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: NDArray[np.uint8] = np.asarray(cv2.resize(image, size[::-1], interpolation=interpolation), np.uint8)
    return resized


def resize_label_map(label_map: NDArray[np.integer], size: tuple[int, int]) -> NDArray[np.integer]:
    """Returns the label map at `size` (height, width), each pixel from the nearest pixel centre, of two the later.

    Args:
        label_map: (height, width) integer.
        size: (height, width) in pixels.
    """
    # OpenCV's INTER_NEAREST takes the pixel at the cell's corner, its INTER_NEAREST_EXACT rounds to 1/65536 pixel.
    rows, columns = (
        (2 * np.arange(new) + 1) * raw // (2 * new) for raw, new in zip(label_map.shape, size, strict=True)
    )
    resized: NDArray[np.integer] = label_map[rows][:, columns]
    return resized
