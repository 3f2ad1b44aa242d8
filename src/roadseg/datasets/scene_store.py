"""The store of prepared scenes, given to the node that prepares."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles


class SceneStoreDataset(AbstractDataset[NoReturn, SceneStore]):
    """Loads as the `SceneStore` of a folder.

    Examples:
        ```yaml
        scene_store:
          type: roadseg.datasets.scene_store.SceneStoreDataset
          filepath: data/03_primary/drawn/prepared_scenes/store
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
        files = WholeFiles.reached_by(protocol, credentials, fs_args)
        self._store, self.metadata = SceneStore(files, path), metadata

    def load(self) -> SceneStore:
        """Returns the store; nothing need be in it."""
        return self._store

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: scenes are written one at a time, by those who prepare them."""
        raise DatasetError("a scene store can't be saved; load it, and put scenes into it")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._store.folder}

    def _exists(self) -> bool:
        return True
