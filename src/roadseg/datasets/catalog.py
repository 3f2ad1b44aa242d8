"""The data catalog of the project."""

from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog

from roadseg.reading.whole_file import WholeFiles


class RunCatalog(DataCatalog):
    """A data catalog that loads the versions that it has saved itself, and saves files whole.

    Kedro's own loads the newest version, which another run may have saved, perhaps with a wrong clock.
    """

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
