"""What a user of MLflow sees of `kedro run`, the extra `mlflow` being installed."""

from importlib.util import find_spec
from typing import Any

import pytest

from end_to_end.project import Project

pytestmark = [
    pytest.mark.mlflow,
    pytest.mark.skipif(find_spec("kedro_mlflow") is None, reason="needs the extra `mlflow`"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, of SQLAlchemy
]


def find_only_run(project: Project) -> tuple[Any, Any]:
    """Returns a client of MLflow and the run that must be alone in its experiment."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("roadseg-drawn").experiment_id])
    return client, run


def test_a_run_that_failed_is_in_mlflow_and_one_that_was_refused_is_not(project: Project) -> None:
    assert "there is no 'prepared_scenes' yet" in project.fail("--pipelines", "train")
    fault = project.fail("--pipelines", "prepare", "--params", "split.method=leave_one_drive_out,split.drive=none")
    _, run = find_only_run(project)
    assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")
    assert fault == f"Error: {run.data.tags['fault']}\n"
    assert run.data.params["split.drive"] == "none"


def test_parameters_history_scores_and_files_of_a_run_are_in_mlflow(trained: Project) -> None:
    client, run = find_only_run(trained)
    assert run.info.status == "FINISHED"
    assert [run.info.run_name] == trained.versions("06_models/drawn/segnet.keras")
    assert run.data.params["train.epochs"] == "2"
    assert [each.step for each in client.get_metric_history(run.info.run_id, "val_mean_iou")] == [1, 2]
    assert {"train/mean_iou", "validation/mean_iou", "test/mean_iou"} <= set(run.data.metrics)
    files = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert {"evaluation_report.html", "examples.png", "scores.json", "segnet.keras", "run_record.json"} <= files
