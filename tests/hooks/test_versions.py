"""Which versions a run reads; what it says when they are missing is tested in runs/test_faults.py."""

import logging
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.project import configure_project, pipelines
from kedro.io import DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.runner import AbstractRunner, SequentialRunner, ThreadRunner

from roadseg.datasets.catalog import RunCatalog
from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.hooks.report import ReportHooks
from roadseg.hooks.versions import VersionHooks

EARLIER, LATER, RUN = "2026-01-29T10.20.30.000Z", "2026-01-30T10.20.30.000Z", "2026-01-31T10.20.30.000Z"
FUTURE = "2099-01-01T00.00.00.000Z"


def table(cell: str) -> pd.DataFrame:
    return pd.DataFrame({"cell": [cell]})


def put(folder: Path, name: str, version: str, cell: str) -> None:
    path = folder / f"{name}.csv" / version / f"{name}.csv"
    path.parent.mkdir(parents=True)
    table(cell).to_csv(path, index=False)


def read(folder: Path, name: str, version: str = RUN) -> str:
    return str(pd.read_csv(folder / f"{name}.csv" / version / f"{name}.csv")["cell"][0])


def run_two_nodes(
    folder: Path,
    runner: AbstractRunner | None = None,
    *,
    make: Callable[[pd.DataFrame], pd.DataFrame] = lambda source: table("made of " + source["cell"][0]),
    pins: dict[str, str] | None = None,
    **options: Any,
) -> None:
    """Runs source -> made -> result, which reads the source as well."""
    reporting = {"kedro-viz": {"layer": "reporting"}}
    entries = {
        name: {
            "type": "pandas.CSVDataset",
            "filepath": str(folder / f"{name}.csv"),
            "versioned": True,
            "save_args": {"index": False},
            "metadata": reporting,
        }
        for name in ("source", "made", "result")
    }
    entries["run_records"] = {
        "type": "roadseg.datasets.run_records.RunRecordsDataset",
        "filepath": str(folder / "runs"),
    }
    catalog = RunCatalog.from_config(entries, load_versions=pins, save_version=RUN)
    pipeline = Pipeline(
        [
            Node(make, "source", "made", name="make"),
            Node(
                lambda made, source: table(f"{made['cell'][0]}, with {source['cell'][0]}"),
                ["made", "source"],
                "result",
                name="join",
            ),
        ]
    )
    manager = _create_hook_manager()
    for hooks in (VersionHooks(), ReportHooks()):
        manager.register(hooks)
    params = {"run_id": RUN, "load_versions": pins, "runtime_params": {}, "env": None, "project_path": str(folder)}
    manager.hook.before_pipeline_run(run_params=params, pipeline=pipeline, catalog=catalog)
    with warnings.catch_warnings(action="error"):  # Kedro warns where what is loaded is not what was saved
        (runner or SequentialRunner()).run(pipeline, catalog, manager, run_id=RUN, **options)
    manager.hook.after_pipeline_run(run_params=params, run_result={}, pipeline=pipeline, catalog=catalog)


@pytest.mark.parametrize(
    "runner", [SequentialRunner(), SequentialRunner(is_async=True), ThreadRunner()], ids=["plain", "async", "threads"]
)
def test_a_run_loads_what_it_made_though_another_version_is_newer(
    tmp_path: Path, runner: AbstractRunner, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "made", EARLIER, "earlier")
    put(tmp_path, "made", FUTURE, "of another clock")
    with caplog.at_level(logging.WARNING):
        run_two_nodes(tmp_path, runner)
    assert read(tmp_path, "result") == "made of a, with a"
    assert "newer than this run" not in caplog.text  # nobody reads that version


def test_a_run_loads_what_it_made_though_another_run_saves_in_between(tmp_path: Path) -> None:
    put(tmp_path, "source", EARLIER, "a")

    def make(source: pd.DataFrame) -> pd.DataFrame:
        put(tmp_path, "made", "2026-01-31T10.20.31.000Z", "of another run")
        put(tmp_path, "source", "2026-01-31T10.20.31.000Z", "b")
        return table("mine")

    run_two_nodes(tmp_path, make=make)
    assert read(tmp_path, "result") == "mine, with a"


def test_the_newest_input_is_read_and_one_later_than_the_run_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "source", FUTURE, "b")
    with caplog.at_level(logging.WARNING):
        run_two_nodes(tmp_path)
    assert read(tmp_path, "result") == "made of b, with b"
    assert f"The newest version of source, {FUTURE}, is newer than this run" in caplog.text


def test_a_pinned_input_is_read(tmp_path: Path) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "source", "2026-01-31T00.00.00.000Z", "b")
    run_two_nodes(tmp_path, pins={"source": EARLIER})
    assert read(tmp_path, "result") == "made of a, with a"


def test_a_version_of_what_the_run_makes_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "made", EARLIER, "earlier")
    with pytest.raises(ValueError, match="this run makes 'made' itself"):
        run_two_nodes(tmp_path, pins={"made": EARLIER})


def test_a_run_whose_version_is_there_already_does_not_begin(tmp_path: Path) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "result", RUN, "of a run in the same millisecond")
    with pytest.raises(DatasetError, match=r"a version '2026-01-31T10\.20\.30\.000Z' of 'result' already"):
        run_two_nodes(tmp_path)
    assert not (tmp_path / "made.csv").exists()


def test_only_missing_outputs_are_made_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "source", EARLIER, "a")
    put(tmp_path, "made", EARLIER, "earlier")
    with caplog.at_level(logging.INFO):
        run_two_nodes(tmp_path, only_missing_outputs=True)
    assert read(tmp_path, "result") == "earlier, with a"
    assert [line.split(":")[0] for line in caplog.messages if ".csv" in line] == ["result"]


def join(
    folder: Path,
    names: Sequence[str],
    outputs: str = "picture",
    pins: dict[str, str] | None = None,
    hooks: VersionHooks | None = None,
) -> None:
    """Begins a run of one node that reads some data sets."""
    entries = {
        name: {
            "type": "pandas.CSVDataset",
            "filepath": str(folder / f"{name}.csv"),
            "versioned": True,
        }
        for name in {*names, outputs, *(pins or {})}
    }
    if "model_record" in names:
        entries["segnet_model"] = entries.pop("model_record") | {"filepath": str(folder / "segnet_model.csv")}
        entries["model_record"] = {
            "type": "roadseg.datasets.model_record.ModelRecordDataset",
            "of": "segnet_model",
        }
    entries["run_records"] = {
        "type": "roadseg.datasets.run_records.RunRecordsDataset",
        "filepath": str(folder / "runs"),
    }
    catalog = RunCatalog.from_config(entries, load_versions=pins, save_version=RUN)
    params = {"run_id": RUN, "load_versions": pins, "runtime_params": {}, "env": None}
    (hooks or VersionHooks()).before_pipeline_run(
        Pipeline([Node(lambda *_: None, list(names), outputs, name="join")]), catalog, params
    )


def test_what_is_missing_is_told_with_the_pipeline_that_makes_it(tmp_path: Path) -> None:
    configure_project("roadseg")
    named = {name: each for name, each in pipelines.items() if name != "__default__"}
    makers = {output: name for name, each in named.items() for output in each.all_outputs()}
    read = {name for each in named.values() for name in each.all_inputs() if name in makers}
    assert {makers[name] for name in read} == {"prepare", "train", "evaluate", "export", "predict"}
    for name in read:
        pipelines.set_requested(["evaluate"])  # as a run that asks for one pipeline
        file = "segnet_model" if name == "model_record" else name
        with pytest.raises(DatasetError, match=f"no '{file}' yet: run `kedro run --pipelines {makers[name]}` first"):
            join(tmp_path, [name])


def test_a_split_is_made_again_without_waiting_for_the_other_pipelines(two_preparations: Path) -> None:
    put(two_preparations, "scene_index", EARLIER, "a")
    pipelines.set_requested(["prepare"])
    join(two_preparations, ["scene_index", "prepared_scenes"], "split_table", pins={"prepared_scenes": EARLIER})
    assert list(pipelines) == ["prepare"]


def test_a_run_that_reads_a_model_record_reads_a_version_of_the_model(tmp_path: Path) -> None:
    configure_project("roadseg")
    with pytest.raises(DatasetError, match="no 'segnet_model' yet: run `kedro run --pipelines train` first"):
        join(tmp_path, ["model_record"])
    put(tmp_path, "segnet_model", EARLIER, "a")
    join(tmp_path, ["model_record"], pins={"segnet_model": EARLIER})
    with pytest.raises(DatasetError, match=f"no version '{LATER}' of 'segnet_model'; there are: {EARLIER}"):
        join(tmp_path, ["model_record"], pins={"segnet_model": LATER})
    put(tmp_path, "segnet_model", RUN, "b")
    with pytest.raises(DatasetError, match=f"a version '{RUN}' of 'segnet_model' already"):
        join(tmp_path, ["model_record"])


def test_what_no_pipeline_makes_is_told_with_its_place(tmp_path: Path) -> None:
    configure_project("roadseg")
    with pytest.raises(DatasetError, match=f"no 'depths', which no pipeline makes: nothing is in '{tmp_path}/depths"):
        join(tmp_path, ["depths"])


def test_instead_of_a_version_of_what_the_run_makes_a_pipeline_that_reads_it_is_named(tmp_path: Path) -> None:
    configure_project("roadseg")
    with pytest.raises(ValueError, match=r"nodes that make it, for example with --pipelines evaluate$"):
        join(tmp_path, ["prepared_scenes"], outputs="segnet_model", pins={"segnet_model": EARLIER})


@pytest.mark.parametrize(
    ("environment", "source", "options"),
    [
        (None, "conf", ""),
        ("mine", "conf", " --env mine"),
        ("my data", "my conf.zip", " --env 'my data' --conf-source '{folder}/my conf.zip'"),
    ],
)
def test_advice_has_the_options_by_which_the_settings_are_found(
    tmp_path: Path, environment: str | None, source: str, options: str
) -> None:
    hooks = VersionHooks()
    loader = SimpleNamespace(conf_source=str(tmp_path / source))
    context: Any = SimpleNamespace(env=environment, project_path=tmp_path, config_loader=loader)
    hooks.after_context_created(context)
    sentence = f"run `kedro run --pipelines train{options.format(folder=tmp_path)}` first"
    with pytest.raises(DatasetError, match=re.escape(sentence)):
        join(tmp_path, ["segnet_model"], hooks=hooks)


@pytest.fixture
def two_models(tmp_path: Path, run_record: Callable[..., RunRecord]) -> Path:
    """A run has trained and scored, a later one has only trained."""
    configure_project("roadseg")
    records = RunRecordsDataset(filepath=str(tmp_path / "runs"))
    for name in ("segnet_model", "training_history", "scores", "split_table"):
        put(tmp_path, name, EARLIER, "a")
    records.save(
        run_record(EARLIER, saved=dict.fromkeys(("segnet_model", "training_history", "scores", "split_table"), EARLIER))
    )
    put(tmp_path, "segnet_model", LATER, "b")
    records.save(run_record(LATER, saved={"segnet_model": LATER}, loaded={"split_table": EARLIER}))
    return tmp_path


@pytest.mark.parametrize("result", ["scores", "training_history"])
def test_results_of_one_model_are_not_put_beside_another(two_models: Path, result: str) -> None:
    told = sorted([f"{result} to {EARLIER}", f"segnet_model to {LATER}"])
    with pytest.raises(
        DatasetError, match=f"different versions of segnet_model: {re.escape(', '.join(told))}; make all"
    ):
        join(two_models, ["segnet_model", result])
    join(two_models, ["segnet_model", result], pins={"segnet_model": EARLIER})


def test_a_model_is_not_trained_beside_results_of_another(two_models: Path) -> None:
    with pytest.raises(DatasetError, match="mixes results made from different versions of segnet_model"):
        join(two_models, ["scores"], outputs="segnet_model")


def test_a_model_is_read_with_the_data_of_an_earlier_run(two_models: Path) -> None:
    join(two_models, ["segnet_model", "split_table"])


def test_of_results_without_a_record_nothing_is_known(two_models: Path) -> None:
    (two_models / f"runs/{EARLIER}.json").unlink()
    join(two_models, ["segnet_model", "scores"])


@pytest.fixture
def two_preparations(two_models: Path, run_record: Callable[..., RunRecord]) -> Path:
    """A run has prepared, trained and scored; of a later one, which was killed, only the scenes are there."""
    records = RunRecordsDataset(filepath=str(two_models / "runs"))
    records.save(
        run_record(EARLIER, saved=dict.fromkeys(("prepared_scenes", "split_table", "segnet_model", "scores"), EARLIER))
    )
    for version in (EARLIER, LATER):
        put(two_models, "prepared_scenes", version, "a")
    records.save(run_record(LATER, saved={"prepared_scenes": LATER}))
    return two_models


def test_a_split_is_not_put_beside_scenes_that_it_was_not_made_from(two_preparations: Path) -> None:
    told = f"different versions of prepared_scenes: prepared_scenes to {LATER}, split_table to {EARLIER}"
    with pytest.raises(DatasetError, match=re.escape(told)):
        join(two_preparations, ["prepared_scenes", "split_table"], outputs="segnet_model")
    join(two_preparations, ["prepared_scenes", "split_table"], pins={"prepared_scenes": EARLIER})


def test_results_are_not_put_beside_scenes_that_they_do_not_speak_of(two_preparations: Path) -> None:
    with pytest.raises(DatasetError, match="different versions of prepared_scenes"):
        join(two_preparations, ["prepared_scenes", "scores"])


def test_a_model_may_be_put_beside_other_scenes(two_preparations: Path) -> None:
    join(two_preparations, ["prepared_scenes", "segnet_model"])


def test_a_version_that_the_run_does_not_read_is_refused(two_models: Path) -> None:
    with pytest.raises(ValueError, match="this run does not read 'scores'"):
        join(two_models, ["segnet_model"], pins={"scores": EARLIER})
