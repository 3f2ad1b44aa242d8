"""What several test files share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.table import DATA_SETS
from roadseg.datasets.run_records import RunRecord
from roadseg.reading.folder_lock import LOCK
from roadseg.scenes.prepared import PreparedScene, PreparedScenes
from s3_server import S3Server, run_server

NOBODY = 65534
HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""

COLOURS = ((128, 64, 18), (0, 0, 230), (70, 130, 180))


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str], Path]:
    """Draws a data set by its name, and returns its folder."""

    def draw_data_set(name: str) -> Path:
        DATA_SETS[name].draw(tmp_path / name)
        return tmp_path / name

    return draw_data_set


def make_folder_fixture(name: str) -> Any:
    @pytest.fixture(name=f"{name}_folder")
    def draw_folder(draw: Callable[[str], Path]) -> Path:
        return draw(name)

    return draw_folder


# `camvid_folder` and so on: each data set of the table, drawn.
globals().update({f"{name}_folder": make_folder_fixture(name) for name in DATA_SETS})


@pytest.fixture
def as_ordinary_user() -> Callable[[Path], AbstractContextManager[None]]:
    """Works in a folder as a user whom permissions bind, also where the tests run as root."""
    return work_as_ordinary_user


@contextmanager
def work_as_ordinary_user(folder: Path) -> Iterator[None]:
    user, here = os.geteuid(), Path.cwd()
    folder.chmod(0o755)
    os.chdir(folder)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        os.chdir(here)


@pytest.fixture
def in_memory() -> Callable[[Mapping[str, PreparedScene]], PreparedScenes]:
    """Makes `PreparedScenes` of three classes from scenes at hand; a scene's drive is its id up to the underscore."""
    return keep_in_memory


def keep_in_memory(scenes: Mapping[str, PreparedScene]) -> PreparedScenes:
    rows = [
        {
            "scene": scene,
            "drive": scene.split("_")[0],
            "published_split": None,
            "usable": True,
            "faults": [[fault.kind, fault.detail] for fault in each.faults],
            "height": each.raw_size[0],
            "width": each.raw_size[1],
            "pixels": None
            if each.label_map is None
            else np.bincount(each.label_map.ravel(), minlength=256)[:3].tolist(),
            "image_hash": None,
            "image": f"{scene}.image.png",
            "label_map": None if each.label_map is None else f"{scene}.labels.png",
        }
        for scene, each in scenes.items()
    ]
    classes = [{"name": f"class {index}", "colour": colour} for index, colour in enumerate(COLOURS)]
    image_size = next(iter(scenes.values())).image.shape[:2]
    manifest = {"classes": classes, "image_size": list(image_size), "scenes": rows}
    return PreparedScenes(manifest, lambda row: scenes[row["scene"]])


@pytest.fixture
def run_record() -> Callable[..., RunRecord]:
    """Makes the record of a run that ended well, from its id and what is to be said of it."""
    return make_run_record


def make_run_record(run: str, **facts: Any) -> RunRecord:
    machine = {"host": "here", "process": 1, "system": "Linux", "cores": 2, "memory": 8, "gpus": []}
    record = {
        "run": run,
        "state": "done",
        "fault": None,
        "started": "2026-01-31T10:20:30Z",
        "seconds": 61.0,
        "command": "kedro run",
        "pipelines": ["__default__"],
        "nodes": ["train_segnet"],
        "environment": "",
        "given_parameters": {},
        "parameters": {"seed": 1},
        "commit": None,
        "is_dirty": None,
        "packages": {"python": "3.11.7"},
        "backend": None,
        "machine": machine,
        "loaded": {},
        "saved": {},
        "training": None,
        "digests": None,
        "resolution": None,
        "scores": None,
    }
    return RunRecord.model_validate(record | facts)


@pytest.fixture
def holder(tmp_path):
    """Another process that has locked `tmp_path`."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / LOCK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"locked\n"
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3Server]:
    with run_server() as server:
        yield server


@pytest.fixture
def s3(running_s3: S3Server) -> S3Server:
    """A server that speaks S3, as if it had just started; `make_bucket` gives a test a place of its own."""
    running_s3.recover()
    return running_s3
