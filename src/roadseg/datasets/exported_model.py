"""Exported models: a versioned folder."""

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

    LAST = "segnet.json"

    def load(self) -> "ExportedModel":
        """Returns all files of the folder."""
        from roadseg.exporting.exported_model import load_exported  # brings Keras, which `prepare` need not wait for

        folder = self._open(self._get_load_path())
        if folder.is_local:
            return load_exported(folder.on_disk)
        with tempfile.TemporaryDirectory() as copy:
            folder.fetch(Path(copy))
            return load_exported(Path(copy))

    def save(self, data: "ExportedModel") -> None:
        """Writes the files into another folder, and moves or copies it to its place.

        What is there without a version goes.
        """
        folder = self._open(self._get_save_path())
        if not folder.is_local:
            with tempfile.TemporaryDirectory() as copy:
                data.write(Path(copy))
                folder.replace_by(Path(copy), self.LAST)
            return
        path = folder.on_disk
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as copy:
            data.write(Path(copy) / path.name)
            if path.exists():
                shutil.rmtree(path)
            (Path(copy) / path.name).rename(path)
