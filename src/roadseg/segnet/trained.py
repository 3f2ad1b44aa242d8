"""A trained SegNet, and the record of what it learnt from."""

import json
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import keras

from roadseg.errors import InputError
from roadseg.segnet.folding import fold_batch_norms

RECORD = "record.json"
"""Where the file of a network holds its record."""

STATE = "training_state.npz"
"""Where it holds what a training that goes on starts from."""

WEIGHTS = "model.weights.h5"
"""Where Keras puts the weights."""


@dataclass(frozen=True)
class TrainedSegNet:
    """A network together with what it learnt from.

    Attributes:
        network: Model from images to logits.
        record: JSON-like: `run` (the model's version), `data_set` (its name), `environment`, `commit`, `learnt_from`
            (for each catalog entry its `version` and the `digest` of its content), `classes`, `image_size`,
            `training_drives`, `parameters`, `packages`, `machine`, `training` (epochs, time, whether it was
            interrupted, `run` and `epochs` of what it was `continued_from`, and `history`, a row an epoch), `state`
            (the folder of what was kept to go on with), `started_from` (of an earlier model its `file`, `run`,
            `learnt_from` and `training_drives`).
        state: What `TrainingState` wrote after the last epoch of its training; None of a model that was loaded.
    """

    network: keras.Model
    record: Mapping[str, Any]
    state: bytes | None = None

    @cached_property
    def predictor(self) -> keras.Model:
        """The network for prediction alone, its batch norms folded: faster, and equal up to rounding."""
        return fold_batch_norms(self.network)


def load_network(path: Path) -> keras.Model:
    """Returns the network in a `.keras` file, ready to predict."""
    return keras.saving.load_model(path, compile=False)


def read_record(file: IO[bytes], path: str) -> dict[str, Any]:
    """Returns the record in a `.keras` file, without its network.

    Args:
        file: The open file.
        path: Its name in messages.

    Raises:
        InputError: If the file is no zip archive or holds no record.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if RECORD not in archive.namelist():
                raise InputError(f"'{path}' holds no {RECORD}: it was not saved by this project")
            record: dict[str, Any] = json.loads(archive.read(RECORD))
            return record
    except zipfile.BadZipFile as fault:
        raise InputError(f"'{path}' is no zip archive, as a .keras file must be: cut off or damaged") from fault


def check_fits(record: Mapping[str, Any], classes: Sequence[str], image_size: tuple[int, int]) -> None:
    """Refuses to score a model on scenes of other classes or another size.

    Args:
        record: Of the model.
        classes: Names of the classes of the scenes.
        image_size: (height, width) in pixels of the scenes.

    Raises:
        InputError: If they are not those of the record.
    """
    learnt = ", ".join(record["classes"])
    if list(classes) != list(record["classes"]):
        raise InputError(
            f"the model of {record['run']} tells other classes apart than the scenes have: "
            f"it knows {learnt}; the scenes have {', '.join(classes)}"
        )
    if tuple(image_size) != tuple(record["image_size"]):
        expected, received = (" x ".join(map(str, size)) for size in (record["image_size"], image_size))
        raise InputError(
            f"the model of {record['run']} sees images of {expected} pixels, and the scenes were prepared at "
            f"{received}: prepare them at its size with --params 'prepare.image_size=[{expected.replace(' x ', ',')}]'"
        )


def check_learnt_from(record: Mapping[str, Any], digests: Mapping[str, str], drives: Collection[str]) -> bool:
    """Returns whether a model learnt from the data that it is about to be scored on; other data must be foreign to it.

    Args:
        record: Of the model.
        digests: For each data set that is about to be used, the digest of its content.
        drives: The drives of that data.

    Raises:
        InputError: If a digest is not the one in the record, and a drive has the name of one that the model was
            trained on, which may be the same; the message ends in the command that fits.
    """
    learnt_from = record["learnt_from"]
    others = [name for name, digest in digests.items() if digest != learnt_from[name]["digest"]]
    shared = sorted(set(drives) & set(record["training_drives"]))
    if others and shared:
        versions = {"segnet_model": record["run"]} | {name: each["version"] for name, each in learnt_from.items()}
        pins = ",".join(f"{name}:{version}" for name, version in versions.items())
        some = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
        environment = f" --env {record['environment']}" if record["environment"] else ""
        raise InputError(
            f"the model of {record['run']} was trained with another version of {' and '.join(others)} than the one "
            f"loaded, and {len(shared)} of the {len(set(drives))} drives here have the names of drives that trained "
            f"it ({some}), so scenes that count as held out here may have trained it; if they are other drives, give "
            f"them other names, else evaluate the model on its own data with\n"
            f"  kedro run --pipelines evaluate{environment} --load-versions {pins}"
        )
    return not others
