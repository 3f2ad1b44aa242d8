"""What the records of runs say of a model: the command that trained it, and its newest evaluation."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from kedro.io import AbstractDataset, DataCatalog, DatasetError

from roadseg.datasets.run_records import RunRecord, RunRecordsDataset

if TYPE_CHECKING:
    import pandas as pd  # `kedro` commands that only look at the catalog need not wait for it

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EarlierEvaluation:
    """An evaluation that a run has made.

    Attributes:
        record: Of the run; its `scores` are not None.
        drive_scores: As `tabulate_drives` returned them; None where they are removed.
    """

    record: RunRecord
    drive_scores: "pd.DataFrame | None"


class ModelHistory:
    """What the runs of a data set did with one model; records are read when something asks for them."""

    def __init__(self, model: str | None, catalog: DataCatalog, names: tuple[str, str, str]) -> None:
        """Takes the version of the model, and the names of the entries of models, run records and scores of drives."""
        self._model, self._catalog = model, catalog
        self._entry, self._records, self._drive_scores = names

    def find_command(self) -> str | None:
        """Returns the command that trained the model, as it was typed; None without a readable record of it."""
        records = self._open_records()
        record = self._read(records, self._model) if self._model in records.list_runs() else None
        return record.command if record else None

    def find_evaluation(self) -> EarlierEvaluation | None:
        """Returns the newest evaluation of exactly this version of the model, or None.

        Damaged records are left out, and evaluations of its exported files.
        """
        records = self._open_records()
        for run in records.list_runs():
            record = self._read(records, run)
            is_exported = record and "exported_model" in (record.runtime or {})
            if record and record.scores and record.versions.get(self._entry) == self._model and not is_exported:
                return EarlierEvaluation(record, self._load_drive_scores(record.versions.get(self._drive_scores)))
        return None

    def _open_records(self) -> RunRecordsDataset:
        records: Any = self._catalog[self._records]
        opened: RunRecordsDataset = records
        return opened

    def _read(self, records: RunRecordsDataset, run: str | None) -> RunRecord | None:
        try:
            return records.read(str(run))
        except DatasetError as fault:
            logger.warning("The model card is written without one run record: %s", fault)
            return None

    def _load_drive_scores(self, version: str | None) -> "pd.DataFrame | None":
        tables: Any = self._catalog[self._drive_scores]
        if version not in tables.list_versions(full_path=False):
            return None
        table: pd.DataFrame = self._catalog.load(self._drive_scores, version=version)
        return table


class ModelHistoryDataset(AbstractDataset[NoReturn, ModelHistory]):
    """Loads, also without any run, as the history of the version that the model itself has.

    Examples:
        ```yaml
        model_history:
          type: roadseg.datasets.model_history.ModelHistoryDataset
          of: segnet_model
          records: run_records
          drive_scores: drive_scores
        ```
    """

    def __init__(self, *, of: str, records: str, drive_scores: str, metadata: dict[str, Any] | None = None) -> None:
        """Takes the names of the entries of the models, of the run records and of the scores of drives."""
        self._names, self.metadata = (of, records, drive_scores), metadata
        self._catalog: DataCatalog | None = None

    def bind(self, catalog: DataCatalog) -> None:
        """Tells in which catalog they are."""
        self._catalog = catalog

    def load(self) -> ModelHistory:
        """Returns the history.

        Raises:
            DatasetError: If no catalog was told, as outside a Kedro session.
        """
        if self._catalog is None:
            raise DatasetError("the history of a model is known only inside a Kedro session")
        models: Any = self._catalog[self._names[0]]
        return ModelHistory(models.resolve_load_version(), self._catalog, self._names)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: runs write their records themselves."""
        raise DatasetError("the history of a model is read only")

    def _describe(self) -> dict[str, Any]:
        return dict(zip(("of", "records", "drive_scores"), self._names, strict=True))

    def _exists(self) -> bool:
        return True
