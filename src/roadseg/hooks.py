"""What the project adds to a Kedro run: early checks, provenance, no half-written version, what is done at its end."""

import errno
import logging
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import AbstractVersionedDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from roadseg.records.surroundings import find_commit

logger = logging.getLogger(__name__)

RUNTIME_PARAMETER = re.compile(r"\$\{runtime_params:\s*(\w+)")


class ParameterHooks:
    """Refuses parameters that nothing reads; Kedro says nothing of a wrong name at the top level."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Compares what the command line gives with the parameter files and the catalogs of base and environment."""
        given = context.config_loader.runtime_params or {}
        source = context.config_loader.conf_source
        files = OmegaConfigLoader(conf_source=source, env=context.env, **settings.CONFIG_LOADER_ARGS)
        environments = (files.base_env, context.env or files.default_run_env)
        catalogs = [path for name in environments for path in Path(source, name).glob("**/catalog*.yml")]
        in_catalogs = {name for path in catalogs for name in RUNTIME_PARAMETER.findall(path.read_text("utf-8"))}
        known = set(files["parameters"]) | in_catalogs
        for name in sorted(set(given) - known):
            hint = get_close_matches(name, known, 1) or sorted(known)
            raise ValueError(f"there is no parameter '{name}'; did you mean {' or '.join(hint)}?")

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, run_params: dict[str, Any]) -> None:
        """Refuses to train a model in the place of that of another data set; first, before MLflow begins a run.

        Raises:
            ValueError: If a run that trains says whose model is meant.
        """
        if "model_of" in (run_params["runtime_params"] or {}) and "segnet_model" in pipeline.all_outputs():
            raise ValueError("model_of says whose model is scored: give it with --pipelines evaluate, to no training")


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


class InputHooks:
    """Stops a run at once whose inputs are missing, and says which pipeline makes them."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Looks for every versioned input of the pipeline; first, before MLflow begins a run.

        Raises:
            DatasetError: If a version that is asked for does not exist, or there is none at all.
        """
        environment = f" --env {run_params['env']}" if run_params["env"] else ""
        for name in sorted(pipeline.inputs()):
            dataset = catalog.get(name)
            if not isinstance(dataset, AbstractVersionedDataset) or dataset.exists():
                continue
            pinned = (run_params["load_versions"] or {}).get(name)
            if pinned:
                there = ", ".join(dataset.list_versions(full_path=False)) or "none"
                raise DatasetError(f"there is no version '{pinned}' of '{name}'; there are: {there}")
            maker = "train" if name in ("segnet_model", "training_history") else "prepare"
            if name == "segnet_model" and (foreign := (run_params["runtime_params"] or {}).get("model_of")):
                raise DatasetError(f"there is no model of '{foreign}': nothing lies in '{dataset._filepath}'")
            raise DatasetError(f"there is no '{name}' yet: run `kedro run --pipelines {maker}{environment}` first")


class IncompleteVersionHooks:
    """Removes the version that was being saved when a run failed, so that no later run takes it for whole."""

    def __init__(self) -> None:
        """Starts with nothing being saved."""
        self._saving: str | None = None

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        """Notes what is being saved."""
        self._saving = dataset_name

    @hook_impl
    def after_dataset_saved(self) -> None:
        """Notes that it is whole."""
        self._saving = None

    @hook_impl
    def on_pipeline_error(self, error: Exception, catalog: DataCatalog) -> None:
        """Removes what is not whole.

        Raises:
            DatasetError: If the disk is full, to say what could not be saved.
        """
        name, self._saving = self._saving, None
        if name is None:
            return
        dataset: Any = catalog[name]
        path = dataset._filepath
        version = dataset.resolve_save_version()
        if version is not None:
            path = path / version
            if dataset._fs.exists(str(path)):
                dataset._fs.rm(str(path), recursive=True)
        if _root_errno(error) == errno.ENOSPC:
            raise DatasetError(f"the disk is full: '{name}' could not be saved in '{path}'; make room and run again")


class TrainingStateHooks:
    """Removes what was kept of a training to go on with, once the whole run that it is part of is over."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Removes it, unless Ctrl-C ended the training."""
        if "segnet_model" not in pipeline.all_outputs():
            return
        model: Any = catalog["segnet_model"]
        version = model.resolve_save_version()
        if version and version not in model.list_versions(full_path=False):
            return  # with --only-missing-outputs an earlier model will do, and nothing was trained
        from roadseg.segnet.state import remove_state  # Keras is there: this run has trained

        record = model.read_record(version)
        state = catalog["training_state"].load() / record["state"]
        if state.exists() and not record["training"]["is_interrupted"]:
            remove_state(state)


class ReportHooks:
    """Ends a run with the places of its pictures and tables."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Logs the path of each output that is a report, in the order of the nodes: `evaluation_report` comes last."""
        project = Path(run_params["project_path"])
        for name in (name for node in pipeline.nodes for name in node.outputs):
            dataset: Any = catalog[name]
            layer = (dataset.metadata or {}).get("kedro-viz", {}).get("layer")
            if layer == "reporting":
                path = Path(dataset._get_load_path())
                logger.info("%s: %s", name, path.relative_to(project) if path.is_relative_to(project) else path)


def _root_errno(error: BaseException) -> int | None:
    while error.__cause__ is not None:
        error = error.__cause__
    return error.errno if isinstance(error, OSError) else None
