"""Ends a run with the paths of the models, pictures and reports that it made."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from roadseg.reading.folder import name_place

logger = logging.getLogger(__name__)

NAMED = ("segnet_model", "exported_model", "predicted_pictures")
"""Outputs besides reports whose paths people need."""


class ReportHooks:
    """Ends a run with the paths of the models, pictures and reports that it made."""

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
        """Logs the paths of reports and of `NAMED`, in the order of the nodes: `evaluation_report` comes last."""
        project = Path(run_params["project_path"])
        for name in (name for node in pipeline.nodes for name in node.outputs if name in self._made):
            dataset: Any = catalog[name]
            layer = (dataset.metadata or {}).get("kedro-viz", {}).get("layer")
            if layer == "reporting" or name in NAMED:
                logger.info("%s: %s", name, name_place(dataset._fs, str(dataset._get_load_path()), project))
