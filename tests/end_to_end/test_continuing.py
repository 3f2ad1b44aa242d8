"""A training that has ended goes on for more epochs."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from end_to_end.project import Project

TRAIN = ("--pipelines", "train")


def go_on(name: str, epochs: int, *more: str) -> tuple[str, ...]:
    """Returns the arguments of a run that goes on with a training."""
    return (*TRAIN, "--params", ",".join([f"train.continue_from={name}", f"train.epochs={epochs}", *more]))


def models(project: Project) -> list[Path]:
    return sorted(project.folder.glob("data/06_models/drawn/segnet.keras/*/segnet.keras"))


def history(model: Path) -> pd.DataFrame:
    path = model.parents[2] / "training_history.csv" / model.parent.name / "training_history.csv"
    return pd.read_csv(path).drop(columns=["seconds", "images_per_second"])


def last_record(project: Project) -> dict[str, Any]:
    return json.loads(max(project.folder.glob("data/08_reporting/drawn/runs/*.json")).read_text())


@pytest.mark.slow
def test_a_training_goes_on_with_its_history_and_the_record_says_from_where(trained_copy: Project) -> None:
    (first,) = models(trained_copy)
    run = first.parent.name
    assert trained_copy.fail(*go_on("latest", 2)).startswith(
        f"Error: train.continue_from: the training of {run} has had 2 epochs: set train.epochs above that"
    )
    output = trained_copy.run(*go_on("latest", 3))
    assert f"Continues after epoch 2 of the training of {run}" in output
    assert "Starts a new training" not in output
    _, more = models(trained_copy)
    pd.testing.assert_frame_equal(history(more)[:2], history(first))
    assert len(history(more)) == 3
    training = last_record(trained_copy)["training"]
    assert training["continued_from"] == {"run": run, "epochs": 2}
    assert training["epochs"] == 3
    assert not list((trained_copy.folder / "data/06_models/drawn/training_state").iterdir())


@pytest.mark.slow
def test_what_can_not_go_on_is_refused_with_advice_that_works(trained_copy: Project) -> None:
    (first,) = models(trained_copy)
    run = first.parent.name
    assert f"there is no model 'nothing'; the newest is {run}" in trained_copy.fail(*go_on("nothing", 3))
    assert "train.continue_from: input should be a valid string" in trained_copy.fail(*go_on("1999", 3))
    sentence = trained_copy.fail(*go_on(run, 3, "train.optimizer=sgd", "network.dropout=0.1"))
    assert 'it has train.optimizer "muon", here "sgd"; network.dropout 0.0, here 0.1. To start a new' in sentence
    start = sentence.partition("replace train.continue_from by ")[2].strip()
    asked = f"{start},train.optimizer=sgd,network.dropout=0.1"
    assert "Starts from the model" in trained_copy.run(*TRAIN, "--params", asked)
    sentence = trained_copy.fail(*go_on(run, 3, "network.width=0.2"))
    assert sentence.strip().endswith("here 0.2. To train this network, leave out train.continue_from")
    trained_copy.run("--pipelines", "prepare", "--params", "split.method=leave_one_drive_out,split.drive=drive01")
    sentence = trained_copy.fail(*go_on(run, 3))
    assert "used other data: split_table differs" in sentence
    versions = sentence.split("--load-versions ")[1].strip()
    trained_copy.run(*go_on(run, 3), "--load-versions", versions)
    with zipfile.ZipFile(first) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name != "training_state.npz"}
    with zipfile.ZipFile(first, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    assert "its model file has no training state" in trained_copy.fail(*go_on(run, 3))
