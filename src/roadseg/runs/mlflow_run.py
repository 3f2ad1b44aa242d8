"""What is logged to MLflow if kedro-mlflow is installed: parameters, tags, metrics and files."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from roadseg.datasets.run_records import RunRecord
from roadseg.scoring.differences import flatten_values

FACTS = {
    "run",
    "state",
    "fault",
    "command",
    "pipelines",
    "environment",
    "is_dirty",
    "backend",
    "digests",
    "resolution",
    "machine",
}
"""Parts of a record that become tags with the same names."""

VERSIONS = ("prepared_scenes", "split_table", "segnet_model")
"""Data sets whose versions become tags; the file of the record has the versions of all others."""

LAYERS = ("models", "reporting")
"""Layers of the catalog whose versioned files MLflow gets a copy of."""

REFUSED = re.compile(r"[^\w .:/-]")
"""Signs that MLflow does not allow in the name of a metric; a class may have any name."""

STATUSES = {"failed": "FAILED", "interrupted": "KILLED"}
"""State of a run that did not end well -> what MLflow calls it."""


class MLflowRun:
    """The run that kedro-mlflow has begun in MLflow; the record of a run is logged to it at start and end."""

    def __init__(self) -> None:
        """Starts without a run."""
        self._id: str | None = None

    def begin(self, record: RunRecord, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Logs what is known before the first node, so that a killed run has it too."""
        import mlflow  # here and below: installed only with the extra `mlflow`

        active = mlflow.active_run()
        if active is None:  # mlflow.yml can switch it off for a pipeline
            return
        self._id, self._catalog = active.info.run_id, catalog
        with _refusal_in_a_sentence():
            mlflow.log_params(list_parameters(record, pipeline), run_id=self._id)
            mlflow.set_tags(list_tags(record))

    def end(self, record: RunRecord) -> None:
        """Logs the results, how the run ended, and the files that it saved."""
        import mlflow

        if self._id is None:
            return
        with _refusal_in_a_sentence(), TemporaryDirectory() as folder:
            client = mlflow.MlflowClient()  # kedro-mlflow has ended a run that ended well, or by an error
            for name, value in list_tags(record).items():
                client.set_tag(self._id, name, value)
            if record.state in STATUSES:
                mlflow.end_run(STATUSES[record.state])
            for step, metrics in list_metrics(record):
                mlflow.log_metrics(metrics, step=step, run_id=self._id)
            copy_files(record, self._catalog, Path(folder))
            mlflow.log_artifacts(folder, run_id=self._id)


def list_parameters(record: RunRecord, pipeline: Pipeline) -> dict[str, Any]:
    """Returns dotted name -> value of the parameters that the pipeline reads or the command line gave.

    kedro-mlflow logs all options of a node as one text, which is no use for comparing runs.
    """
    read = {name.removeprefix("params:") for name in pipeline.inputs() if name.startswith("params:")}
    names = read | set(record.given_parameters)
    return flatten_values({name: value for name, value in record.parameters.items() if name in names})


def list_tags(record: RunRecord) -> dict[str, str]:
    """Returns the facts of a run, without those that it has not."""
    facts = flatten_values(record.model_dump(mode="json", include=FACTS))
    facts |= {f"version.{name}": record.versions.get(name) for name in VERSIONS}
    facts |= {"mlflow.runName": record.run, "mlflow.source.git.commit": record.commit}
    return {
        name: ", ".join(value) if isinstance(value, list) else str(value)
        for name, value in facts.items()
        if value not in (None, "", [])
    }


def list_metrics(record: RunRecord) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields step and numbers by name: those of each epoch of a training, then its outcome and all scores at step 0."""
    training = dict(record.training or {}) if "segnet_model" in record.saved else {}
    for row in training.pop("history", []):
        yield row["epoch"], _choose_numbers({name: value for name, value in row.items() if name != "epoch"})
    yield 0, _choose_numbers(flatten_values({"training": training, **(record.scores or {})}, separator="/"))


def copy_files(record: RunRecord, catalog: DataCatalog, folder: Path) -> None:
    """Copies the record, and what the run saved of models and reports, into a folder."""
    for name, version in record.saved.items():
        dataset: Any = catalog[name]
        if (dataset.metadata or {}).get("kedro-viz", {}).get("layer") in LAYERS:
            path = dataset._get_versioned_path(version)
            dataset._fs.get_file(str(path), str(folder / path.name))
    (folder / "run_record.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")


def _choose_numbers(values: dict[str, Any]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, int | float):
            allowed = REFUSED.sub("_", name)  # two names may differ only in signs that are not allowed
            choices = itertools.chain([allowed], (f"{allowed} {count}" for count in itertools.count(2)))
            numbers[next(choice for choice in choices if choice not in numbers)] = value
    return numbers


@contextmanager
def _refusal_in_a_sentence() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as fault:
        raise DatasetError(f"MLflow could not log the run: {fault}") from fault
