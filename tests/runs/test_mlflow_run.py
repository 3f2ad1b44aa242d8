import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline

from roadseg.runs.mlflow_run import MLflowRun, copy_files, list_metrics, list_parameters, list_tags

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own, of SQLAlchemy

RUN, BEFORE = "2026-01-31T10.20.30.000Z", "2026-01-30T10.20.30.000Z"
TRAINING = {
    "epochs": 2,
    "is_interrupted": True,
    "history": [{"epoch": 1, "loss": 2.0, "val_loss": None}, {"epoch": 2, "loss": 1.5, "val_loss": 1.75}],
}
SCORES = {
    "test": {"mean_iou": 0.5, "boundary_f1": None, "intervals": {"mean_iou": [0.25, 0.75]}},
    "train": {"classes": {"a & b": {"iou": 0.25}}},
}
LAYERS = {"segnet_model": "models", "evaluation_report": "reporting", "split_table": "primary"}


def train(split_table, options):
    return split_table


PIPELINE = Pipeline([Node(train, ["split_table", "params:train"], "segnet_model")])


@pytest.fixture
def catalog(tmp_path):
    """A catalog of text files, one a layer, each saved by the run."""
    config = {
        name: {
            "type": "text.TextDataset",
            "filepath": str(tmp_path / "data" / f"{name}.txt"),
            "versioned": True,
            "metadata": {"kedro-viz": {"layer": layer}},
        }
        for name, layer in LAYERS.items()
    }
    catalog = DataCatalog.from_config(config, save_version=RUN)
    for name in LAYERS:
        catalog.save(name, f"what is in {name}")
    return catalog


def test_parameters_are_those_that_the_pipeline_reads_or_the_command_line_gave(run_record):
    parameters = {"train": {"epochs": 3, "loss": {"kind": "focal"}}, "evaluate": {"batch_size": 8}, "model_of": "idd"}
    record = run_record(RUN, parameters=parameters, given_parameters={"model_of": "idd"})
    assert list_parameters(record, PIPELINE) == {"train.epochs": 3, "train.loss.kind": "focal", "model_of": "idd"}


def test_tags_are_the_facts_that_a_run_has(run_record):
    record = run_record(
        RUN,
        pipelines=["evaluate", "train"],
        commit="0123456789abcdef",
        is_dirty=False,
        loaded={"segnet_model": BEFORE, "scene_index": BEFORE},
        saved={"segnet_model": RUN},
        digests={"split_table": "0b"},
    )
    assert list_tags(record) == {
        "run": RUN,
        "state": "done",
        "command": "kedro run",
        "pipelines": "evaluate, train",
        "is_dirty": "False",
        "digests.split_table": "0b",
        "machine.host": "here",
        "machine.process": "1",
        "machine.system": "Linux",
        "machine.cores": "2",
        "machine.memory": "8",
        "version.segnet_model": RUN,
        "mlflow.runName": RUN,
        "mlflow.source.git.commit": "0123456789abcdef",
    }


def test_metrics_are_those_of_each_epoch_and_then_all_scores(run_record):
    record = run_record(RUN, training=TRAINING, scores=SCORES, saved={"segnet_model": RUN})
    outcome = {"training/epochs": 2, "training/is_interrupted": 1}
    assert list(list_metrics(record)) == [
        (1, {"loss": 2.0}),
        (2, {"loss": 1.5, "val_loss": 1.75}),
        (0, outcome | {"test/mean_iou": 0.5, "train/classes/a _ b/iou": 0.25}),
    ]


def test_classes_whose_names_mlflow_takes_for_one_keep_a_metric_each(run_record):
    classes = {name: {"iou": iou} for name, iou in (("C+", 0.25), ("C_ 2", 0.5), ("C?", 0.75), ("C_", 1.0))}
    ((_, metrics),) = list_metrics(run_record(RUN, scores={"test": {"classes": classes}}))
    assert sorted(metrics.values()) == [0.25, 0.5, 0.75, 1.0]
    assert metrics["test/classes/C_/iou"] == 0.25


def test_a_training_of_an_earlier_run_is_not_told_again(run_record):
    record = run_record(RUN, training=TRAINING, loaded={"segnet_model": BEFORE})
    assert list(list_metrics(record)) == [(0, {})]


def test_models_reports_and_the_record_are_handed_over(tmp_path, run_record, catalog):
    record = run_record(RUN, saved=dict.fromkeys(LAYERS, RUN))
    folder = tmp_path / "files"
    folder.mkdir()
    copy_files(record, catalog, folder)
    assert {each.name for each in folder.iterdir()} == {
        "segnet_model.txt",
        "evaluation_report.txt",
        "run_record.json",
    }
    assert (folder / "segnet_model.txt").read_text() == "what is in segnet_model"
    assert type(record).model_validate_json((folder / "run_record.json").read_text()) == record


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """MLflow with a database of its own, and in it a run that has begun."""
    mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.start_run()
    yield mlflow
    while mlflow.active_run():
        mlflow.end_run()


@pytest.mark.mlflow
@pytest.mark.parametrize(
    ("state", "status"), [("done", "RUNNING"), ("failed", "FAILED"), ("interrupted", "KILLED")]
)  # kedro-mlflow, which is not here, ends a run that ended well
def test_mlflow_has_what_the_record_says(mlflow, run_record, catalog, state, status):
    run = MLflowRun()
    parameters = {"train": {"epochs": 2, "classes": 7000 * "a"}}
    run.begin(run_record(RUN, state="running", parameters=parameters), PIPELINE, catalog)
    id = mlflow.active_run().info.run_id
    found = mlflow.get_run(id)
    assert found.data.params == {"train.epochs": "2", "train.classes": 6000 * "a"}
    assert (found.info.run_name, found.data.tags["state"]) == (RUN, "running")

    run.end(run_record(RUN, state=state, training=TRAINING, scores=SCORES, saved=dict.fromkeys(LAYERS, RUN)))
    found = mlflow.get_run(id)
    assert (found.info.status, found.data.tags["state"]) == (status, state)
    assert found.data.metrics["test/mean_iou"] == 0.5
    history = mlflow.MlflowClient().get_metric_history(id, "loss")
    assert [(each.step, each.value) for each in history] == [(1, 2.0), (2, 1.5)]
    assert {each.path for each in mlflow.MlflowClient().list_artifacts(id)} == {
        "segnet_model.txt",
        "evaluation_report.txt",
        "run_record.json",
    }


@pytest.mark.mlflow
def test_without_a_run_in_mlflow_nothing_is_told(mlflow, run_record, catalog):
    mlflow.end_run()
    run = MLflowRun()
    run.begin(run_record(RUN, state="running"), PIPELINE, catalog)
    run.end(run_record(RUN))
    (found,) = mlflow.search_runs(output_format="list")
    assert "state" not in found.data.tags


@pytest.mark.mlflow
def test_what_mlflow_does_not_take_is_a_fault_of_data(mlflow, run_record, catalog):
    record = run_record(RUN, state="running", parameters={"train": {"epochs": 2}})
    MLflowRun().begin(record, PIPELINE, catalog)
    with pytest.raises(DatasetError, match=r"MLflow could not log the run: .*epochs"):
        MLflowRun().begin(record.model_copy(update={"parameters": {"train": {"epochs": 3}}}), PIPELINE, catalog)
