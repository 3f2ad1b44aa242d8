"""What is known of a data set that is drawn for tests: what it must come out as, from what is published of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


@dataclass(frozen=True)
class DataSet:
    """A row of the table in `data/table.py`.

    Attributes:
        name: Of its folder, here and in `data/01_raw`.
        draw: Draws it into a folder.
        reader: Makes Kedro's data set from the argument `filepath`.
        scenes: Published split -> ids of its scenes.
        read_names: Takes folder and id of a scene, returns the name of each pixel's raw class, read without this
            project: (height, width) text; None where the scene has no annotation.
        classes: Label space -> what each raw class becomes, None being void.
        environments: Environment in `conf` -> its label space.
        drives: How many drives train, validate and test as these environments split.
        warnings: How many there are when it is prepared so.
        find_drive: Returns the drive of a scene, from its id.
    """

    name: str
    draw: Callable[[Path], None]
    reader: Callable[..., Any]
    scenes: Mapping[str | None, Sequence[str]]
    read_names: Callable[[Path, str], np.ndarray | None]
    classes: Mapping[str, Mapping[str, str | None]]
    environments: Mapping[str, str]
    drives: tuple[int, int, int] = (0, 0, 0)
    warnings: int = 0
    find_drive: Callable[[str], str] = lambda scene: scene.split("/")[-2]

    def __str__(self) -> str:
        return self.name


def turn_round(raw_classes: Mapping[str | None, Sequence[str]]) -> dict[str, str | None]:
    """Returns raw class -> class from class -> raw classes."""
    return {raw: name for name, each in raw_classes.items() for raw in each}


def look_up(path: Path, names: Mapping[int, str]) -> np.ndarray | None:
    """Returns the names of a label map of ids as Pillow reads it; None if there is none."""
    return np.vectorize(names.__getitem__)(np.asarray(Image.open(path))) if path.exists() else None


def paint(paths: Sequence[Path], background: str) -> np.ndarray | None:
    """Returns the names of a polygon file, each object painted over those before it, as the tool of IDD does."""
    if not paths:
        return None
    content = json.loads(paths[0].read_text())
    names = [*dict.fromkeys(each["label"] for each in content["objects"]), background]
    picture = Image.new("L", (content["imgWidth"], content["imgHeight"]), len(names) - 1)
    for each in content["objects"]:
        if len(each["polygon"]) > 2 and not each.get("deleted"):
            points = [tuple(point) for point in each["polygon"]]
            ImageDraw.Draw(picture).polygon(points, fill=names.index(each["label"]))
    return np.array(names)[np.asarray(picture)]
