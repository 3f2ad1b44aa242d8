"""The record of one run, saved while it runs, so that a killed run leaves one too."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from roadseg.datasets.model_record import name_file
from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.runs.mlflow_run import MLflowRun
from roadseg.runs.surroundings import (
    describe_command,
    describe_place,
    find_backend,
    find_commit,
    list_packages,
)

logger = logging.getLogger(__name__)


class RunRecorder:
    """Around a run a context manager that sees how it ends, and for Kedro a hook that sees what it loads and saves.

    Only the context manager sees Ctrl-C, which is no error to Kedro's hooks. A run that stops before its first node,
    such as one with a wrong parameter or without its inputs, has no record.
    """

    def __init__(self, describe_fault: Callable[[BaseException], str], mirror: MLflowRun | None = None) -> None:
        """Takes what turns the fault of a run into a sentence, and who else is told what the record says."""
        self._describe_fault, self._mirror = describe_fault, mirror
        self._records: RunRecordsDataset | None = None
        self._nodes: list[str] = []
        self._loaded: dict[str, str] = {}
        self._saved: dict[str, str] = {}
        self._lock = Lock()  # runners may load and save in threads

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remembers the parameters."""
        self._parameters = context.config_loader["parameters"]

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Begins the record; last, because other hooks refuse runs."""
        commit, is_dirty = find_commit(Path(run_params["project_path"]))
        self._record = RunRecord(
            run=run_params["run_id"],
            state="running",
            fault=None,
            started=self._started,
            seconds=0,
            command=describe_command(),
            pipelines=sorted(run_params["pipeline_names"] or ["__default__"]),
            nodes=(),
            environment=run_params["env"] or "",
            given_parameters=run_params["runtime_params"],
            parameters=self._parameters,
            commit=commit,
            is_dirty=is_dirty,
            packages=list_packages(),
            backend=find_backend(),
            machine=describe_place(),
            loaded={},
            saved={},
            training=None,
            digests=None,
            resolution=None,
            scores=None,
        )
        self._catalog, self._project = catalog, Path(run_params["project_path"])
        records: Any = catalog["run_records"]
        records.create(self._record)
        self._records = records
        if self._mirror:
            self._mirror.begin(self._record, pipeline, catalog)

    @hook_impl(trylast=True)
    def before_node_run(self, node: Node) -> None:
        """Notes which node begins."""
        self._nodes.append(node.name)
        self._write()

    @hook_impl(trylast=True)
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Notes what was loaded."""
        name = name_file(dataset_name, self._catalog.get(dataset_name))
        dataset = self._catalog.get(name)
        if isinstance(dataset, AbstractVersionedDataset) and (version := dataset.resolve_load_version()):
            self._loaded[name] = version
            self._write()

    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Notes what was saved, last, because hooks before tell that it is whole; and what results say."""
        dataset = self._catalog.get(dataset_name)
        if isinstance(dataset, AbstractVersionedDataset) and (version := dataset.resolve_save_version()):
            self._saved[dataset_name] = version
            self._write()
        if dataset_name == "segnet_model":
            digests = {name: each.digest for name, each in data.record.learnt_from.items()}
            self._write(training=data.record.training.model_dump(mode="json"), digests=digests)
        if dataset_name == "scores":
            self._write(
                training=data["model"]["training"],
                digests=data["digests"],
                resolution=data["resolution"],
                runtime=data["runtime"],
                scores=data["splits"],
            )

    def __enter__(self) -> Self:
        """Starts the clock."""
        self._started, self._start = datetime.now(UTC), time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends the record, if it was begun.

        Raises:
            DatasetError: If the run ended well and its record can't be written, or the mirror does not take it.
        """
        if self._records is None:
            return
        if fault is None:
            self._end(state="done")
            logger.info("run_record: %s", self._records.path_of(self._record.run, self._project))
            return
        try:
            if isinstance(fault, KeyboardInterrupt):
                self._end(state="interrupted", fault=str(fault) or None)
            else:
                self._end(state="failed", fault=self._describe_fault(fault))
        except (DatasetError, OSError) as problem:
            logger.warning("The run record could not be completed: %s", problem)

    def _end(self, **changes: Any) -> None:
        self._write(**changes)
        if self._mirror:
            self._mirror.end(self._record)

    def _write(self, **changes: Any) -> None:
        if self._records is None:
            return
        with self._lock:
            seconds = round(time.monotonic() - self._start, 1)
            used = {"nodes": tuple(self._nodes), "loaded": dict(self._loaded), "saved": dict(self._saved)}
            self._record = self._record.model_copy(
                update={"seconds": seconds, "backend": find_backend(), **used, **changes}
            )
            self._records.save(self._record)
