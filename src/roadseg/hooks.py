"""What the project adds to a Kedro run: which versions it reads, provenance, what is done at its end."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from roadseg.interruption import TerminatedError, is_termination_asked_for
from roadseg.records.surroundings import find_commit

logger = logging.getLogger(__name__)


class ProvenanceHooks:
    """Tells the data set `provenance` which run it speaks of."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remembers the project, the environment and the parameters as they were given."""
        self._project, self._environment = context.project_path, context.env or ""
        self._parameters = context.config_loader["parameters"]

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, save_version: str) -> None:
        """Binds the provenance to the catalog of the run."""
        commit, is_dirty = find_commit(self._project)
        provenance: Any = catalog["provenance"]
        provenance.bind(
            catalog,
            run=save_version,
            environment=self._environment,
            commit=f"{commit}+" if is_dirty else commit,
            parameters=self._parameters,
        )


class VersionHooks:
    """Chooses at the start of a run which versions it reads of what it does not make."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Stops a run at once whose inputs are missing, and chooses the versions; first, before MLflow begins a run.

        Raises:
            ValueError: If a version is asked for of something that the run makes.
            DatasetError: If there is no version of an input, or not the one that is asked for, or if an output has the
                version of this run already.
        """
        asked_for = run_params["load_versions"] or {}
        for name in sorted(asked_for.keys() & pipeline.all_outputs()):
            raise ValueError(
                f"this run makes '{name}' itself and loads what it makes: leave out --load-versions {name}, "
                f"or the nodes that make it, for example with --pipelines evaluate"
            )
        for name in sorted(pipeline.datasets()):
            dataset = catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset):
                if name in pipeline.inputs() and not dataset.exists():
                    raise DatasetError(_describe_missing(name, dataset, run_params))
                if dataset._version is not None:
                    _choose_version(name, dataset, run_params["run_id"])


class TerminationHooks:
    """Ends a run after SIGTERM before its next node, where the node before ended by itself."""

    @hook_impl
    def before_dataset_loaded(self) -> None:
        """Lets no node begin.

        Raises:
            TerminatedError: If SIGTERM has come.
        """
        if is_termination_asked_for():
            raise TerminatedError


class TrainingStateHooks:
    """Removes what was kept of a training to go on with, once the whole run that it is part of is over."""

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Starts with nothing trained."""
        self._record: Mapping[str, Any] | None = None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Notes what the run has trained."""
        if dataset_name == "segnet_model":
            self._record = data.record

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Removes it, unless the training was interrupted."""
        if self._record is None or self._record["training"]["is_interrupted"]:
            return
        from roadseg.segnet.state import remove_state  # Keras is there: this run has trained

        state = catalog["training_state"].load() / self._record["state"]
        if state.exists():
            remove_state(state)


class ReportHooks:
    """Ends a run with the places of the pictures and tables that it made."""

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Starts with nothing made."""
        self._made: set[str] = set()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Notes what the run has made."""
        self._made.add(dataset_name)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Logs the path of each output that is a report, in the order of the nodes: `evaluation_report` comes last."""
        project = Path(run_params["project_path"])
        for name in (name for node in pipeline.nodes for name in node.outputs if name in self._made):
            dataset: Any = catalog[name]
            layer = (dataset.metadata or {}).get("kedro-viz", {}).get("layer")
            if layer == "reporting":
                path = Path(dataset._get_load_path())
                logger.info("%s: %s", name, path.relative_to(project) if path.is_relative_to(project) else path)


def _describe_missing(name: str, dataset: AbstractVersionedDataset[Any, Any], run_params: dict[str, Any]) -> str:
    """Returns the sentence that says what is missing, and which pipeline makes it."""
    if asked_for := (run_params["load_versions"] or {}).get(name):
        there = ", ".join(dataset.list_versions(full_path=False)) or "none"
        return f"there is no version '{asked_for}' of '{name}'; there are: {there}"
    if name == "segnet_model" and (foreign := (run_params["runtime_params"] or {}).get("model_of")):
        return f"there is no model of '{foreign}': nothing lies in '{dataset._filepath}'"
    maker = "train" if name in ("segnet_model", "training_history") else "prepare"
    environment = f" --env {run_params['env']}" if run_params["env"] else ""
    return f"there is no '{name}' yet: run `kedro run --pipelines {maker}{environment}` first"


def _choose_version(name: str, dataset: Any, run: str) -> None:
    """Lets a versioned data set load the newest version of those that are there now, if no other is asked for."""
    there = dataset.list_versions(full_path=False)
    if run in there:
        raise DatasetError(
            f"there is a version '{run}' of '{name}' already: another run began in the same millisecond, or the clock "
            f"of this machine went back; start the run again"
        )
    if dataset._version.load or not there:
        return
    dataset._version = dataset._version._replace(load=there[0])
    if there[0] > run:
        logger.warning(
            "The newest version of %s is %s, later than this run, as if a clock was wrong; --load-versions %s:VERSION "
            "reads another",
            name,
            there[0],
            name,
        )
