"""What a user sees of `kedro run`: the main job, stage by stage."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from huggingface_hub import ModelCard
from sklearn.metrics import accuracy_score, jaccard_score

from end_to_end.project import Project


def newest(project: Project, pattern: str) -> Path:
    return sorted(project.folder.glob(f"data/{pattern}/*/*"))[-1]


def test_the_main_job_ends_with_a_score_table_and_the_paths_of_the_reports(trained: Project) -> None:
    output = (trained.folder / "output.txt").read_text()
    table = pd.read_csv(newest(trained, "08_reporting/drawn/score_table.csv"))
    assert list(table["split"]) == ["train", "validation", "test"]
    assert list(table["scenes"]) == [9, 3, 3]
    for value in table["mean_iou"]:
        assert f"{value:.4f}" in output
    reports = re.findall(r"data/08_reporting/drawn/\S+", output)
    assert len(reports) >= 8
    assert all((trained.folder / path).is_file() for path in reports)
    assert reports[-2].endswith("evaluation_report.html")  # before the record of the run: what a user opens first


def test_training_names_backend_device_and_precision(trained: Project) -> None:
    output = (trained.folder / "output.txt").read_text()
    assert re.search(r"Backend tensorflow, [cg]pu:0, precision (float32|bfloat16), ", output)


def test_every_report_names_model_data_split_and_parameters(trained: Project) -> None:
    scores = json.loads(newest(trained, "08_reporting/drawn/scores.json").read_text(), parse_constant=pytest.fail)
    (run,) = trained.versions("06_models/drawn/segnet.keras")
    assert scores["versions"] == dict.fromkeys(("prepared_scenes", "split_table", "segnet_model"), run)
    assert scores["model"]["run"] == run
    assert scores["model"]["parameters"]["train"]["epochs"] == 2
    table = pd.read_csv(newest(trained, "08_reporting/drawn/score_table.csv"))
    assert set(table["segnet_model"]) == set(table["prepared_scenes"]) == set(table["split_table"]) == {run}


def test_the_run_ends_with_a_report_on_one_page(trained: Project) -> None:
    page = newest(trained, "08_reporting/drawn/evaluation_report.html").read_text(encoding="utf-8")
    scores = json.loads(newest(trained, "08_reporting/drawn/scores.json").read_text())
    assert f"<strong>{scores['splits']['test']['mean_iou']:.4f}</strong> mean IoU on test" in page
    assert page.count("<figure ") == 9 + 3 + 3


def test_the_card_of_the_model_has_the_scores_the_command_and_the_terms_of_the_data(trained: Project) -> None:
    text = newest(trained, "08_reporting/drawn/model_card.md").read_text(encoding="utf-8")
    scores = json.loads(newest(trained, "08_reporting/drawn/scores.json").read_text())
    found = {each.dataset_split: each for each in ModelCard(text).data.eval_results if each.metric_type == "mean_iou"}
    for split, each in found.items():
        assert each.metric_value == pytest.approx(scores["splits"][split]["mean_iou"], abs=5e-5)
    assert set(found) == {"train", "validation", "test"}
    assert re.search(r"\| command \| `.*kedro run` \|", text)
    # The small project replaces raw_scenes, so the terms of the base are not taken for its own.
    assert "| terms | unknown |" in text


def test_a_model_keeps_the_history_of_its_training(trained: Project) -> None:
    with zipfile.ZipFile(newest(trained, "06_models/drawn/segnet.keras")) as archive:
        record = json.loads(archive.read("record.json"), parse_constant=pytest.fail)
    history = pd.read_csv(newest(trained, "06_models/drawn/training_history.csv"))
    pd.testing.assert_frame_equal(pd.DataFrame(record["training"]["history"]), history)
    assert list(history["epoch"]) == [1, 2]


def test_the_scores_agree_with_scikit_learn_on_the_same_pixels(trained: Project) -> None:
    script = """
import json, numpy as np
names = [each.name for each in catalog.load("prepared_scenes").classes]
table = catalog.load("split_table")
test, train = (table.loc[table["split"] == split, "scene"] for split in ("test", "train"))
from roadseg.segnet.predictor import Predictor
scenes, predictor = catalog.load("prepared_scenes"), Predictor(catalog.load("segnet_model"))
images = np.stack([scenes[scene].image for scene in test])
truth, learnt = (np.stack([scenes[scene].label_map for scene in ids]) for ids in (test, train))
prediction = [each.label_map for each in predictor.predict_each(images)]
np.savez("pixels.npz", truth=truth, learnt=learnt, prediction=prediction)
"""
    done = trained.kedro("ipython", "--simple-prompt", "-c", script)
    assert done.returncode == 0, done.stdout
    with np.load(trained.folder / "pixels.npz") as pixels:
        valid = pixels["truth"] != 255
        truth, prediction = pixels["truth"][valid], pixels["prediction"][valid]
        counts = np.apply_along_axis(np.bincount, 0, pixels["learnt"], minlength=256)[:255]
        guess = np.broadcast_to(counts.argmax(axis=0), valid.shape)[valid]
    scores = json.loads(newest(trained, "08_reporting/drawn/scores.json").read_text())
    test = scores["splits"]["test"]
    occurring = sorted(set(truth) | set(prediction))
    assert test["pixels"] == truth.size
    assert test["pixel_accuracy"] == pytest.approx(accuracy_score(truth, prediction))
    assert test["mean_iou"] == pytest.approx(jaccard_score(truth, prediction, labels=occurring, average="macro"))
    occurring = sorted(set(truth) | set(guess))
    expected = jaccard_score(truth, guess, labels=occurring, average="macro")
    assert scores["prior_mean_iou"]["test"] == pytest.approx(expected)


@pytest.mark.slow
def test_each_pipeline_waits_for_the_one_before(project: Project) -> None:
    assert "run `kedro run --pipelines prepare` first" in project.fail("--pipelines", "train")
    assert not project.versions("06_models/drawn/segnet.keras")
    project.run("--pipelines", "prepare")
    assert "run `kedro run --pipelines train` first" in project.fail("--pipelines", "evaluate")


def test_the_package_runs_as_a_module(project: Project) -> None:
    command = [sys.executable, "-m", "roadseg", "--pipelines", "train"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run `kedro run --pipelines prepare` first" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_training_on_a_gpu_that_is_not_there_stops(trained_copy: Project) -> None:
    message = trained_copy.fail("--pipelines", "train", "--params", "train.device=gpu")
    assert "train.device is 'gpu'" in message
    assert len(trained_copy.versions("06_models/drawn/segnet.keras")) == 1


@pytest.mark.slow
def test_a_second_training_gives_the_same_weights_and_either_model_can_be_evaluated(trained_copy: Project) -> None:
    (first,) = trained_copy.versions("06_models/drawn/segnet.keras")
    trained_copy.run("--pipeline", "train")  # the older spelling
    first, second = trained_copy.versions("06_models/drawn/segnet.keras")
    weights = []
    for version in (first, second):
        with zipfile.ZipFile(
            trained_copy.folder / f"data/06_models/drawn/segnet.keras/{version}/segnet.keras"
        ) as model:
            weights.append(model.read("model.weights.h5"))
    assert weights[0] == weights[1]

    prepared = trained_copy.versions("03_primary/drawn/prepared_scenes/manifest.json")
    for pins, expected in (((), second), (("--load-versions", f"segnet_model:{first}"), first)):
        trained_copy.run("--pipelines", "evaluate", *pins)
        scores = json.loads(newest(trained_copy, "08_reporting/drawn/scores.json").read_text())
        assert scores["versions"]["segnet_model"] == expected
    assert trained_copy.versions("06_models/drawn/segnet.keras") == [first, second]
    assert trained_copy.versions("03_primary/drawn/prepared_scenes/manifest.json") == prepared


@pytest.mark.slow
def test_after_another_split_the_model_is_evaluated_on_its_own_split_only(trained_copy: Project) -> None:
    trained_copy.run("--pipelines", "prepare", "--from-nodes", "split_scenes", "--params", "seed=2")
    assert len(trained_copy.versions("03_primary/drawn/prepared_scenes/manifest.json")) == 1
    old, _ = trained_copy.versions("03_primary/drawn/split_table.csv")
    message = trained_copy.fail("--pipelines", "evaluate")
    assert "another version of split_table" in message
    assert f"split_table:{old}" in message
    command = re.search(r"kedro run (--pipelines evaluate .*)", message)
    assert command
    trained_copy.run(*command[1].split())
    scores = json.loads(newest(trained_copy, "08_reporting/drawn/scores.json").read_text())
    assert scores["versions"]["split_table"] == old


def test_a_version_that_does_not_exist_is_named(trained: Project) -> None:
    (there,) = trained.versions("06_models/drawn/segnet.keras")
    message = trained.fail("--pipelines", "evaluate", "--load-versions", "segnet_model:2001-01-01T00.00.00.000Z")
    assert "no version '2001-01-01T00.00.00.000Z' of 'segnet_model'" in message
    assert there in message


@pytest.mark.slow
def test_a_limit_tries_all_three_stages_on_so_many_scenes(project: Project) -> None:
    output = project.run("--params", "scenes.limit=8,train.epochs=50,train.trial_epochs=1")
    assert "8 scenes, 8 of them to prepare" in output
    history = pd.read_csv(newest(project, "06_models/drawn/training_history.csv"))
    assert list(history["epoch"]) == [1]
    table = pd.read_csv(newest(project, "08_reporting/drawn/score_table.csv"))
    assert table["scenes"].sum() == 8
