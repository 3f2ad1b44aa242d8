"""A folder that runs write into: the catalog says where it is, as for everything else."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[NoReturn, Path]):
    """Loads as the path of a folder; the code that writes into it makes it. Nodes get it by `Provenance.folders`.

    Examples:
        ```yaml
        training_state:
          type: roadseg.datasets.folder.FolderDataset
          filepath: data/06_models/drawn/training_state
        ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Takes the path of the folder."""
        self._filepath, self.metadata = Path(filepath), metadata

    def load(self) -> Path:
        """Returns the folder's path."""
        return self._filepath

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: nodes write files into the folder themselves."""
        raise DatasetError("a folder can't be saved; load it, and write files into the path that this returns")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def _exists(self) -> bool:
        return True
