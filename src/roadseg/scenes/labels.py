"""The label space: which classes there are, and what each raw class of a data set becomes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from roadseg.errors import InputError

VOID = 255
"""Class id of pixels that are neither trained on nor counted."""

Channel = Annotated[int, Field(ge=0, le=255)]


class SegmentationClass(BaseModel, frozen=True, extra="forbid"):
    """One class: its name, any text that is not empty, and the RGB colour it is drawn in (three integers in 0..255)."""

    name: Annotated[str, Field(min_length=1)]
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
        pydantic.ValidationError: If a class name or a raw name occurs twice, or the number of classes is out of range.
    """

    classes: Annotated[tuple[MappedClass, ...], Field(min_length=2, max_length=VOID)]
    void: tuple[str, ...]

    @model_validator(mode="after")
    def _refuse_duplicates(self) -> "LabelSpace":
        raw_names = [raw for each in self.classes for raw in each.raw] + list(self.void)
        for what, names in (("class", [each.name for each in self.classes]), ("raw class", raw_names)):
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"each {what} may occur once in a label space; these occur more often: {repeated}")
        return self

    @property
    def class_ids(self) -> dict[str, int]:
        """The class id of each raw name, `VOID` for those of void."""
        class_ids = {raw: index for index, each in enumerate(self.classes) for raw in each.raw}
        return class_ids | dict.fromkeys(self.void, VOID)


def find_class_ids(column: pd.Series, class_names: Sequence[str]) -> NDArray[np.intp]:
    """Returns the class ids of the names in a column of a table.

    Args:
        column: Names of classes.
        class_names: Names in the order of the ids.

    Raises:
        InputError: If one is not the name of a class.
    """
    id_of = {name: index for index, name in enumerate(class_names)}
    codes, names = pd.factorize(column)
    if unknown := sorted(set(names) - set(id_of)):
        raise InputError(f"the classes are {list(class_names)}, received a table that names {unknown}")
    return np.array([id_of[name] for name in names], np.intp)[codes]


def remap_label_map(
    raw_label_map: NDArray[np.integer],
    raw_names: Mapping[int, str],
    label_space: LabelSpace,
    unnamed: Mapping[int, str] = MappingProxyType({}),
) -> tuple[NDArray[np.uint8], list[str]]:
    """Returns a label map in class ids, and the raw labels in it that the label space does not name.

    Args:
        raw_label_map: (height, width) integer from 0, raw ids.
        raw_names: Name of each raw id.
        label_space: What each raw name becomes.
        unnamed: What raw ids without a name are called; by default by their id.

    Returns:
        (height, width) uint8, class ids, and `VOID` also where the raw label is unknown; and the unknown raw labels:
        their names, or what they are called where they have no name.
    """
    class_ids = label_space.class_ids
    present = np.flatnonzero(np.bincount(raw_label_map.ravel()))
    table = np.full(present.max(initial=0) + 1, VOID, np.uint8)
    unknown = []
    for raw in present.tolist():
        name = raw_names.get(raw)
        if name in class_ids:
            table[raw] = class_ids[name]
        else:
            unknown.append(unnamed.get(raw, f"id {raw}") if name is None else name)
    label_map: NDArray[np.uint8] = table[raw_label_map]
    return label_map, unknown
