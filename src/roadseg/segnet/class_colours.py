"""Colours of classes for older models, whose records name classes without colours."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

import yaml

from roadseg.scenes.labels import SegmentationClass


def colour_classes(names: Sequence[str]) -> tuple[SegmentationClass, ...]:
    """Returns classes with these names, in the colours of the project's label space that has most of the names.

    Each other class gets the colour of its place in the list of PASCAL VOC, which has 255 different ones.

    Args:
        names: Names of classes in the order of their ids.
    """
    known = max(_read_label_spaces(), key=lambda space: len(space.keys() & set(names)))
    return tuple(
        SegmentationClass(name=name, colour=known.get(name, pick_voc_colour(class_id)))
        for class_id, name in enumerate(names)
    )


def pick_voc_colour(class_id: int) -> tuple[int, int, int]:
    """Returns a colour of PASCAL VOC; its first one, black, is left out.

    Args:
        class_id: 0 to 254.

    Examples:
        >>> pick_voc_colour(0), pick_voc_colour(14)
        ((128, 0, 0), (192, 128, 128))

    Reference:
        `VOClabelcolormap.m` of the VOC development kit: from its lowest bit on, the number's bits go to red, green and
        blue in turn, and fill each of these from the highest bit down.
    """
    bits = class_id + 1
    red, green, blue = (
        sum((bits >> (3 * place + channel) & 1) << (7 - place) for place in range(3)) for channel in range(3)
    )
    return red, green, blue


@cache
def _read_label_spaces() -> list[dict[str, tuple[int, int, int]]]:
    """Returns name -> colour of the classes of each label space that comes with the project."""
    files = sorted((resources.files("roadseg") / "label_spaces").iterdir(), key=lambda file: file.name)
    spaces = [yaml.safe_load(file.read_text("utf-8")) for file in files if file.name.endswith(".yml")]
    return [{each["name"]: tuple(each["colour"]) for each in space["classes"]} for space in spaces]
