"""The checkpoint of a training that is not over: a folder, so that one that was killed goes on as if it were not."""

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
import pandas as pd
from keras import ops
from numpy.typing import NDArray

from roadseg.errors import FileError, InputError
from roadseg.reading.folder_lock import locked
from roadseg.scenes.prepared import content_digest
from roadseg.segnet import layers
from roadseg.segnet.network import view_uncompiled
from roadseg.training.recipe import AveragedWeights

FILE = "state.npz"
HISTORY = "history.csv"

WORK = "training"
"""What is done in the folder, in messages about its lock."""

REMEMBERED: Mapping[type[keras.callbacks.Callback], Sequence[str]] = {
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    AveragedWeights: ("_ema_weights_in_model",),
}
"""What callbacks know from the epochs before."""

COLUMNS = (
    "epoch",
    "loss",
    "mean_iou",
    "val_loss",
    "val_mean_iou",
    "learning_rate",
    "images_per_second",
    "seconds",
)


def remove_checkpoint(folder: Path) -> None:
    """Removes the checkpoint of a training; where another process is at it by now, that one will."""
    with suppress(FileError), locked(folder, WORK, patience=0.0):
        # Under its own name the folder could be given another lock while it goes.
        shutil.rmtree(folder.rename(folder.with_suffix(".gone")))


def _read(path: Path, content: Path | IO[bytes]) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Returns the facts in the file of a state, and the values of the variables."""
    try:
        with np.load(content) as archive:
            facts = json.loads(str(archive["facts"]))
            return facts, [archive[str(index)] for index in range(len(archive.files) - 1)]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as fault:
        raise FileError(f"'{path}' is damaged ({fault}): remove it, and the training begins anew") from fault


def lend_uncompiled(network: keras.Model) -> AbstractContextManager[keras.Model]:
    """Lends a network for its weights alone."""
    return nullcontext(view_uncompiled(network))


class Checkpoint(keras.callbacks.Callback):
    """A folder that gets after each epoch the state of the training, the weights of the best epoch, and the history.

    The state is all that the next epochs depend on: weights, moving statistics, seeds of dropout, the optimizer's
    variables, what other callbacks know, and the history. It is one file, written under another name and renamed, which
    also names the weights of the best epoch: a kill at any moment leaves the state after the last epoch that was
    finished. The history stands beside it as CSV, to be read by people. It must be the last of the callbacks.

    Attributes:
        rows: One per finished epoch, with what COLUMNS name.
    """

    def __init__(
        self,
        folder: Path,
        best: str,
        remembered: Sequence[keras.callbacks.Callback],
        view: Callable[[keras.Model], AbstractContextManager[keras.Model]] | None = lend_uncompiled,
    ) -> None:
        """Takes the folder of this training, and what to keep.

        Args:
            folder: Of this training only.
            best: Which figure is highest in the best epoch.
            remembered: Callbacks whose knowledge is kept.
            view: Lends the network whose weights are saved; None writes nothing, where another host does.
        """
        super().__init__()
        self._view = view
        self.rows: list[dict[str, float]] = []
        self._folder, self._best = folder, best
        self._remembered = [each for each in remembered if type(each) in REMEMBERED]
        self._knowledge: dict[str, dict[str, Any]] = {}

    @property
    def best_row(self) -> dict[str, float]:
        """The row of the epoch with the highest figure, of several the first."""
        return max(self.rows, key=lambda row: row[self._best])

    @property
    def best_weights(self) -> Path:
        """The file of the weights of that epoch."""
        return self._folder / name_weights(int(self.best_row["epoch"]))

    @property
    def is_stopped(self) -> bool:
        """Whether early stopping has ended the training."""
        stopping = [each for each in self._remembered if isinstance(each, keras.callbacks.EarlyStopping)]
        return any(self._knowledge.get(_name(each), {"wait": 0})["wait"] >= each.patience for each in stopping)

    @property
    def is_there(self) -> bool:
        """Whether the folder has a state."""
        return (self._folder / FILE).exists()

    def read_state(self) -> bytes:
        """Returns the state after the last epoch, which `restore` can go on from elsewhere."""
        return (self._folder / FILE).read_bytes()

    def restore(self, network: keras.Model, state: bytes | None = None) -> int:
        """Brings a compiled network to where the training was, and returns the number of epochs that are finished.

        Args:
            network: That has not trained yet.
            state: What `read_state` returned on another host, empty if there is none; None reads that in the folder.

        Raises:
            InputError: If the state is that of another network or optimizer.
            FileError: If the file is damaged.
        """
        path = self._folder / FILE
        if not (self.is_there if state is None else state):
            return 0
        facts, arrays = _read(path, path if state is None else BytesIO(state))
        variables = _variables(network)
        if [each.shape for each in arrays] != [tuple(each.shape) for each in variables]:
            raise InputError(
                f"'{path}' is the state of another network or optimizer than this version of the program and of its "
                f"packages makes of these parameters: go on with the version that wrote it, or train anew"
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.rows, self._knowledge = facts["rows"], facts["knowledge"]
        return len(self.rows)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Gives the other callbacks back what they knew; their own beginning has made them forget it."""
        for callback in self._remembered:
            vars(callback).update(self._knowledge.get(_name(callback), {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the state."""
        self.rows.append({"epoch": epoch + 1} | {name: float(value) for name, value in (logs or {}).items()})
        if self._view is None:
            return
        if self.best_row is self.rows[-1]:
            with self._view(self.model) as network:
                network.save_weights(self.best_weights)
        knowledge = {
            _name(each): {name: _plain(getattr(each, name)) for name in REMEMBERED[type(each)]}
            for each in self._remembered
        }
        facts = {"rows": self.rows, "knowledge": knowledge}
        arrays = {str(index): ops.convert_to_numpy(each) for index, each in enumerate(_variables(self.model))}
        part = self._folder / f"{FILE}.part"
        with part.open("wb") as file:
            np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
        part.replace(self._folder / FILE)
        part = self._folder / f"{HISTORY}.part"
        self.tabulate().to_csv(part, index=False)
        part.replace(self._folder / HISTORY)
        for weights in set(self._folder.glob("*.weights.h5")) - {self.best_weights}:
            weights.unlink()

    def tabulate(self) -> pd.DataFrame:
        """Returns the history: one row per epoch."""
        return pd.DataFrame(self.rows)[list(COLUMNS)].astype({"epoch": int})


def name_weights(epoch: int) -> str:
    """Returns the name of the file of the weights of an epoch, counted from 1."""
    return f"epoch{epoch:04d}.weights.h5"


def digest_code() -> str:
    """Returns 16 hexadecimal digits that change with the code that trains: the state of one is nothing to another."""
    rooms = (Path(__file__).parent, Path(layers.__file__).parent)
    return content_digest([path.read_text("utf-8") for room in rooms for path in sorted(room.glob("*.py"))])


def _variables(network: keras.Model) -> list[keras.Variable]:
    return [*network.variables, *network.optimizer.variables]


def _name(callback: keras.callbacks.Callback) -> str:
    return type(callback).__name__


def _plain(value: Any) -> float | int | None:
    """Returns a number of Python's own, which JSON can hold."""
    return value if value is None or isinstance(value, int) else float(value)
