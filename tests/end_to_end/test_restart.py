"""Preparing again: after a kill, with nothing changed, with one scene changed, and two at once."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from end_to_end.project import SMALL, Project

PREPARE = ("--pipelines", "prepare")
SCENES = 60


@pytest.fixture
def long_project(project: Project) -> Project:
    """A project whose preparation takes a few seconds."""
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "drives": 6, "frames_per_drive": SCENES // 6, "size": [96, 192]}
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    return project


def store(project: Project) -> dict[str, bytes]:
    """Returns the files of the prepared scenes; those that a kill left half-written count for nothing."""
    folder = project.folder / "data/03_primary/drawn/prepared_scenes/store"
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.suffix != ".part"}


def manifests(project: Project) -> list[bytes]:
    return [path.read_bytes() for path in sorted(project.folder.glob("data/**/manifest.json/*/manifest.json"))]


def complete(project: Project) -> int:
    return sum(name.endswith(".json") for name in store(project))


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", *PREPARE, *arguments],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_after(project: Project, scenes: int, delay: float, *arguments: str) -> None:
    """Starts a preparation and kills it when so many scenes are complete, and a moment later."""
    process = start(project, *arguments)
    try:
        while complete(project) < scenes and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_random_moments_it_goes_on_and_ends_with_the_bytes_of_one_never_killed(
    long_project: Project, tmp_path: Path, workers: str
) -> None:
    arguments = ("--params", f"prepare.workers={workers}")
    shutil.copytree(long_project.folder, tmp_path / "whole")
    whole = Project(tmp_path / "whole")
    whole.run(*PREPARE)
    random = np.random.default_rng()  # a different moment each time the tests run
    for share in (0.1, 0.5, 0.8):
        kill_after(long_project, int(share * SCENES), random.uniform(0, 0.1), *arguments)
        assert not manifests(long_project)
    done = complete(long_project)
    assert 0.8 * SCENES <= done < SCENES
    output = long_project.run(*PREPARE, *arguments)
    assert f"{SCENES} scenes, {SCENES - done} of them to prepare" in output
    assert store(long_project) == store(whole)
    assert manifests(long_project) == manifests(whole)


@pytest.mark.slow
def test_two_preparations_at_once_do_not_disturb_each_other(long_project: Project, tmp_path: Path) -> None:
    shutil.copytree(long_project.folder, tmp_path / "alone")
    alone = Project(tmp_path / "alone")
    alone.run(*PREPARE)
    both = [start(long_project, "--params", f"prepare.workers={workers}") for workers in (1, 2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert store(long_project) == store(alone)
    assert manifests(long_project) == manifests(alone) * 2


@pytest.fixture
def camvid(project: Project, camvid_folder: Path) -> Project:
    """A project of six CamVid scenes, prepared."""
    (project.folder / "conf/camvid/parameters.yml").write_text(json.dumps({"prepare": {"image_size": [32, 48]}}))
    shutil.move(camvid_folder, project.folder / "data/01_raw/camvid")
    assert "6 scenes, 6 of them to prepare" in project.run("--env", "camvid", *PREPARE)
    return project


def prepare_again(project: Project, *arguments: str) -> tuple[int, int]:
    """Returns how many scenes there are, and how many of them were prepared."""
    output = project.run("--env", "camvid", *PREPARE, *arguments)
    found = re.search(r"(\d+) scenes, (\d+) of them to prepare", output)
    assert found, output
    return int(found[1]), int(found[2])


@pytest.mark.slow
def test_only_what_changed_is_prepared_again(camvid: Project) -> None:
    before = camvid.files()
    folder = camvid.folder / "data/01_raw/camvid"
    assert prepare_again(camvid) == (6, 0)
    Image.new("RGB", (48, 36)).save(folder / "train/0001TP_006690.png")
    assert prepare_again(camvid) == (6, 1)
    for kind in ("train", "trainannot"):
        shutil.copy(folder / kind / "0006R0_f00930.png", folder / kind / "0006R0_f00990.png")
    assert prepare_again(camvid) == (7, 1)
    (folder / "val/0016E5_07959.png").unlink()
    assert prepare_again(camvid, "--params", "prepare.unusable_share=0.2") == (7, 1)  # its label map is still there
    (folder / "valannot/0016E5_07959.png").unlink()
    assert prepare_again(camvid) == (6, 0)
    prepared = {path for path in before if "03_primary" in str(path)}
    assert {path: camvid.files()[path] for path in prepared} == {path: before[path] for path in prepared}


def test_another_size_or_label_space_is_a_version_of_its_own(camvid: Project) -> None:
    before = camvid.files()
    (camvid.folder / "conf/camvid/parameters.yml").write_text(json.dumps({"prepare": {"image_size": [16, 24]}}))
    assert prepare_again(camvid) == (6, 6)
    catalog = camvid.folder / "conf/camvid/catalog.yml"
    catalog.write_text(catalog.read_text().replace("seven_classes", "camvid_classes"))
    assert prepare_again(camvid) == (6, 6)
    assert before.items() <= camvid.files().items()
    assert [len(json.loads(each)["classes"]) for each in manifests(camvid)] == [7, 7, 11]
