"""The model record: what the file of a model says about it, besides the network."""

import json
import zipfile
from collections.abc import Mapping
from typing import IO, Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from roadseg.errors import InputError, describe_validation
from roadseg.machine import Machine
from roadseg.scenes.labels import SegmentationClass
from roadseg.segnet.class_colours import colour_classes

RECORD = "record.json"
"""Where the record is in the file of a model."""


class LearntFrom(BaseModel, frozen=True):
    """A data set that a model learnt from.

    Attributes:
        version: Its version in the catalog.
        digest: Of its content.
    """

    version: str
    digest: str


class ContinuedFrom(BaseModel, frozen=True):
    """The training that another one continued.

    Attributes:
        run: Version of its model.
        epochs: Number of its epochs.
    """

    run: str
    epochs: int


class TrainingFacts(BaseModel, frozen=True):
    """How a training went.

    Attributes:
        epochs: Number of its epochs, with those of the training that it continued.
        best_epoch: The epoch that was kept, from 1.
        best_validation_mean_iou: Of that epoch.
        seconds: How long all epochs took.
        is_interrupted: Whether Ctrl-C or SIGTERM ended it; False for models that are older than this entry, because an
            interrupted training saved none then.
        continued_from: None if it continued none.
        history: A row per epoch, as in `training_history`; empty for older models.
    """

    epochs: int
    best_epoch: int
    best_validation_mean_iou: float
    seconds: float
    is_interrupted: bool = False
    continued_from: ContinuedFrom | None = None
    history: tuple[Mapping[str, int | float | None], ...] = ()


class StartedFrom(BaseModel, frozen=True):
    """An earlier model whose weights a training started from.

    Attributes:
        file: As `network.start` named it.
        run: Version of that model.
        learnt_from: As in its own record.
        training_drives: As in its own record.
    """

    file: str
    run: str
    learnt_from: Mapping[str, LearntFrom]
    training_drives: tuple[str, ...]


def _add_colours(classes: Any) -> Any:
    are_names = isinstance(classes, list) and all(isinstance(each, str) for each in classes)
    return colour_classes(classes) if are_names else classes


class ModelRecord(BaseModel, frozen=True):
    """What a model says about itself. Records of older models lack what has a default here.

    Attributes:
        run: The run that trained it, and so its version.
        data_set: Name of the data set that it learnt from.
        data_name: Its name for readers.
        data_terms: The terms on which it may be used.
        licence: Of the model, as its owner gave it.
        licence_name: Of one that is `other`.
        licence_link: Where its text is.
        commit: Hash of the project's git commit, with `+` where files differed; None outside a git checkout.
        environment: Name of the configuration environment; empty for the default one.
        learnt_from: Catalog entry -> version and content that it learnt from.
        classes: Names and colours in the order of the ids. Older records hold only names: see `colour_classes`.
        image_size: (height, width) in pixels of the images that it takes.
        training_drives: Names of the drives that it was trained on.
        parameters: All parameters of the run.
        packages: Version of each package that influences results.
        machine: Where it was trained.
        num_parameters: Numbers that the network consists of.
        training: How that went.
        state: Name of the folder of the checkpoint of its training.
        started_from: The earlier model that its weights started from.
        temperature: Above 0; divides the logits before the softmax, so that of pixels with confidence p the share p is
        right.
    """

    run: str
    data_set: str | None = None
    data_name: str | None = None
    data_terms: str | None = None
    licence: str | None = None
    licence_name: str | None = None
    licence_link: str | None = None
    commit: str | None = None
    environment: str
    learnt_from: Mapping[str, LearntFrom]
    classes: Annotated[tuple[SegmentationClass, ...], BeforeValidator(_add_colours)]
    image_size: tuple[int, int]
    training_drives: tuple[str, ...]
    parameters: Mapping[str, Any]
    packages: Mapping[str, str]
    machine: Machine | None = None
    num_parameters: int | None = None
    training: TrainingFacts
    state: str | None = None
    started_from: StartedFrom | None = None
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @property
    def class_names(self) -> list[str]:
        """Names of the classes in the order of their ids."""
        return [each.name for each in self.classes]


def write_record(record: ModelRecord, archive: zipfile.ZipFile) -> None:
    """Adds a record to the `.keras` file of its model."""
    archive.writestr(RECORD, json.dumps(record.model_dump(mode="json"), indent=2))


def read_record(file: IO[bytes], path: str) -> ModelRecord:
    """Returns the record in a `.keras` file, without its network.

    Args:
        file: The open file.
        path: Its name in messages.

    Raises:
        InputError: If the file is not a zip archive, or its record is missing or damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if RECORD not in archive.namelist():
                raise InputError(f"'{path}' contains no {RECORD}: it was not saved by this project")
            return ModelRecord.model_validate_json(archive.read(RECORD))
    except zipfile.BadZipFile as fault:
        raise InputError(f"'{path}' is not a zip archive, as a .keras file must be: cut off or damaged") from fault
    except ValidationError as fault:
        raise InputError(f"the {RECORD} in '{path}' is damaged: {describe_validation(fault)}") from fault
