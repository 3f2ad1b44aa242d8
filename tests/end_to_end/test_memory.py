"""Scenes are read while they are needed: memory does not grow with their number."""

import subprocess
import sys

import pytest

from end_to_end.project import SMALL, Project

PEAK = (
    "import sys; from kedro.framework.cli.cli import main; sys.argv = ['kedro', 'run', *sys.argv[1:]]\n"
    "try:\n    main()\nfinally:\n"
    "    print('PEAK', *(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
)
"""Runs kedro, and prints the most memory that it took, in KiB. `resource.getrusage` would begin with what the process
that starts it has, here that of all tests."""


@pytest.mark.slow
def test_4000_scenes_take_as_much_memory_as_200(project: Project) -> None:
    peaks = {}
    for drives in (10, 200):
        raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "size": [32, 64], "drives": drives, "frames_per_drive": 20}
        project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
        for pipeline in ("prepare", "train", "evaluate"):
            done = subprocess.run(
                [sys.executable, "-c", PEAK, "--pipelines", pipeline, "--params", "train.epochs=1"],
                cwd=project.folder,
                capture_output=True,
                text=True,
                check=True,
            )
            peaks[pipeline, drives] = int(done.stdout.rsplit("PEAK ", 1)[1])
    growth = {pipeline: peaks[pipeline, 200] / peaks[pipeline, 10] for pipeline in ("prepare", "train", "evaluate")}
    assert max(growth.values()) <= 1.1, growth
