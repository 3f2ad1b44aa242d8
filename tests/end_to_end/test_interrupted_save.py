"""Ctrl-C in the middle of a save, whatever runs the nodes: each version is whole or not there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.exceptions import Exit
from kedro.framework.startup import bootstrap_project
from kedro.runner import AbstractRunner, SequentialRunner, ThreadRunner

from end_to_end.project import SMALL, Project
from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.session import RoadSegSession
from slow_disk import SlowDisk


@pytest.fixture
def on_slow_disk(project: Project) -> Project:
    """A project of three scenes whose results go to a slow disk."""
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "drives": 3, "frames_per_drive": 1}
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    project.configure("local", "parameters.yml", {"prepare": {"image_size": [32, 48], "workers": 1}})
    project.keep_results_in(f"slowdisk://{project.folder}/data")
    return project


@pytest.fixture
def here(on_slow_disk: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project, to be run in this process, which takes Ctrl-C also where a shell has switched it off."""
    monkeypatch.setattr("roadseg.session.atexit.register", lambda *_: None)  # it would end this process
    monkeypatch.chdir(on_slow_disk.folder)
    bootstrap_project(on_slow_disk.folder)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield on_slow_disk
    signal.signal(signal.SIGINT, before)


def prepare(project: Project, runner: AbstractRunner) -> None:
    with RoadSegSession.create(project.folder) as session:
        session.run(pipeline_names=["prepare"], runner=runner)


def read_last_record(project: Project) -> RunRecord:
    return RunRecordsDataset(filepath=str(project.folder / "data/08_reporting/drawn/runs")).load()[0]


def find_saved(project: Project, name: str) -> list[bytes]:
    """Returns each version of an output, the oldest first; nothing but whole files may lie beside them."""
    paths = sorted((project.folder / "data").rglob(f"{name}/*/*"))
    assert {path.name for path in paths} <= {name}
    return [path.read_bytes() for path in paths]


@pytest.mark.parametrize(
    ("runner", "name", "is_ended"),  # a thread ends what it saves; in the main thread Ctrl-C stops it
    [
        (SequentialRunner(), "split_table.csv", False),
        (SequentialRunner(is_async=True), "data_report.html", True),
        (ThreadRunner(), "manifest.json", True),
    ],
    ids=["plain", "async", "threads"],
)
def test_ctrl_c_amid_a_save_leaves_no_half_version_and_the_next_run_goes_on(
    here: Project, runner: AbstractRunner, name: str, is_ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlowDisk, "only", f"/{name}")
    with pytest.raises(Exit) as ended:
        prepare(here, runner)
    assert ended.value.exit_code == 130
    assert read_last_record(here).state == "interrupted"
    interrupted = find_saved(here, name)
    assert len(interrupted) == is_ended
    monkeypatch.setattr(SlowDisk, "only", "nothing")
    prepare(here, runner)
    assert read_last_record(here).state == "done"
    *earlier, last = find_saved(here, name)
    assert earlier == interrupted
    assert {len(each) for each in earlier} <= {len(last)}


WAITING = """
import time, kedro.framework.cli.cli, slow_disk
slow_disk.SlowDisk.only = "/split_table.csv"
slow_disk.SlowDisk.meanwhile = lambda _: print("half is written", flush=True) or time.sleep(60)
kedro.framework.cli.cli.main()
"""


def test_who_does_not_wait_for_a_thread_that_saves_leaves_no_half_version(here: Project) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "run", "--pipelines", "prepare", "--runner", "ThreadRunner"],
        cwd=here.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "half is written" in line:
                break
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.3)
                break
            except subprocess.TimeoutExpired:
                pass
        assert process.returncode == 130
    assert read_last_record(here).state == "interrupted"
    assert not list(here.folder.rglob("split_table.csv/*/split_table.csv"))
    prepare(here, SequentialRunner())
    assert len(here.versions("03_primary/drawn/split_table.csv")) == 2  # of the first there is a part of a file
    assert len(list(here.folder.rglob("split_table.csv/*/split_table.csv"))) == 1
