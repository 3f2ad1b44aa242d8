"""Pictures and videos that nobody annotated, predicted as a user does it: again, after changes, and after kills."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from end_to_end.project import Project
from predicting.pictures import save_picture, save_video

PICTURES, FRAMES = 48, 40
PREDICTED = "data/07_model_output/drawn/predicted_pictures"


def draw_picture(seed: int, size: tuple[int, int] = (60, 90)) -> np.ndarray[Any, Any]:
    """Returns large squares of random colours: (height, width, 3) uint8, RGB."""
    squares = np.random.default_rng(seed).integers(0, 256, (size[0] // 10, size[1] // 10, 3), np.uint8)
    return squares.repeat(10, axis=0).repeat(10, axis=1)


def read_index(project: Project) -> list[dict[str, Any]]:
    """Returns the entries of the newest version."""
    index = max(project.folder.glob(f"{PREDICTED}/*/predicted_pictures/index.json"))
    entries: list[dict[str, Any]] = json.loads(index.read_text())["entries"]
    return entries


def read_files(project: Project) -> dict[str, bytes]:
    """Returns the files of the newest version, without the index."""
    folder = max(project.folder.glob(f"{PREDICTED}/*/predicted_pictures"))
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "index.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_second_run_predicts_what_changed_and_stays_whole_when_the_first_is_pruned(trained_copy: Project) -> None:
    source = trained_copy.folder / "ä source"
    for number, name in enumerate(("drive 1/a.png", "drive 1/b.JPG", "drive 2/c.bmp", "gone.png")):
        save_picture(source / name, draw_picture(number, (60 + 10 * number, 90)))
    save_video(source / "film.avi", [draw_picture(number) for number in range(3)])
    (source / "broken.jpg").write_bytes(b"no picture")
    command = ("--pipelines", "predict", "--params", f"source={source}")

    output = trained_copy.run(*command)
    assert "5 of 5 pictures and 1 of 1 video to predict" in output
    assert "1 fault in 5 pictures and 1 video: broken: 'broken.jpg' is no image" in output
    names = ["broken", "drive 1/a", "drive 1/b", "drive 2/c", "film/000000", "film/000001", "film/000002", "gone"]
    assert [each["picture"] for each in read_index(trained_copy)] == names
    before = read_files(trained_copy)

    save_picture(source / "drive 1/a.png", draw_picture(9, (30, 40)))
    save_picture(source / "broken.jpg", draw_picture(10))
    (source / "gone.png").unlink()
    output = trained_copy.run(*command)
    assert "2 of 4 pictures and 0 of 1 video to predict" in output
    assert trained_copy.kedro("prune", "--keep", "1").returncode == 0
    (version,) = trained_copy.folder.glob(f"{PREDICTED}/*/predicted_pictures")
    after = read_files(trained_copy)
    kept = ["drive 1/b", "drive 2/c", "film/000000", "film/000001", "film/000002"]
    assert {name for name in after if before.get(name) == after[name]} == {
        *(f"label_maps/{name}.png" for name in kept),
        *(f"thumbnails/{name}.jpg" for name in kept),
        *(f"overlays/{name}.jpg" for name in kept[:2]),
        "overlays/film.mp4",
    }
    assert [each["picture"] for each in read_index(trained_copy)] == names[:-1]
    assert not any("gone" in name for name in after)
    assert len(list((version / "label_maps").rglob("*.png"))) == 7


def kill_when(is_time: Callable[[], bool], project: Project, *command: str) -> None:
    """Starts a run and kills it at a moment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kedro", "run", *command],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not is_time():
        assert process.poll() is None, "ended before it was killed"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def read_finished(project: Project) -> dict[str, int]:
    """Returns the pictures and frames of the half-done folder, and when the label map of each was written."""
    finished = {}
    for journal in project.folder.glob(f"{PREDICTED}/half_done/*/files/journal.jsonl"):
        for line in journal.read_bytes().splitlines(keepends=True):
            name = json.loads(line).get("picture") if line.endswith(b"\n") else None
            if name is not None:
                finished[name] = (journal.parent / f"label_maps/{name}.png").stat().st_mtime_ns
    return finished


@pytest.mark.slow
def test_killed_amid_pictures_and_amid_a_video_it_predicts_the_rest_with_the_bytes_of_one_never_killed(
    trained_copy: Project, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for number in range(PICTURES):
        save_picture(source / f"drive {number % 3}/{number:02d}.png", draw_picture(number, (600, 800)))
    save_video(source / "film.avi", [draw_picture(number, (600, 800)) for number in range(FRAMES)])
    shutil.copytree(trained_copy.folder, tmp_path / "whole")
    whole = Project(tmp_path / "whole")
    command = ("--pipelines", "predict", "--params", f"source={source},predict.maps=[confidence]")
    whole.run(*command)

    kill_when(lambda: len(read_finished(trained_copy)) >= PICTURES // 3, trained_copy, *command)
    pictures = read_finished(trained_copy)
    assert PICTURES // 3 <= len(pictures) < PICTURES
    kill_when(lambda: len(read_finished(trained_copy)) >= PICTURES + FRAMES // 3, trained_copy, *command)
    finished = read_finished(trained_copy)
    assert PICTURES + FRAMES // 3 <= len(finished) < PICTURES + FRAMES
    assert pictures.items() <= finished.items()
    output = trained_copy.run(*command)
    assert f"0 of {PICTURES} pictures and 1 of 1 video to predict" in output
    assert read_files(trained_copy) == read_files(whole)
    folder = max(trained_copy.folder.glob(f"{PREDICTED}/*/predicted_pictures"))
    assert all((folder / f"label_maps/{name}.png").stat().st_mtime_ns == written for name, written in finished.items())
    entries, others = read_index(trained_copy), read_index(whole)
    assert [each | {"seconds": 0} for each in entries] == [each | {"seconds": 0} for each in others]
