"""Exported models on disk: a versioned folder."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from roadseg.datasets.versioned_folder import VersionedFolderDataset

if TYPE_CHECKING:
    from roadseg.exporting.exported_model import ExportedModel


class ExportedModelDataset(VersionedFolderDataset["ExportedModel", "ExportedModel"]):
    """Saves the files of an exported model in a folder, which is there only when it is whole, and loads them.

    Examples:
        ```yaml
        exported_model:
          type: roadseg.datasets.exported_model.ExportedModelDataset
          filepath: data/06_models/drawn/exported_model
          versioned: true
        ```
    """

    def load(self) -> "ExportedModel":
        """Returns all files of the folder."""
        from roadseg.exporting.exported_model import load_exported  # brings Keras, which `prepare` need not wait for

        return load_exported(Path(self._get_load_path()))

    def save(self, data: "ExportedModel") -> None:
        """Writes the files into another folder, and moves it to its place; what is there without a version goes."""
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            data.write(Path(folder) / path.name)
            if path.exists():
                shutil.rmtree(path)
            (Path(folder) / path.name).rename(path)
