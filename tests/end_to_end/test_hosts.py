"""`kedro run` on two hosts: two processes that share a folder."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from end_to_end.project import SMALL, Project
from end_to_end.test_backends import newest, without_tensorflow
from end_to_end.test_termination import start
from training.hosts import end, name_hosts

pytestmark = pytest.mark.scale


def start_hosts(project: Project, *arguments: str, environment: dict[str, str]) -> list[subprocess.Popen[str]]:
    return [start(project, "kedro", "run", *arguments, environment=environment | each) for each in name_hosts(2)]


@pytest.mark.slow
def test_two_hosts_make_what_one_makes_and_only_host_0_writes(project: Project, tmp_path: Path) -> None:
    environment = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(without_tensorflow(tmp_path))}
    train = ("--pipelines", "train", "--params", "train.precision=float32,train.cache=true,train.learning_rate=0.0001")
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "frames_per_drive": 4}  # so that two hosts share every batch
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    project.run("--pipelines", "prepare")
    project.run(*train, environment=environment)
    alone, files_of_one = newest(project, "training_history.csv"), {path.name for path in project.files()}
    codes, outputs = end(start_hosts(project, *train, environment=environment))
    assert codes == [0, 0], outputs
    run = project.versions("06_models/drawn/segnet.keras")[-1]
    assert f"Host 1 of 2 helps with the training of run {run}" in outputs[1]
    assert f"runs/{run}.json" in outputs[0]
    assert "Epoch 2 of 2" in outputs[0]
    assert "Epoch" not in outputs[1]
    columns = ["loss", "val_loss", "mean_iou", "val_mean_iou"]
    pd.testing.assert_frame_equal(newest(project, "training_history.csv")[columns], alone[columns], atol=1e-5, rtol=0)
    new = {path.name for path in project.files()} - files_of_one
    assert new == {f"{run}.json"}, "more than the record of one run, and the files that the first run has too"
    made = {"06_models/drawn/segnet.keras": 2, "06_models/drawn/training_history.csv": 2, "08_reporting/drawn/runs": 3}
    for pattern, times in made.items():  # also prepare has a run record
        assert len(list(project.folder.glob(f"data/{pattern}/*"))) == times, pattern
    assert not list(project.folder.glob("data/06_models/drawn/training_state/*"))


def test_several_hosts_are_refused_without_jax(project: Project) -> None:
    environment = name_hosts(2)[1] | {"KERAS_BACKEND": "tensorflow"}
    done = project.kedro("run", "--pipelines", "train", environment=environment)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "Error: KERAS_DISTRIBUTION_NUM_PROCESSES is 2, but Keras' backend is tensorflow, with which it trains on one "
        "host only: set KERAS_BACKEND to jax on all hosts, or unset KERAS_DISTRIBUTION_NUM_PROCESSES"
    )
