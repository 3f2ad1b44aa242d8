"""What the project adds to a Kedro run: provenance, and what is done at its end."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
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
