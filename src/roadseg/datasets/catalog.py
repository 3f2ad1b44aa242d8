"""The data catalog of the project."""

from functools import partial
from pathlib import PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog

from roadseg.datasets.versioned_folder import VersionedFolderDataset
from roadseg.reading.whole_file import WholeFiles, is_object_store


class RunCatalog(DataCatalog):
    """A data catalog that loads the versions that it has saved itself, and saves files whole.

    Kedro's own loads the newest version, which another run may have saved, perhaps with a wrong clock. To list the
    versions in an object store, it makes two requests per version.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        """Adds a data set, as `DataCatalog` does."""
        super().__setitem__(key, value)
        dataset: Any = self._datasets.get(key)
        if _is_stored_file(dataset):
            dataset._get_versions = partial(list_stored_versions, dataset)

    def save(self, ds_name: str, data: Any) -> None:
        """Saves data as `DataCatalog.save` does.

        Raises:
            DatasetError: If it can't be saved; nothing of it stays.
        """
        dataset: Any = self[ds_name]
        if isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None:
            dataset._version = dataset._version._replace(load=dataset.resolve_save_version())
        if hasattr(dataset, "_fs") and not isinstance(dataset._fs, WholeFiles):
            dataset._fs = WholeFiles(dataset._fs)
        super().save(ds_name, data)


def _is_stored_file(dataset: Any) -> bool:
    is_file = isinstance(dataset, AbstractVersionedDataset) and not isinstance(dataset, VersionedFolderDataset)
    return is_file and hasattr(dataset, "_fs") and is_object_store(dataset._fs)


def list_stored_versions(dataset: Any) -> list[str]:
    """Returns the paths of the versions of a file in an object store, newest first, by one listing.

    Args:
        dataset: A versioned data set of one file.
    """
    folder = PurePosixPath(dataset._fs._strip_protocol(str(dataset._filepath)))
    paths = [PurePosixPath(path) for path in dataset._fs.find(str(folder))]
    whole = [path for path in paths if path.name == folder.name and path.parent.parent == folder]
    return sorted(map(str, whole), reverse=True)
