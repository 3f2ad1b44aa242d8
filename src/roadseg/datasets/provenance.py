"""What a run reads and with which settings, given to nodes as data: what they make can say where it came from."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from joblib import cpu_count
from kedro.io import AbstractDataset, AbstractVersionedDataset, DataCatalog, DatasetError

CPU_INFO = Path("/proc/cpuinfo")
"""Where Linux names the processor."""

PACKAGES = ("roadseg", "kedro", "keras", "numpy", "opencv-python-headless")


@dataclass(frozen=True)
class Provenance:
    """Where the outputs of a run come from.

    Attributes:
        run: Id of the run, which is the version of all that it saves.
        data_set: Name of the data set that nodes load.
        environment: Name of the configuration environment; empty for the default one.
        commit: Hash of the project's git commit, with `+` where files differ from it; None outside a git checkout.
        versions: Of each versioned data set that exists, the version that a node would load now.
        parameters: All parameters, as the configuration and the command line gave them.
        packages: Version of each package that shapes results, Keras' backend among them.
        machine: As `describe_machine` returns it.
    """

    run: str
    data_set: str
    environment: str
    commit: str | None
    versions: Mapping[str, str]
    parameters: Mapping[str, Any]
    packages: Mapping[str, str]
    machine: Mapping[str, str | int]


class ProvenanceDataset(AbstractDataset[NoReturn, Provenance]):
    """Loads as the `Provenance` of the run; the project's hooks tell it which run that is.

    Examples:
        ```yaml
        provenance:
          type: roadseg.datasets.provenance.ProvenanceDataset
          data_set: camvid
          of: [prepared_scenes, split_table, segnet_model]
        ```
    """

    def __init__(self, *, data_set: str, of: list[str], metadata: dict[str, Any] | None = None) -> None:
        """Takes the name of the raw data set, and those of the catalog entries whose versions matter.

        Raises:
            DatasetError: If the name is no text, as YAML reads names that look like numbers.
        """
        if not isinstance(data_set, str) or not data_set:
            raise DatasetError(
                f"data_set in globals.yml names the folders of results: expected text, in quotes where it looks like a "
                f"number, received {data_set!r}"
            )
        self._data_set, self._of, self.metadata = data_set, of, metadata
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
            DatasetError: If no run was told, as outside a Kedro session.
        """
        if self._catalog is None:
            raise DatasetError("provenance is known inside a Kedro session only")
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
            environment=self._environment,
            commit=self._commit,
            versions=versions,
            parameters=self._parameters,
            packages=packages,
            machine=describe_machine(),
        )

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: provenance is observed."""
        raise DatasetError("provenance is read only")

    def _describe(self) -> dict[str, Any]:
        return {"data_set": self._data_set, "of": self._of}

    def _exists(self) -> bool:
        return True


def describe_machine() -> dict[str, str | int]:
    """Returns `platform`, `processor`, `cores` (those that this process may use) and `python` of this machine."""
    return {
        "platform": platform.platform(),
        "processor": _name_processor(),
        "cores": cpu_count(),
        "python": platform.python_version(),
    }


def _name_processor() -> str:
    """Returns the model of the processor where Linux tells it, else its architecture."""
    lines = CPU_INFO.read_text("utf-8").splitlines() if CPU_INFO.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
