"""A folder that runs write into: the catalog says where it is, as for everything else."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from roadseg.reading.folder import Folder
from roadseg.reading.whole_file import WholeFiles


class FolderDataset(AbstractDataset[NoReturn, Folder]):
    """Loads as a folder; the code that writes into it makes it. Nodes get it by `Provenance.folders`.

    Examples:
        ```yaml
        training_state:
          type: roadseg.datasets.folder.FolderDataset
          filepath: data/06_models/drawn/training_state
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the path of the folder, and what fsspec needs to reach it."""
        protocol, path = get_protocol_and_path(filepath)
        self._folder, self.metadata = Folder(WholeFiles.reached_by(protocol, credentials, fs_args), path), metadata

    def load(self) -> Folder:
        """Returns the folder."""
        return self._folder

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: nodes write files into the folder themselves."""
        raise DatasetError("a folder can't be saved; load it, and write files into what this returns")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}

    def _exists(self) -> bool:
        return True
