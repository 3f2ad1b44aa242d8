"""SIGTERM, as a cluster sends it: to all processes of a job, at any moment; and the same command again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from end_to_end.project import SMALL, Project

RECORDS = "data/08_reporting/drawn/runs/*.json"


def start(project: Project, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts a command as the leader of a group of processes."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=project.folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def terminate_at(project: Project, process: subprocess.Popen[str], pattern: str) -> tuple[str, dict[str, Any]]:
    """Sends SIGTERM to the group when a file is there, and returns output and record of the run."""
    while process.poll() is None and not list(project.folder.glob(pattern)):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    return output, json.loads(max(project.folder.glob(RECORDS)).read_text())


@pytest.mark.slow
def test_a_whole_run_ended_while_it_prepares_and_while_it_scores_leaves_only_whole_files_and_goes_on(
    project: Project,
) -> None:
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "drives": 6, "frames_per_drive": 10, "size": [96, 192]}
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    prepare = ("--params", "prepare.workers=2")
    moments = {
        ("kedro", "run", *prepare): "data/03_primary/drawn/prepared_scenes/store/*.json",
        ("roadseg", *prepare): "data/08_reporting/drawn/confusion_table.csv/*/*.csv",
    }
    for command, pattern in moments.items():
        process = start(project, *command)
        output, record = terminate_at(project, process, pattern)
        assert process.returncode == 143, output
        assert "Traceback" not in output
        assert (record["state"], record["fault"]) == ("interrupted", "SIGTERM")
    output = project.run(*prepare)
    assert "60 scenes, 0 of them to prepare" in output
    assert "Nothing to train" in output
    *ended, last = sorted(path.stem for path in project.folder.glob(RECORDS))
    tables = list(project.folder.glob("data/0*/drawn/*/*/*.csv"))
    assert {path.parent.name for path in tables} == {ended[1], last}
    for table in tables:
        assert table.read_bytes() == (table.parents[1] / last / table.name).read_bytes(), "half a table"
    assert not list(project.folder.glob("data/0[68]*/**/*.part"))
