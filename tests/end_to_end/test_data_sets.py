"""Swapping the data set: by environment, by two catalog entries, by a link or a path."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from data.table import ENVIRONMENTS
from end_to_end.project import SMALL, Project

PREPARE = ("--pipelines", "prepare")


@pytest.fixture
def both(project: Project) -> Project:
    """A project with small settings for CamVid too."""
    set_small(project)
    return project


def set_small(project: Project) -> None:
    settings = project.folder / "conf/camvid/parameters.yml"
    settings.write_text(yaml.safe_dump({**SMALL["parameters.yml"], "split": {"method": "published"}}))


@pytest.mark.slow
def test_an_environment_swaps_the_data_set_and_results_lie_side_by_side(
    trained_copy: Project, camvid_folder: Path
) -> None:
    drawn = trained_copy.files()
    set_small(trained_copy)
    (trained_copy.folder / "data/01_raw").mkdir()
    (trained_copy.folder / "data/01_raw/camvid").symlink_to(camvid_folder)
    trained_copy.run("--env", "camvid")
    assert drawn.items() <= trained_copy.files().items()
    assert len(trained_copy.versions("06_models/camvid/segnet.keras")) == 1
    assert len(trained_copy.versions("06_models/drawn/segnet.keras")) == 1


def test_two_catalog_entries_in_local_swap_the_data_set(both: Project, camvid_folder: Path) -> None:
    both.run("--pipelines", "prepare")
    before = both.files()
    shutil.copy(both.folder / "conf/camvid/catalog.yml", both.folder / "conf/local/catalog.yml")
    both.run("--pipelines", "prepare", "--params", f"raw_folder={camvid_folder}")
    assert before.items() <= both.files().items()
    assert len(both.versions("03_primary/drawn/split_table.csv")) == 2


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_layout_is_prepared_in_its_environment(
    project: Project, environment: str, draw: Callable[[str], Path]
) -> None:
    data_set = ENVIRONMENTS[environment]
    classes = data_set.classes[data_set.environments[environment]]
    folder = draw(data_set.name)
    where = "prepare.image_size=[32,48]"
    if environment == data_set.name:
        (project.folder / "data/01_raw").mkdir(parents=True)
        (project.folder / "data/01_raw" / data_set.name).symlink_to(folder)
    else:
        where += f",raw_folder={folder}"
    output = project.run("--env", environment, *PREPARE, "--params", where)

    found = {split: int(count) for split, count in re.findall(r"Split (\w+): \d+ scenes of (\d+) drives", output)}
    splits = zip(("train", "validation", "test"), data_set.drives, strict=True)
    assert found == {split: drives for split, drives in splits if drives}
    truth = {scene: data_set.read_names(folder, scene) for scene in data_set.scenes.get("test", [])}
    void = [each is not None and all(classes[raw] is None for raw in np.unique(each)) for each in truth.values()]
    withheld = sum(each is None for each in truth.values()) + sum(void)
    assert output.count("has labels") == bool(withheld)
    assert not withheld or f"None of the {withheld} scenes published as test has labels" in output
    assert output.count("Fault 'only void': 1 scenes used") == sum(void)
    assert output.count("Fault") == sum(void)
    assert output.count("WARNING") == data_set.warnings
    pixels = pd.read_csv(max(project.folder.glob(f"data/03_primary/{environment}/class_pixels.csv/*/*.csv")))
    assert set(pixels["class"]) == set(classes.values()) - {None}


@pytest.mark.slow
def test_a_model_is_scored_on_another_data_set_at_its_own_resolution_and_without_raw_data(
    trained_copy: Project, camvid_folder: Path
) -> None:
    set_small(trained_copy)
    (trained_copy.folder / "data/01_raw").mkdir()
    (trained_copy.folder / "data/01_raw/camvid").symlink_to(camvid_folder)
    trained_copy.run("--env", "camvid", *PREPARE)
    foreign = ("--env", "camvid", "--pipelines", "evaluate", "--params")
    asked = "model_of=drawn,evaluate.resolution=native,evaluate.prediction_files.written=true"
    output = trained_copy.run(*foreign, asked)
    assert "was trained on other data and on none of these drives" in output
    native = read_scores(trained_copy)
    assert pd.read_csv(newest_report(trained_copy, "prior_confusion"))["pixels"].sum() == native["pixels"].sum()
    (folder,) = (trained_copy.folder / "data/07_model_output/camvid/predictions").iterdir()
    predicted = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.png")}
    assert set(predicted) == set(pd.read_csv(newest_report(trained_copy, "scene_scores"))["scene"])
    (trained_copy.folder / "data/01_raw/camvid").unlink()
    trained_copy.run(*foreign, "model_of=drawn")
    network = read_scores(trained_copy)
    comparison = compare_newest(trained_copy)
    assert "A is scored at native resolution, B at network: different resolutions can't be compared" in comparison
    trained_copy.run(*foreign, "model_of=drawn,evaluate.gallery_scenes=0")
    table = pd.read_csv(newest_report(trained_copy, "scene_class_scores"))
    table.assign(hits=0).to_csv(newest_report(trained_copy, "scene_class_scores"), index=False)  # as if all were wrong
    comparison = compare_newest(trained_copy)
    assert re.search(r"validation +mean_iou .* \+0.0000\n", comparison)
    page = (trained_copy.folder / comparison.splitlines()[-1]).read_text(encoding="utf-8")
    assert "data:image/" in page  # of the model in the folder of the other data set
    assert (set(native["resolution"]), set(network["resolution"])) == ({"native"}, {"network"})
    (model,) = trained_copy.versions("06_models/drawn/segnet.keras")
    assert set(native["segnet_model"]) == set(network["segnet_model"]) == {model}
    annotated = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in camvid_folder.glob("*annot/*.png")]
    void = 11
    assert native["pixels"].sum() == sum((each != void).sum() for each in annotated)
    assert network["pixels"].sum() <= len(annotated) * 32 * 48


EVERYTHING_TESTS = "split.method=drives,split.shares.train=0,split.shares.validation=0,split.shares.test=1"


@pytest.mark.slow
def test_a_model_is_scored_on_scenes_that_all_test_without_a_prior_and_on_one_scene(
    trained_copy: Project, camvid_folder: Path
) -> None:
    set_small(trained_copy)
    living_things, void = (9, 10), 11
    for path in camvid_folder.glob("*annot/*.png"):
        label_map = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        label_map[np.isin(label_map, living_things)] = void
        cv2.imwrite(str(path), label_map)
    scored = ("--env", "camvid", "--pipelines", "prepare,evaluate", "--params")
    asked = f"model_of=drawn,raw_folder={camvid_folder},{EVERYTHING_TESTS}"
    output = trained_copy.run(*scored, asked)
    assert "No scene has a pixel of living things" in output
    assert "no prior to compare with" in output
    (row,) = read_scores(trained_copy).to_dict("records")
    assert (row["split"], row["scenes"], row["drives"]) == ("test", 6, 3)
    assert row["pixels"] > 0
    assert np.isnan(row["prior_mean_iou"])
    assert set(pd.read_csv(newest_report(trained_copy, "scene_scores"))["split"]) == {"test"}
    scores = json.loads(newest_report(trained_copy, "scores", "json").read_text(), parse_constant=pytest.fail)
    assert scores["prior_mean_iou"] == {"test": None}
    cells = pd.read_csv(newest_report(trained_copy, "confusion_table"))
    assert "living things" not in set(cells["truth"])
    summary = scores["splits"]["test"]
    assert set(summary["absent_classes"]) == set(summary["classes"]) - {*cells["truth"], *cells["predicted"]}
    page = newest_report(trained_copy, "evaluation_report", "html").read_text(encoding="utf-8")
    assert "There are no scenes for training, so there is no prior to compare with." in page

    trained_copy.run(*scored, f"{asked},scenes.limit=1")
    (row,) = read_scores(trained_copy).to_dict("records")
    assert (row["split"], row["scenes"], row["drives"]) == ("test", 1, 1)


@pytest.mark.slow
def test_a_model_that_does_not_fit_the_scenes_is_not_scored(trained_copy: Project, camvid_folder: Path) -> None:
    def refuse(environment: str, parameters: str) -> str:
        arguments = ("--env", environment, "--pipelines", "prepare,evaluate", "--params")
        return trained_copy.fail(*arguments, f"model_of=drawn,{parameters}")

    message = refuse("camvid", f"raw_folder={camvid_folder}")
    assert "takes images of 32 x 48 pixels, but the scenes were prepared at 240 x 480: prepare them at its" in message
    message = refuse("camvid_11", f"raw_folder={camvid_folder}")
    assert "it has drivable, non-drivable, living things, vehicles, road-side objects, far objects, sky" in message
    assert "the scenes have sky, building, pole, road, pavement, tree, sign or symbol, fence, car, " in message

    for file, content in SMALL.items():
        trained_copy.configure("other", file, content)
    trained_copy.configure("other", "globals.yml", {"data_set": "other"})
    message = refuse("other", "drawing_seed=7")
    assert re.search(r"3 of the 5 drives here have the names of its training drives \(drive\d\d, drive", message)
    assert "if they are other drives, give them other names" in message
    assert "kedro run --pipelines evaluate --load-versions segnet_model:" in message


def compare_newest(project: Project) -> str:
    """What is printed of the two newest runs on CamVid that have scores."""
    choice = ("--env", "camvid", "--split", "validation", "--scenes", "1")
    return project.kedro("runs", "compare", "previous", "latest", *choice).stdout


def read_scores(project: Project) -> pd.DataFrame:
    """The newest score table of CamVid."""
    return pd.read_csv(newest_report(project, "score_table"))


def newest_report(project: Project, name: str, kind: str = "csv") -> Path:
    """The newest of CamVid's reports of that name."""
    return sorted(project.folder.glob(f"data/08_reporting/camvid/{name}.{kind}/*/*"))[-1]


@pytest.mark.slow
def test_whose_model_is_scored_is_no_choice_of_a_training(trained: Project) -> None:
    assert "use it with --pipelines evaluate" in trained.fail("--params", "model_of=idd")
    message = trained.fail("--pipelines", "evaluate", "--params", "model_of=idd")
    assert "there is no model of 'idd': nothing is in" in message
