"""The label space: which classes there are, and what each raw class of a data set becomes."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

VOID = 255
"""Class id of pixels that are neither trained on nor counted."""

NO_ENTRY = -1
"""Value in a lookup table for raw ids that the label space does not know."""

Channel = Annotated[int, Field(ge=0, le=255)]


class SegmentationClass(BaseModel, frozen=True, extra="forbid"):
    """One class: its name and the RGB colour it is drawn in (three integers in 0..255)."""

    name: str
    colour: tuple[Channel, Channel, Channel]


class MappedClass(SegmentationClass, frozen=True, extra="forbid"):
    """A class with the names of the raw classes that become it."""

    raw: tuple[str, ...]


class LabelSpace(BaseModel, frozen=True, extra="forbid"):
    """The classes that a network learns; a class's id is its position.

    Attributes:
        classes: Two to 255 classes.
        void: Names of the raw classes that become void.

    Raises:
        pydantic.ValidationError: If a class name or a raw name stands twice, or the number of classes is out of range.
    """

    classes: Annotated[tuple[MappedClass, ...], Field(min_length=2, max_length=VOID)]
    void: tuple[str, ...]

    @model_validator(mode="after")
    def _refuse_duplicates(self) -> "LabelSpace":
        raw_names = [raw for each in self.classes for raw in each.raw] + list(self.void)
        for what, names in (("class", [each.name for each in self.classes]), ("raw class", raw_names)):
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"each {what} stands once in a label space; these stand more often: {repeated}")
        return self

    def lookup_table(self, raw_names: Mapping[int, str]) -> NDArray[np.int16]:
        """Returns the class id of each raw id.

        Args:
            raw_names: Name of each raw id of the data set.

        Returns:
            (largest raw id + 1,) int16: class id, `VOID`, or `NO_ENTRY` where this label space has no such name.
        """
        class_ids = {raw: index for index, each in enumerate(self.classes) for raw in each.raw}
        class_ids |= dict.fromkeys(self.void, VOID)
        table = np.full(max(raw_names) + 1, NO_ENTRY, np.int16)
        for raw_id, name in raw_names.items():
            table[raw_id] = class_ids.get(name, NO_ENTRY)
        return table


def remap_label_map(
    raw_label_map: NDArray[np.integer], table: NDArray[np.int16], raw_names: Mapping[int, str]
) -> NDArray[np.uint8]:
    """Returns a label map in class ids.

    Args:
        raw_label_map: (height, width) integer, raw ids.
        table: What `LabelSpace.lookup_table` made of `raw_names`.
        raw_names: Name of each raw id, for the message.

    Returns:
        (height, width) uint8, class ids and `VOID`.

    Raises:
        ValueError: If a raw id has no name in the data set, or its name no entry in the label space.
    """
    present = np.flatnonzero(np.bincount(raw_label_map.ravel()))
    unknown = [int(raw) for raw in present if not 0 <= raw < len(table) or table[raw] == NO_ENTRY]
    if unknown:
        named = ", ".join(f"{raw} ({raw_names.get(raw, 'no such id in this data set')})" for raw in unknown)
        raise ValueError(f"raw label {named} has no entry in the label space; add its name to a class or to void")
    label_map: NDArray[np.uint8] = table.astype(np.uint8)[raw_label_map]
    return label_map


def colour_label_map(label_map: NDArray[np.uint8], classes: Sequence[SegmentationClass]) -> NDArray[np.uint8]:
    """Returns a label map as an RGB picture.

    Args:
        label_map: (height, width) uint8, class ids and `VOID`.
        classes: The classes whose ids the label map holds.

    Returns:
        (height, width, 3) uint8; void is black.
    """
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(classes)] = [each.colour for each in classes]
    picture: NDArray[np.uint8] = palette[label_map]
    return picture
