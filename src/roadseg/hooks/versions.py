"""Which versions a run reads: chosen when it starts, and only versions that belong together."""

import logging
import shlex
from collections.abc import Collection, Iterable
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import AbstractVersionedDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from roadseg.datasets.model_record import name_file
from roadseg.errors import InputError
from roadseg.pipelines.graph import find_makers, find_origins, find_readers
from roadseg.reading.folder import name_place

logger = logging.getLogger(__name__)

MODEL = "segnet_model"

SOURCES = ("prepared_scenes", "split_table", MODEL)
"""What all results are made from."""


class VersionHooks:
    """Chooses, when a run starts, the versions of all that it reads and does not make."""

    def __init__(self) -> None:
        """Starts with the settings of the project itself."""
        self._options = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remembers the options with which a command finds the same settings."""
        options = ["--env", context.env] if context.env else []
        if context.config_loader.conf_source != str(context.project_path / settings.CONF_SOURCE):
            options += ["--conf-source", str(context.config_loader.conf_source)]
        self._options = "".join(f" {shlex.quote(option)}" for option in options)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog, run_params: dict[str, Any]) -> None:
        """Stops a run at once if inputs are missing, and chooses the versions; first, before MLflow begins a run.

        Raises:
            InputError: If a version is asked for of something that the run makes, or does not read.
            DatasetError: If there is no version of an input, or not the one that is asked for, if an output has the
                version of this run already, or if inputs were made from other versions than those that go with them.
        """
        inputs = _name_files(pipeline.inputs(), catalog)
        _check_asked_for(run_params["load_versions"] or {}, pipeline, inputs)
        for name in _name_files(pipeline.datasets(), catalog):
            dataset = catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset):
                if name in inputs and not dataset.exists():
                    raise DatasetError(_describe_missing(name, dataset, run_params, self._options))
                if dataset._version is not None:
                    _choose_version(name, dataset, run_params["run_id"], is_input=name in inputs)
        _check_made_together(pipeline, catalog, run_params["run_id"])


def _name_files(names: Iterable[str], catalog: DataCatalog) -> list[str]:
    return sorted({name_file(name, catalog.get(name)) for name in names})


def _check_asked_for(names: Collection[str], pipeline: Pipeline, inputs: Collection[str]) -> None:
    for name in sorted(names):
        if name in pipeline.all_outputs():
            readers = find_readers(name)
            instead = f", for example with --pipelines {readers[0]}" if readers else ""
            raise InputError(
                f"this run makes '{name}' itself and then loads it: leave out --load-versions {name}, or the "
                f"nodes that make it{instead}"
            )
        if name not in inputs:
            raise InputError(f"this run does not read '{name}': leave out --load-versions {name}")


def _describe_missing(
    name: str, dataset: AbstractVersionedDataset[Any, Any], run_params: dict[str, Any], options: str
) -> str:
    """Returns the sentence that says what is missing, and which pipeline makes it."""
    if asked_for := (run_params["load_versions"] or {}).get(name):
        there = ", ".join(dataset.list_versions(full_path=False)) or "none"
        return f"there is no version '{asked_for}' of '{name}'; there are: {there}"
    if name == MODEL and (foreign := (run_params["runtime_params"] or {}).get("model_of")):
        return f"there is no model of '{foreign}': nothing is in '{_name_folder(dataset)}'"
    makers = find_makers(name)
    if not makers:
        return f"there is no '{name}', which no pipeline makes: nothing is in '{_name_folder(dataset)}'"
    return f"there is no '{name}' yet: run `kedro run --pipelines {makers[0]}{options}` first"


def _name_folder(dataset: Any) -> str:
    return name_place(dataset._fs, str(dataset._filepath))


def _choose_version(name: str, dataset: Any, run: str, *, is_input: bool) -> None:
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
    if is_input and there[0] > run:
        logger.warning(
            "The newest version of %s, %s, is newer than this run; a clock may be wrong. --load-versions %s:VERSION "
            "reads another",
            name,
            there[0],
            name,
        )


def _check_made_together(pipeline: Pipeline, catalog: DataCatalog, run: str) -> None:
    """Refuses to mix results made from different versions of one source, as run records say.

    Without a run record, the origin is not known. A model may be read with other scenes than its training data.
    """
    records: Any = catalog["run_records"]
    recorded = set(records.list_runs())
    made_from: dict[str, dict[str, str]] = {
        source: {source: run} if source in pipeline.all_outputs() else {} for source in SOURCES
    }
    for name in _name_files(pipeline.inputs(), catalog):
        dataset: Any = catalog.get(name)
        if not isinstance(dataset, AbstractVersionedDataset) or (version := dataset.resolve_load_version()) is None:
            continue
        if name in SOURCES:
            made_from[name][name] = version
        for source in find_origins(name, SOURCES, until=MODEL) if version in recorded else ():
            if of_source := records.read(version).versions.get(source):
                made_from[source][name] = of_source
    for source, versions in made_from.items():
        if len(set(versions.values())) > 1:
            described = ", ".join(f"{name} to {version}" for name, version in versions.items())
            raise DatasetError(
                f"this run mixes results made from different versions of {source}: {described}; make all of them "
                f"again, or give the versions that belong together with --load-versions"
            )
