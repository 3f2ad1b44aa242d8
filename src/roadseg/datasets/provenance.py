"""What a run reads, with which settings and where it may write, given to nodes as data.

So results can name their origin, and folders that are only written to are not inputs in the graph.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NoReturn

from kedro.io import AbstractDataset, AbstractVersionedDataset, DataCatalog, DatasetError
from pydantic import BaseModel, Field, InstanceOf, ValidationError

from roadseg.machine import Machine, describe_machine
from roadseg.reading.folder import Folder

PACKAGES = ("roadseg", "kedro", "keras", "numpy", "opencv-python-headless")


class DataFacts(BaseModel, frozen=True, extra="forbid", strict=True):
    """What the metadata of raw scenes say of them, for model cards.

    Attributes:
        name: Of the data, for readers.
        terms: On which they may be used.
    """

    name: str
    terms: str


class Provenance(BaseModel, frozen=True):
    """Where the outputs of a run come from. What has a default is missing in scores of older programs.

    Attributes:
        run: Id of the run, which is the version of all that it saves.
        data_set: Name of the data set that nodes load.
        data_name: Its name for readers, as the catalog gives it.
        data_terms: The terms on which it may be used, as the catalog gives them.
        environment: Name of the configuration environment; empty for the default one.
        commit: Hash of the project's git commit, with `+` where files differ from it; None outside a git checkout.
        versions: Of each versioned data set that exists, the version that a node would load now.
        parameters: All parameters, as the configuration and the command line gave them.
        packages: Version of each package that influences results, with Keras' backend.
        machine: Where the run took place.
        folders: Name of a folder in the catalog -> the folder, which may not exist; not part of any record.
    """

    run: str
    data_set: str | None = None
    data_name: str | None = None
    data_terms: str | None = None
    environment: str = ""
    commit: str | None = None
    versions: Mapping[str, str]
    parameters: Mapping[str, Any]
    packages: Mapping[str, str] = {}
    machine: Machine | None = None
    folders: Mapping[str, InstanceOf[Folder]] = Field(default={}, exclude=True)


class ProvenanceDataset(AbstractDataset[NoReturn, Provenance]):
    """Loads as the `Provenance` of the run; the project's hooks tell it which run that is.

    Examples:
        ```yaml
        provenance:
          type: roadseg.datasets.provenance.ProvenanceDataset
          data_set: camvid
          of: [prepared_scenes, split_table, segnet_model]
          raw: raw_scenes
          folders: [training_state]
        ```
    """

    def __init__(
        self,
        *,
        data_set: str,
        of: list[str],
        folders: list[str],
        raw: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Takes the name of the raw data set, those of the entries whose versions matter, and those of folders.

        `raw` is the entry of the raw scenes, whose `metadata.data` may hold `name` and `terms`.

        Raises:
            DatasetError: If the name is no text, as YAML reads names that look like numbers.
        """
        if not isinstance(data_set, str) or not data_set:
            raise DatasetError(
                f"data_set in globals.yml names the folders of results: expected text, in quotes where it looks like a "
                f"number, received {data_set!r}"
            )
        self._data_set, self._of, self._folders, self.metadata = data_set, of, folders, metadata
        self._raw = raw
        self._catalog: DataCatalog | None = None

    def bind(
        self, catalog: DataCatalog, *, run: str, environment: str, commit: str | None, parameters: Mapping[str, Any]
    ) -> None:
        """Tells which run this is."""
        self._catalog, self._run, self._environment = catalog, run, environment
        self._commit, self._parameters = commit, parameters

    def load(self) -> Provenance:
        """Returns the provenance as of now: versions that this run has saved by now count.

        Raises:
            DatasetError: If no run was told, as outside a Kedro session, or the raw scenes have another `metadata.data`
                than a name and terms.
        """
        if self._catalog is None:
            raise DatasetError("provenance is known only inside a Kedro session")
        facts = self._read_facts(self._catalog)
        datasets = {name: self._catalog[name] for name in self._of}
        versions = {
            name: str(each.resolve_load_version())
            for name, each in datasets.items()
            if isinstance(each, AbstractVersionedDataset) and each.exists() and each.resolve_load_version()
        }
        import keras  # takes seconds, and `prepare` needs none of it

        packages = {name: version(name) for name in (*PACKAGES, keras.config.backend())}
        return Provenance(
            run=self._run,
            data_set=self._data_set,
            data_name=facts.name if facts else None,
            data_terms=facts.terms if facts else None,
            environment=self._environment,
            commit=self._commit,
            versions=versions,
            parameters=self._parameters,
            packages=packages,
            machine=describe_machine(),
            folders={name: self._catalog[name].load() for name in self._folders},
        )

    def _read_facts(self, catalog: DataCatalog) -> DataFacts | None:
        metadata = getattr(catalog[self._raw], "metadata", None) if self._raw else None
        facts = (metadata or {}).get("data")
        try:
            return None if facts is None else DataFacts.model_validate(facts)
        except ValidationError as fault:
            raise DatasetError(
                f"metadata.data of '{self._raw}' in the catalog: expected name and terms, both as text, received "
                f"{facts!r}"
            ) from fault

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: provenance is observed."""
        raise DatasetError("provenance is read only")

    def _describe(self) -> dict[str, Any]:
        return {"data_set": self._data_set, "of": self._of, "folders": self._folders, "raw": self._raw}

    def _exists(self) -> bool:
        return True
