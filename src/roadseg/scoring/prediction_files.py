"""Predictions as files, in the names and ids that the scripts of other projects read."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from pydantic import BaseModel, Field, field_validator

from roadseg.errors import InputError
from roadseg.scoring.prediction import Prediction


class PredictionFileOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How predictions are written.

    Attributes:
        written: Whether they are.
        name: Name of a file below the folder of the run; `{scene}` is the scene's id, which may hold slashes.
        ids: What is written for each class, 0..255, one per class; None writes the class ids.
    """

    written: bool
    name: str
    ids: Sequence[Annotated[int, Field(ge=0, le=255)]] | None

    @field_validator("name")
    @classmethod
    def _name_each_scene(cls, name: str) -> str:
        if "{scene}" not in name or not name.endswith(".png"):
            raise ValueError(f"a file of its own for each scene is named like '{{scene}}.png', received '{name}'")
        return name


def write_predictions(
    predictions: Iterable[Prediction], folder: Path, num_classes: int, options: PredictionFileOptions
) -> Iterator[Prediction]:
    """Yields the predictions as they come, each after its label map is written as an 8-bit grey PNG.

    Args:
        predictions: Of scenes, at any resolution; a file has that of its prediction.
        folder: Where the files go; folders are made as the scenes' ids need them.
        num_classes: Number of classes.
        options: Names and ids.

    Raises:
        InputError: If there is not one id per class.
        OSError: If a file can't be written.
    """
    ids = np.array(range(num_classes) if options.ids is None else options.ids, np.uint8)
    if len(ids) != num_classes:
        raise InputError(f"evaluate.prediction_files.ids must be {num_classes}, one per class, received {len(ids)}")
    for each in predictions:
        path = folder / options.name.replace("{scene}", each.scene)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", ids[each.label_map])[1].tobytes())
        yield each
