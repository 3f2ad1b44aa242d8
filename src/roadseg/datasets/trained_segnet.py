"""Trained networks on disk: one `.keras` file that also holds the model record and the training state."""

import tempfile
import zipfile
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, Any

from kedro.io import DatasetError

from roadseg.datasets.versioned_file import VersionedFileDataset
from roadseg.segnet.model_record import ModelRecord, read_record, write_record
from roadseg.segnet.trained import STATE, TrainedSegNet, load_model
from roadseg.training.continuation import EarlierTraining


class TrainedSegNetDataset(VersionedFileDataset[TrainedSegNet, TrainedSegNet]):
    """Saves and loads a `TrainedSegNet`; after `import roadseg.segnet` `keras.saving.load_model` opens the file too.

    Examples:
        ```yaml
        segnet_model:
          type: roadseg.datasets.trained_segnet.TrainedSegNetDataset
          filepath: data/06_models/drawn/segnet.keras
          versioned: true
        ```
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the path of the file, ending in `.keras`, and what `VersionedFileDataset` takes.

        Raises:
            DatasetError: If the path has another ending.
        """
        if not filepath.endswith(".keras"):
            raise DatasetError(f"a trained network is saved as a .keras file, not as '{filepath}'")
        super().__init__(filepath=filepath, **arguments)

    def load(self) -> TrainedSegNet:
        """Returns the network, ready to predict, and its record."""
        path = str(self._get_load_path())
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "segnet.keras"
            self._fs.get_file(path, str(local))
            return load_model(local, path)

    def save(self, data: TrainedSegNet) -> None:
        """Writes network, record and state as one file."""
        path = str(self._get_save_path())
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "segnet.keras"
            data.network.save(local)
            with zipfile.ZipFile(local, "a") as archive:
                write_record(data.record, archive)
                if data.state is not None:
                    archive.writestr(STATE, data.state)
            self._write(path, local.read_bytes())

    def read_record(self, version: str | None) -> ModelRecord:
        """Returns the record of a version, without its network.

        Args:
            version: None where the data set has no versions.

        Raises:
            InputError: If the file is no zip archive or holds no record, or a damaged one.
        """
        with self.open(version) as file:
            return read_record(file, self.path_of(version))

    def read_training(self, version: str | None) -> EarlierTraining:
        """Returns the training of a version, to continue it.

        Raises:
            InputError: If the file is no zip archive or holds no record, or a damaged one.
        """
        return EarlierTraining(
            run=str(version),
            record=self.read_record(version),
            path=self.path_of(version),
            open=partial(self.open, version),
        )

    def path_of(self, version: str | None) -> str:
        """Returns the path of the file of a version."""
        return str(self._get_versioned_path(version) if version else self._filepath)

    def open(self, version: str | None) -> AbstractContextManager[IO[bytes]]:
        """Opens the file of a version for reading."""
        opened: AbstractContextManager[IO[bytes]] = self._fs.open(self.path_of(version), "rb")
        return opened
