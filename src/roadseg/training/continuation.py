"""A training that has ended and is to be continued: what its model holds of it, and what must not change."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from roadseg.errors import InputError
from roadseg.segnet.device import DeviceOptions
from roadseg.segnet.model_record import ModelRecord
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.trained import STATE, WEIGHTS
from roadseg.training.checkpoint import FILE, name_weights
from roadseg.training.recipe import Recipe, TrainOptions

MAY_DIFFER = {
    "epochs",
    "trial_epochs",
    "continue_from",
    "early_stopping_patience",
    "cache",
    *DeviceOptions.model_fields,
}
"""Options that may change when a training is continued: how long it takes, and what computes it."""

ADDED: Mapping[str, Any] = {}
"""Dotted name of an option that older records lack -> the value with which a training is as theirs were.

An option that is missing in a record and here too differs, whatever its value.
"""

SHAPING = ("network.architecture", "network.width")
"""Options that the shapes of weights depend on."""


@dataclass(frozen=True)
class EarlierTraining:
    """A training that has ended.

    Attributes:
        run: Version of its model.
        record: Of its model.
        path: Of the file of its model.
        open: Opens that file.
    """

    run: str
    record: ModelRecord
    path: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]

    @property
    def epochs(self) -> int:
        """Number of its epochs."""
        return self.record.training.epochs

    def check(self, options: TrainOptions, network_options: NetworkOptions, seed: int) -> None:
        """Refuses to continue if there is no state, if nothing is left to train, or if other options differ.

        Raises:
            InputError: If its model holds no state, options outside `MAY_DIFFER` differ, it has had all these epochs,
            or early stopping would end it at once.
        """
        given = _list_options(options, network_options, seed)
        differences = dict(_compare(self.record.parameters, given))
        fits = differences.keys().isdisjoint(SHAPING)
        if not self._has_state():
            raise self._refuse("its model file has no training state", fits=fits)
        if differences:
            raise self._refuse(f"it has {'; '.join(differences.values())}", fits=fits)
        if options.epochs <= self.epochs:
            raise InputError(
                f"train.continue_from: the training of {self.run} has had {self.epochs} epochs: set train.epochs above "
                f"that (with scenes.limit also train.trial_epochs), received {options.epochs}"
            )
        best, patience = self.record.training.best_epoch, options.early_stopping_patience
        if patience is not None and self.epochs - best >= patience:
            raise InputError(
                f"train.continue_from: the best of the {self.epochs} epochs of the training of {self.run} is epoch "
                f"{best}, so early stopping would end it at once: train.early_stopping_patience must be above "
                f"{self.epochs - best}, or null, received {patience}"
            )

    def check_data(self, digests: Mapping[str, str]) -> None:
        """Refuses to continue with other data.

        Args:
            digests: For each data set that it is to be trained on, the digest of its content.

        Raises:
            InputError: If one differs.
        """
        learnt_from = self.record.learnt_from
        others = [name for name, digest in digests.items() if digest != learnt_from[name].digest]
        if others:
            raise InputError(
                f"train.continue_from: the training of {self.run} used other data: "
                f"{' and '.join(others)} {'differs' if len(others) == 1 else 'differ'}"
            )

    def adapt(self, recipe: Recipe) -> Recipe:
        """Returns a recipe whose options name this training, and whose network starts from no file: the state has all.

        Args:
            recipe: As the parameters of the run have it.
        """
        network = recipe.network.model_copy(update={"start": "random"})
        return replace(recipe, network=network, options=recipe.options.model_copy(update={"continue_from": self.run}))

    def unpack(self, folder: Path) -> None:
        """Puts its state, and the weights of its best epoch, where `Checkpoint` looks for them.

        Args:
            folder: Of the training that goes on. The state, which names the weights, gets its name last.
        """
        with self.open() as file, zipfile.ZipFile(file) as archive:
            for member, name in ((WEIGHTS, name_weights(self.record.training.best_epoch)), (STATE, FILE)):
                part = folder / f"{name}.part"
                with archive.open(member) as source, part.open("wb") as target:
                    shutil.copyfileobj(source, target)
                part.replace(folder / name)

    def _refuse(self, why: str, *, fits: bool) -> InputError:
        advice = "To train this network, leave out train.continue_from"
        if fits:
            advice = (
                f"To start a new training from its weights, replace train.continue_from by network.start={self.path}"
            )
        return InputError(f"train.continue_from: the training of {self.run} cannot be continued: {why}. {advice}")

    def _has_state(self) -> bool:
        with self.open() as file, zipfile.ZipFile(file) as archive:
            return STATE in archive.namelist()


def _list_options(options: TrainOptions, network_options: NetworkOptions, seed: int) -> dict[str, Any]:
    return {
        "train": options.model_dump(mode="json", exclude=MAY_DIFFER),
        "network": network_options.model_dump(mode="json"),
        "seed": seed,
    }


def _compare(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields the dotted name of each option that differs, and the sentence on both values."""
    for name, value in now.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _compare(then.get(name, {}), value, f"{dotted}.")
        elif name not in then and dotted not in ADDED:
            yield dotted, f"no {dotted}, here {json.dumps(value)}"
        elif (earlier := then.get(name, ADDED.get(dotted))) != value:
            yield dotted, f"{dotted} {json.dumps(earlier)}, here {json.dumps(value)}"
