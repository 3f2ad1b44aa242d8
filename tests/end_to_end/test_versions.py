"""Runs that do not mix: each scores the model that it trained, whoever else saves one, whatever the clocks say."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from end_to_end.project import Project

FUTURE = "2099-01-01T00.00.00.000Z"
SHORT = ("--pipelines", "train,evaluate", "--params", "train.epochs=1")


def read_record(project: Project, run: str) -> dict:
    return json.loads((project.folder / f"data/08_reporting/drawn/runs/{run}.json").read_text())


def read_scores(project: Project, run: str) -> dict:
    return json.loads((project.folder / f"data/08_reporting/drawn/scores.json/{run}/scores.json").read_text())


def rename_versions(project: Project, version: str) -> None:
    """Gives all versions another name, as if the clock had been another when they were saved."""
    (run,) = project.versions("06_models/drawn/segnet.keras")
    for folder in list((project.folder / "data").rglob(run)):
        if folder.is_dir():
            folder.rename(folder.with_name(version))


def check_run_is_its_own(project: Project, run: str, epochs: int) -> None:
    record, scores = read_record(project, run), read_scores(project, run)
    assert record["state"] == "done"
    assert record["saved"]["segnet_model"] == record["loaded"]["segnet_model"] == run
    assert scores["versions"]["segnet_model"] == scores["model"]["run"] == run
    assert scores["model"]["training"]["epochs"] == record["training"]["epochs"] == epochs
    assert {name for name in record["saved"] if record["loaded"].get(name, run) != run} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "runner",
    [("--runner", "ThreadRunner"), ("--runner-params", "is_async=True"), ()],
    ids=lambda runner: " ".join(runner) or "default",
)
def test_a_run_after_the_clock_went_back_is_its_own(trained_copy: Project, runner: tuple[str, ...]) -> None:
    rename_versions(trained_copy, FUTURE)
    output = trained_copy.run(*SHORT, *runner)
    run = re.search(r"runs/(\S+)\.json", output)[1]
    check_run_is_its_own(trained_copy, run, epochs=1)
    assert read_record(trained_copy, run)["loaded"]["prepared_scenes"] == FUTURE
    assert f"The newest version of prepared_scenes, {FUTURE}, is newer than this run" in output
    assert "did not match" not in output
    loaded = read_record(trained_copy, run)["nodes"]
    assert set(loaded) >= {"train.train_segnet", "train.draw_curves", "evaluate.score_scenes", "evaluate.write_report"}


@pytest.mark.slow
def test_two_trainings_at_once_score_each_its_own_model(trained_copy: Project) -> None:
    commands = [
        ["--pipelines", "train,evaluate", "--params", f"train.epochs={epochs},train.learning_rate=0.01"]
        for epochs in (40, 1)
    ]
    processes = []
    for command in commands:
        process = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", *command],
            cwd=trained_copy.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        for line in process.stdout:
            if "Epoch 1 of" in line:  # the second is over while the first still trains
                break
    outputs = [process.communicate()[0] for process in processes]
    for output, epochs in zip(outputs, (40, 1), strict=True):
        check_run_is_its_own(trained_copy, re.search(r"runs/(\S+)\.json", output)[1], epochs)


@pytest.mark.slow
def test_only_what_was_missing_is_made_and_told(trained_copy: Project) -> None:
    (first,) = trained_copy.versions("06_models/drawn/segnet.keras")
    for name in ("confusion.png", "scores.png"):
        (trained_copy.folder / f"data/08_reporting/drawn/{name}/{first}/{name}").unlink()
    output = trained_copy.run("--only-missing-outputs")
    run = re.search(r"runs/(\S+)\.json", output)[1]
    record = read_record(trained_copy, run)
    assert set(record["nodes"]) == {"evaluate.draw_confusion", "evaluate.draw_scores"}
    assert set(record["saved"]) == {"confusion_figure", "score_figure"}
    assert set(record["loaded"].values()) == {first}
    told = set(re.findall(r"INFO +(\w+): data/", output))
    assert told == {"confusion_figure", "score_figure", "run_record"}


def test_what_would_mix_is_refused_before_the_first_node(trained_copy: Project) -> None:
    (first,) = trained_copy.versions("06_models/drawn/segnet.keras")
    message = trained_copy.fail("--load-versions", f"segnet_model:{first}")
    assert "this run makes 'segnet_model' itself" in message
    advice = re.search(r"--pipelines evaluate", message)[0].split()
    assert "ParallelRunner runs nodes in other processes" in trained_copy.fail("--runner", "ParallelRunner", *advice)
    assert len(list(Path(trained_copy.folder, "data/08_reporting/drawn/runs").iterdir())) == 1
