"""A trained SegNet, and the record of what it learnt from."""

import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from roadseg.errors import FileError, InputError
from roadseg.segnet.model_record import ModelRecord, read_record

STATE = "training_state.npz"
"""Where the training state is in the file of a model."""

WEIGHTS = "model.weights.h5"
"""Where Keras saves the weights."""


@dataclass(frozen=True)
class TrainedSegNet:
    """A network together with what it learnt from.

    Attributes:
        network: Model from images to logits.
        record: What it learnt from.
        state: All that more epochs of its training depend on; None for a loaded model.
    """

    network: keras.Model
    record: ModelRecord
    state: bytes | None = None


def load_network(path: Path, name: str = "") -> keras.Model:
    """Returns the network in a `.keras` file, ready to predict.

    Args:
        path: Of the file.
        name: Its name in messages; by default its path.

    Raises:
        FileError: If it contains no network, or one that these packages can't build.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as fault:
        reason = str(fault).partition("\n")[0]
        raise FileError(f"the model in '{name or path}' can't be loaded: {reason}") from fault


def load_model(path: Path, name: str = "") -> TrainedSegNet:
    """Returns the model in a `.keras` file, ready to predict.

    Args:
        path: Of the file.
        name: Its name in messages; by default its path.

    Raises:
        FileNotFoundError: If there is no such file.
        FileError: If it is a folder, or as in `load_network`.
        InputError: If the file is not a zip archive, or its record is missing or damaged.
    """
    if path.is_dir():
        raise FileError(f"'{name or path}' is a folder, expected a .keras file")
    with path.open("rb") as file:
        record = read_record(file, name or str(path))
    return TrainedSegNet(load_network(path, name), record)


def check_classes(record: ModelRecord, classes: Sequence[str]) -> None:
    """Refuses to score a model on scenes of other classes.

    Args:
        record: Of the model.
        classes: Names of the classes of the scenes.

    Raises:
        InputError: If they are not those of the record.
    """
    learnt = ", ".join(record.class_names)
    if list(classes) != record.class_names:
        raise InputError(
            f"the model of {record.run} has other classes than the scenes: "
            f"it has {learnt}; the scenes have {', '.join(classes)}"
        )


def check_image_size(record: ModelRecord, image_size: tuple[int, int]) -> None:
    """Refuses to score a model on scenes of another size.

    Args:
        record: Of the model.
        image_size: (height, width) in pixels of the scenes.

    Raises:
        InputError: If it is not that of the record.
    """
    if tuple(image_size) != record.image_size:
        expected, received = (" x ".join(map(str, size)) for size in (record.image_size, image_size))
        raise InputError(
            f"the model of {record.run} takes images of {expected} pixels, but the scenes were prepared at {received}"
        )


def check_learnt_from(record: ModelRecord, digests: Mapping[str, str], drives: Collection[str]) -> bool:
    """Returns whether a model was trained on the data that it is to be scored on; other data must share no drive.

    Args:
        record: Of the model.
        digests: For each data set that is about to be used, the digest of its content.
        drives: The drives of that data.

    Raises:
        InputError: If a digest is not the one in the record, and a drive has the name of one that the model was
            trained on, which may be the same.
    """
    others = [name for name, digest in digests.items() if digest != record.learnt_from[name].digest]
    shared = sorted(set(drives) & set(record.training_drives))
    if others and shared:
        some = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
        raise InputError(
            f"the model of {record.run} was trained on another version of {' and '.join(others)} than the one "
            f"loaded, and {len(shared)} of the {len(set(drives))} drives here have the names of its training drives "
            f"({some}), so scenes that count as held out here may have trained it; if they are other drives, give "
            f"them other names"
        )
    return not others
