"""Training again: after SIGTERM, after a kill, after Ctrl-C, with something changed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from end_to_end.project import Project

TRAIN = ("--pipelines", "train")


def models(project: Project) -> list[Path]:
    return sorted(project.folder.glob("data/06_models/drawn/segnet.keras/*/segnet.keras"))


def weights(model: Path) -> bytes:
    with zipfile.ZipFile(model) as archive:
        return archive.read("model.weights.h5")


def record(model: Path) -> dict[str, Any]:
    with zipfile.ZipFile(model) as archive:
        return json.loads(archive.read("record.json"))


def history(project: Project) -> pd.DataFrame:
    path = max(project.folder.glob("data/06_models/drawn/training_history.csv/*/*.csv"))
    return pd.read_csv(path).drop(columns=["seconds", "images_per_second"])


def last_run(project: Project) -> dict[str, Any]:
    """Returns the record of the newest run."""
    return json.loads(max(project.folder.glob("data/08_reporting/drawn/runs/*.json")).read_text())


def states(project: Project) -> list[Path]:
    return sorted(project.folder.glob("data/06_models/drawn/training_state/*/state.npz"))


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", *arguments],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Where the tests run in the background, the shell has switched Ctrl-C off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Reads the output of a process up to a line that holds some words."""
    assert process.stdout
    for each in process.stdout:
        if line in each:
            return
    pytest.fail(f"the run ended without '{line}'")


@pytest.fixture
def untrained(trained_copy: Project) -> Project:
    """A project in which everything but the training has run."""
    shutil.rmtree(trained_copy.folder / "data/06_models")
    return trained_copy


@pytest.mark.slow
def test_training_that_sigterm_ended_keeps_its_epoch_and_ends_as_one_that_was_not(
    untrained: Project, trained: Project
) -> None:
    process = start(untrained, *TRAIN)
    while process.poll() is None and not states(untrained):
        time.sleep(0.01)
    process.terminate()
    output, _ = process.communicate()
    assert process.returncode == 143, output
    assert "Traceback" not in output
    ended = last_run(untrained)
    assert (ended["state"], ended["fault"]) == ("interrupted", "SIGTERM")
    assert set(ended["saved"]) == {"segnet_model", "training_history"}  # the best epoch so far, and nothing after it
    stopped = record(models(untrained)[0])["training"]
    assert (stopped["epochs"], stopped["is_interrupted"]) == (1, True)
    output = untrained.run(*TRAIN)
    assert "Continues after epoch 1 of a training that was stopped" in output
    assert weights(models(untrained)[1]) == weights(models(trained)[0])
    pd.testing.assert_frame_equal(history(untrained), history(trained))
    assert not list((untrained.folder / "data/06_models/drawn/training_state").iterdir())


@pytest.mark.slow
def test_whole_run_killed_again_and_again_ends_as_one_that_was_not(project: Project, trained: Project) -> None:
    for line in ("Split train", "Backend", "Epoch 1 of 2", "Epoch 2 of 2"):
        process = start(project)
        wait_for(process, line)
        process.kill()
        process.communicate()
    process = start(project)
    while process.poll() is None and not list(project.folder.glob("data/08_reporting/drawn/confusion_table.csv/*/*")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    output = project.run()
    assert "Nothing to train: this training was already finished (epoch 2); its run was stopped later" in output
    assert weights(models(project)[-1]) == weights(models(trained)[0])
    pd.testing.assert_frame_equal(history(project), history(trained))
    assert not states(project)
    assert "Nothing to train" not in project.run()  # that run has ended: this one is another


@pytest.mark.slow
def test_other_parameters_start_afresh_and_say_so(untrained: Project) -> None:
    process = start(untrained, *TRAIN)
    while process.poll() is None and not states(untrained):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    output = untrained.run(*TRAIN, "--params", "train.learning_rate=0.01")
    assert "Starts a new training" in output
    assert "Going on" not in output
    assert len(history(untrained)) == 2
    assert len(states(untrained)) == 1  # of the training that was killed
    with (untrained.folder / "src/roadseg/training/losses.py").open("a") as file:
        file.write("# other code\n")
    assert "Starts a new training" in untrained.run(*TRAIN)


@pytest.mark.slow
def test_first_ctrl_c_ends_the_training_like_early_stopping_and_the_next_run_goes_on(
    untrained: Project, trained: Project
) -> None:
    process = start(untrained, *TRAIN)
    while process.poll() is None and not states(untrained):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "Ctrl-C: training ends after this step" in output
    stopped = record(models(untrained)[0])["training"]
    assert stopped["is_interrupted"]
    assert stopped["epochs"] == 1
    assert states(untrained)
    untrained.run(*TRAIN)
    assert weights(models(untrained)[1]) == weights(models(trained)[0])
    assert not states(untrained)


@pytest.mark.slow
def test_second_ctrl_c_aborts_with_the_exit_code_of_an_interrupted_program(untrained: Project) -> None:
    process = start(untrained, *TRAIN, "--params", "train.epochs=500")
    wait_for(process, "Epoch 1 of 500")
    os.kill(process.pid, signal.SIGINT)
    wait_for(process, "Ctrl-C: training ends")
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130, output
