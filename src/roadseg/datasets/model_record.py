"""The record in the file of a model, given to nodes that need no network."""

from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DataCatalog, DatasetError

if TYPE_CHECKING:
    from roadseg.segnet.model_record import ModelRecord  # brings Keras, which `prepare` need not wait for


class ModelRecordDataset(AbstractDataset["ModelRecord", "ModelRecord"]):
    """Loads the record of the version that the model itself has, without its network; it has no file of its own.

    Examples:
        ```yaml
        model_record:
          type: roadseg.datasets.model_record.ModelRecordDataset
          of: segnet_model
        ```
    """

    def __init__(self, *, of: str, metadata: dict[str, Any] | None = None) -> None:
        """Takes the name of the data set of the models."""
        self.of, self.metadata = of, metadata
        self._catalog: DataCatalog | None = None

    def bind(self, catalog: DataCatalog) -> None:
        """Tells in which catalog the models are."""
        self._catalog = catalog

    def load(self) -> "ModelRecord":
        """Returns the record.

        Raises:
            DatasetError: If no catalog was told, as outside a Kedro session, or there is no model.
            InputError: If the file is no zip archive or holds no record, or a damaged one.
        """
        models = self._find_models()
        record: ModelRecord = models.read_record(models.resolve_load_version())
        return record

    def save(self, data: "ModelRecord") -> None:
        """Does nothing: the model, which is saved before, holds it."""

    def _find_models(self) -> Any:
        if self._catalog is None:
            raise DatasetError("the model of a record is known only inside a Kedro session")
        return self._catalog[self.of]

    def _exists(self) -> bool:
        return bool(self._find_models().exists())

    def _describe(self) -> dict[str, Any]:
        return {"of": self.of}


def name_file(name: str, dataset: Any) -> str:
    """Returns the name of the data set that has the file of this one: its own, for a model record that of the model."""
    return dataset.of if isinstance(dataset, ModelRecordDataset) else name
