"""What a user sees of `kedro prune`."""

import os
import shutil
import time

import pytest

from end_to_end.project import Project

MANIFESTS = "03_primary/{}/prepared_scenes/manifest.json"
TWO_DAYS = 2 * 24 * 3600


def age_stores(project: Project) -> None:
    for path in project.folder.glob("data/03_primary/*/prepared_scenes/store/**/*"):
        os.utime(path, (time.time() - TWO_DAYS,) * 2)


def prune(project: Project, *arguments: str) -> str:
    done = project.kedro("prune", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_a_model_can_be_evaluated_after_what_came_later_was_pruned(trained_copy: Project) -> None:
    for seed in (2, 3):
        trained_copy.run("--pipelines", "prepare", "--params", f"drawing_seed={seed}")
    age_stores(trained_copy)
    first, _, third = trained_copy.versions(MANIFESTS.format("drawn"))
    output = prune(trained_copy, "--keep", "1")
    assert "prepared_scenes: 1 of 3 versions removed, 45 files of the store removed, 0." in output
    assert "split_table: 1 of 3 versions removed" in output
    assert "scene_index: 2 of 3 versions removed" in output
    assert "segnet_model: nothing to remove" in output
    assert trained_copy.versions(MANIFESTS.format("drawn")) == [first, third]
    assert len(list(trained_copy.folder.glob("data/03_primary/drawn/prepared_scenes/store/*"))) == 2 * 45

    assert "versions removed" not in prune(trained_copy, "--keep", "1")
    trained_copy.run("--pipelines", "evaluate", "--load-versions", f"prepared_scenes:{first},split_table:{first}")
    output = trained_copy.run("--pipelines", "prepare", "--params", "drawing_seed=3")
    assert "15 scenes, 0 of them to prepare" in output


@pytest.mark.slow
def test_an_environment_is_pruned_alone(project: Project) -> None:
    project.configure("others", "globals.yml", {"data_set": "others"})
    project.run("--pipelines", "prepare")
    project.run("--pipelines", "prepare")
    shutil.copytree(project.folder / "data/03_primary/drawn", project.folder / "data/03_primary/others")
    before = project.files()
    output = prune(project, "--keep", "1", "--env", "others")
    assert "prepared_scenes: 1 of 2 versions removed\n" in output
    gone = before.keys() - project.files().keys()
    assert gone
    assert all(path.is_relative_to(project.folder / "data/03_primary/others") for path in gone)
    assert len(project.versions("03_primary/others/split_table.csv")) == 1
    assert len(project.versions(MANIFESTS.format("others"))) == 1
    assert len(project.versions(MANIFESTS.format("drawn"))) == 2


def test_a_broken_model_ends_pruning_with_one_sentence(project: Project) -> None:
    for version in ("2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"):
        path = project.folder / f"data/06_models/drawn/segnet.keras/{version}/segnet.keras"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"no zip")
    before = project.files()
    done = project.kedro("prune", "--keep", "1")
    assert done.returncode == 1
    assert f"Error: '{path}' is not a zip archive" in done.stdout
    assert "Traceback" not in done.stdout
    assert project.files() == before


def test_an_environment_that_does_not_exist_is_named(project: Project) -> None:
    done = project.kedro("prune", "--keep", "1", "--env", "camvdi")
    assert done.returncode == 1
    assert "Error: " in done.stdout
    assert "conf/camvdi" in done.stdout
