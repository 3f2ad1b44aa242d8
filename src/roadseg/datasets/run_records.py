"""Records of runs on disk: one JSON file per run, in one folder per data set."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path
from pydantic import AwareDatetime, BaseModel, ValidationError

from roadseg.machine import Machine
from roadseg.reading.folder import Folder, name_place
from roadseg.reading.whole_file import WholeFiles


class Place(Machine, frozen=True):
    """Where a run took place: the machine, by its name, and the process.

    Attributes:
        host: Name of the machine.
        process: Id of the process.
    """

    host: str
    process: int


class RunRecord(BaseModel, frozen=True):
    """What a run read and wrote, from what, and how it ended.

    Attributes:
        run: Its id, which is the version of all that it saved.
        state: `running` until the run ends; a run that is killed stays so.
        fault: The sentence that a failed run ended with; `SIGTERM` if that interrupted it; else None.
        started: When it began.
        seconds: How long it took, or had taken when this was written.
        command: As it was typed.
        pipelines: Names of the pipelines.
        nodes: Names of the nodes that it began, in that order.
        environment: Name of the configuration environment; empty for the default one.
        given_parameters: Parameters as the command line gave them.
        parameters: All parameters, as configuration and command line gave them.
        commit: Hash of the git commit; None outside a git checkout.
        is_dirty: Whether files differed from that commit.
        packages: Version of Python and of each installed package.
        backend: Of Keras, where it was used.
        machine: Where the run took place.
        loaded: Versioned data set -> version that was loaded.
        saved: Versioned data set -> version that was saved.
        training: What the record of a model that was trained or scored says of its training.
        digests: Data set -> hash of its content: of what was scored, or, without scores, of the training data.
        resolution: At which prediction and truth are compared; None if nothing was scored.
        runtime: What ran the network that was scored, as in the data set `scores`; None also in older records.
        scores: Split -> all scores as in the data set `scores`; None where nothing was scored.
    """

    run: str
    state: Literal["running", "done", "interrupted", "failed"]
    fault: str | None
    started: AwareDatetime
    seconds: float
    command: str
    pipelines: tuple[str, ...]
    nodes: tuple[str, ...]
    environment: str
    given_parameters: Mapping[str, Any]
    parameters: Mapping[str, Any]
    commit: str | None
    is_dirty: bool | None
    packages: Mapping[str, str]
    backend: str | None
    machine: Place
    loaded: Mapping[str, str]
    saved: Mapping[str, str]
    training: Mapping[str, Any] | None
    digests: Mapping[str, str] | None
    resolution: str | None
    runtime: Mapping[str, str] | None = None
    scores: Mapping[str, Mapping[str, Any]] | None

    @property
    def versions(self) -> dict[str, str]:
        """The version of each data set that the run used last."""
        return {**self.loaded, **self.saved}


class RunRecordsDataset(AbstractDataset[RunRecord, list[RunRecord]]):
    """Saves the record of one run, written under another name and renamed; loads those of all runs, newest first.

    Examples:
        ```yaml
        run_records:
          type: roadseg.datasets.run_records.RunRecordsDataset
          filepath: data/08_reporting/drawn/runs
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
        self._folder = Folder(WholeFiles.reached_by(protocol, credentials, fs_args), path)
        self.metadata = metadata

    @property
    def path(self) -> str:
        """Path of the folder."""
        return str(self._folder)

    def list_runs(self) -> list[str]:
        """Returns the ids of all runs, newest first, without reading their records."""
        files = (PurePosixPath(name) for name in self._folder.list_names())
        return sorted((file.stem for file in files if file.suffix == ".json"), reverse=True)

    def path_of(self, run: str, below: Path | None = None) -> str:
        """Returns the path of a run's record; below a folder of the local disk, without the name of that."""
        return name_place(self._folder.files, f"{self._folder.path}/{run}.json", below)

    def read(self, run: str) -> RunRecord:
        """Returns the record of a run.

        Raises:
            DatasetError: If its file is damaged.
        """
        content = self._folder.read(f"{run}.json")
        try:
            return RunRecord.model_validate_json(content)
        except ValidationError as fault:
            first = fault.errors()[0]
            reason = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
            raise DatasetError(f"'{self.path_of(run)}' is not a run record ({reason}); remove it") from fault

    def load(self) -> list[RunRecord]:
        """Returns the records of all runs, newest first.

        Raises:
            DatasetError: If a file is damaged.
        """
        return [self.read(run) for run in self.list_runs()]

    def create(self, data: RunRecord) -> None:
        """Writes the first record of a run.

        Raises:
            DatasetError: If there is a run of this id.
        """
        try:
            self._folder.create(f"{data.run}.json", _write(data))
        except FileExistsError as fault:
            raise DatasetError(
                f"there is a run '{data.run}' already: another run began in the same millisecond, or the clock of this "
                f"machine went back; start the run again"
            ) from fault

    def save(self, data: RunRecord) -> None:
        """Writes the record of a run in the place of the one that it has."""
        self._folder.write(f"{data.run}.json", _write(data))

    def _exists(self) -> bool:
        return bool(self.list_runs())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.path}


def _write(record: RunRecord) -> bytes:
    return record.model_dump_json(indent=1).encode()
