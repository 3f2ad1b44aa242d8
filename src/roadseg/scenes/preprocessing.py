"""From a raw scene to a prepared one: the size of the network's input, the classes of the label space."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt, Strict

from roadseg.errors import InputError
from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.labels import VOID, LabelSpace, SegmentationClass, remap_label_map
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, digest_each
from roadseg.scenes.raw import RawScenes, Scene

Pixel = TypeVar("Pixel", bound=np.generic)

PREPARATION_VERSION = 2
"""Raised whenever the same raw scene and options would give other pixels, so that stored results are not reused."""


SMALLEST_SIZE = (1, 1)
"""Size to ask for if the image is not needed: a decoder may then shrink it as far as it can."""


class NamelessLabelError(InputError):
    """A raw label without a name, which only the reader of the data set can be told."""


class PrepareOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How scenes are prepared.

    Attributes:
        image_size: (height, width) in pixels of the prepared image and label map.
        unknown_label: What a raw label without an entry in the label space does: `error` stops, `void` makes its
            pixels void and notes it.
        unusable_share: Largest share of the scenes that may be left out because they can't be used.
        workers: Number of processes; None is one per core, if the work takes long enough.
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
        A plan whose `prepare` raises `UnusableSceneError` where a scene can't be used, and InputError with the
        scene's id where a raw label is unknown and this is an error.
    """
    shaped_by = [PREPARATION_VERSION, options.image_size, options.unknown_label, label_space.class_ids]

    def prepare(scene: str) -> PreparedScene:
        try:
            return prepare_scene(raw_scenes.read(scene, options.image_size), label_space, options)
        except InputError as fault:
            raise type(fault)(f"scene '{scene}': {fault}") from fault

    records = {scene: raw_scenes.records[scene] for scene in ids}
    return PreparationPlan(
        classes=tuple(SegmentationClass(name=each.name, colour=each.colour) for each in label_space.classes),
        image_size=options.image_size,
        records=records,
        digests=dict(zip(ids, digest_each((each.fingerprint for each in records.values()), shaped_by), strict=True)),
        prepare=prepare,
        unusable_share=options.unusable_share,
        workers=options.workers if raw_scenes.is_shared else 1,
        is_remote=raw_scenes.is_remote,
    )


def prepare_scene(scene: Scene, label_space: LabelSpace, options: PrepareOptions) -> PreparedScene:
    """Returns a scene at the network's size, in class ids, with its faults.

    Args:
        scene: The raw scene.
        label_space: What its raw classes become.
        options: How to prepare.

    Raises:
        InputError: If a raw label has no entry in the label space, and this is an error.
    """
    image = resize_image(scene.image, options.image_size)
    if scene.label_map is None:
        return PreparedScene(image, None, scene.size, scene.faults)
    # Resized first: raw ids are looked up for the pixels that stay, a small part of all.
    raw_label_map = resize_label_map(scene.label_map, options.image_size)
    label_map, unknown = remap_label_map(raw_label_map, scene.raw_names, label_space, scene.unnamed)
    unknown += [each for each in scene.unnamed.values() if each not in unknown]  # where no pixel of it stayed
    faults = list(scene.faults)
    if unknown:
        if options.unknown_label == "error":
            raise _explain_unknown(scene, unknown)
        faults.append(Fault(FaultKind.UNKNOWN_LABEL, ", ".join(unknown)))
    if (label_map == VOID).all():
        faults.append(Fault(FaultKind.ONLY_VOID, "nothing to learn from or to score"))
    return PreparedScene(image, label_map, scene.size, tuple(faults))


def _explain_unknown(scene: Scene, unknown: Sequence[str]) -> InputError:
    named = set(scene.raw_names.values())
    nameless = [each for each in unknown if each not in named]
    if not nameless:
        return InputError(
            f"raw label '{', '.join(unknown)}' has no entry in the label space; add its name to a class or to void, "
            f"or set prepare.unknown_label to 'void'"
        )
    return NamelessLabelError(
        f"{', '.join(nameless)} has no name in {'raw_colours' if scene.unnamed else 'raw_names'}; set "
        f"prepare.unknown_label to 'void'"
    )


def read_truth(
    scene: str, raw_scenes: RawScenes, label_space: LabelSpace, classes: Sequence[SegmentationClass]
) -> NDArray[np.uint8]:
    """Returns the label map of a scene as large as it was annotated: (height, width) uint8, class ids and void.

    Args:
        scene: Its id.
        raw_scenes: The data set.
        label_space: What the raw classes become; raw labels that it does not name become void.
        classes: Those of the prepared scenes; the label space may have changed since then.

    Raises:
        InputError: If the label space has other classes, there is no such scene, or it has no labels.
    """
    raw, raw_label_map = _read_labelled(scene, raw_scenes, label_space, classes, SMALLEST_SIZE)
    return remap_label_map(raw_label_map, raw.raw_names, label_space)[0]


def read_pair(
    scene: str,
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    classes: Sequence[SegmentationClass],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns image and label map of a scene at another size than the prepared scenes have: (height, width, ...) uint8.

    Args:
        scene: As in `read_truth`.
        raw_scenes: As in `read_truth`.
        label_space: As in `read_truth`.
        classes: As in `read_truth`.
        size: (height, width) in pixels.

    Raises:
        InputError: As `read_truth`.
    """
    raw, raw_label_map = _read_labelled(scene, raw_scenes, label_space, classes, size)
    label_map = remap_label_map(resize_label_map(raw_label_map, size), raw.raw_names, label_space)[0]
    return resize_image(raw.image, size), label_map


def _read_labelled(
    scene: str,
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    classes: Sequence[SegmentationClass],
    least: tuple[int, int],
) -> tuple[Scene, NDArray[np.integer]]:
    """Returns a raw scene and its label map."""
    names, prepared = ([each.name for each in given] for given in (label_space.classes, classes))
    if names != prepared:
        raise InputError(f"the label space has the classes {names}, the prepared scenes have {prepared}")
    if scene not in raw_scenes:
        raise InputError(f"scene '{scene}' was prepared, but is no longer among the {len(raw_scenes)} raw scenes")
    raw = raw_scenes.read(scene, least)
    if raw.label_map is None:
        raise InputError(f"scene '{scene}' has no labels to score against")
    return raw, raw.label_map


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


def resize_label_map(label_map: NDArray[Pixel], size: tuple[int, int]) -> NDArray[Pixel]:
    """Returns the label map at `size` (height, width), each pixel from the nearest pixel centre; of two, the later one.

    Args:
        label_map: (height, width) integer, or another map whose values must not be mixed.
        size: (height, width) in pixels.
    """
    # OpenCV's INTER_NEAREST takes the pixel at the cell's corner, its INTER_NEAREST_EXACT rounds to 1/65536 pixel.
    rows, columns = (
        (2 * np.arange(new) + 1) * raw // (2 * new) for raw, new in zip(label_map.shape, size, strict=True)
    )
    resized: NDArray[Pixel] = label_map[rows][:, columns]
    return resized
