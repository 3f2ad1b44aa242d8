import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import roadseg
from roadseg.errors import RoadSegError
from roadseg.reading.program import DESCRIBE, check_program

ASK = "from roadseg.reading.program import DESCRIBE; print(DESCRIBE())"


def ask(path):
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env={"PYTHONPATH": str(path)}, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def test_program_differs_with_a_line_of_its_code(tmp_path):
    copy = tmp_path / "roadseg"
    shutil.copytree(Path(roadseg.__file__).parent, copy)
    assert ask(tmp_path) == DESCRIBE()
    with (copy / "scenes/preprocessing.py").open("a") as file:
        file.write("# changed\n")
    assert ask(tmp_path) != DESCRIBE()


def test_other_programs_are_refused_with_both():
    check_program("a worker", DESCRIBE(), DESCRIBE())
    words = r"a worker has roadseg 0\.0\.9 \(code 1\), this run has roadseg 0\.1\.0 \(code 2\): install the same there"
    with pytest.raises(RoadSegError, match=words):
        check_program("a worker", "roadseg 0.0.9 (code 1)", "roadseg 0.1.0 (code 2)")
    with pytest.raises(RoadSegError, match="a worker has no roadseg installed, this run has"):
        check_program("a worker", None, "roadseg 0.1.0 (code 2)")
