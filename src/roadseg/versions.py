"""Which versions a run reads: chosen at its start, and results of one model alone."""

import logging
import shlex
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines, settings
from kedro.io import AbstractVersionedDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

MODEL = "segnet_model"


class VersionHooks:
    """Chooses at the start of a run which versions it reads of what it does not make."""

    def __init__(self) -> None:
        """Starts with the settings of the project itself."""
        self._options = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remembers by which options of a command its settings are found."""
        options = ["--env", context.env] if context.env else []
        if context.config_loader.conf_source != str(context.project_path / settings.CONF_SOURCE):
            options += ["--conf-source", str(context.config_loader.conf_source)]
        self._options = "".join(f" {shlex.quote(option)}" for option in options)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Stops a run at once whose inputs are missing, and chooses the versions; first, before MLflow begins a run.

        Raises:
            ValueError: If a version is asked for of something that the run makes.
            DatasetError: If there is no version of an input, or not the one that is asked for, if an output has the
                version of this run already, or if results are of another model than the one that goes with them.
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
                    raise DatasetError(_describe_missing(name, dataset, run_params, self._options))
                if dataset._version is not None:
                    _choose_version(name, dataset, run_params["run_id"])
        _check_one_model(pipeline, catalog, run_params["run_id"])


def _describe_missing(
    name: str, dataset: AbstractVersionedDataset[Any, Any], run_params: dict[str, Any], options: str
) -> str:
    """Returns the sentence that says what is missing, and which pipeline makes it."""
    if asked_for := (run_params["load_versions"] or {}).get(name):
        there = ", ".join(dataset.list_versions(full_path=False)) or "none"
        return f"there is no version '{asked_for}' of '{name}'; there are: {there}"
    if name == "segnet_model" and (foreign := (run_params["runtime_params"] or {}).get("model_of")):
        return f"there is no model of '{foreign}': nothing lies in '{dataset._filepath}'"
    # Kedro has loaded the pipelines that are asked for alone; only evaluate can ask for what it makes itself.
    is_scoring = "evaluate" in pipelines and name in pipelines["evaluate"].all_outputs()
    maker = "evaluate" if is_scoring else "train" if name in (MODEL, "training_history") else "prepare"
    return f"there is no '{name}' yet: run `kedro run --pipelines {maker}{options}` first"


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


def _check_one_model(pipeline: Pipeline, catalog: DataCatalog, run: str) -> None:
    """Refuses to put results of one model beside another model or its results; records of runs tell which it was."""
    records: Any = catalog["run_records"]
    recorded = set(records.list_runs())
    made_with = {MODEL: run} if MODEL in pipeline.all_outputs() else {}
    for name in sorted(pipeline.inputs()):
        dataset: Any = catalog.get(name)
        if name == MODEL:
            made_with[name] = str(dataset.resolve_load_version())
        elif _belongs_to_model(name, dataset) and (version := dataset.resolve_load_version()) in recorded:
            made_with[name] = records.read(version).versions.get(MODEL)
    known = {name: model for name, model in made_with.items() if model}
    if len(set(known.values())) > 1:
        described = ", ".join(f"{name} to that of {model}" for name, model in known.items())
        raise DatasetError(
            f"this run would put together what belongs to several models: {described}; make all of it again, or give "
            f"the versions that belong together with --load-versions"
        )


def _belongs_to_model(name: str, dataset: Any) -> bool:
    layer = (getattr(dataset, "metadata", None) or {}).get("kedro-viz", {}).get("layer")
    return layer == "reporting" or name == "training_history"
