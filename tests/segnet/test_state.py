import subprocess
import sys

import pytest

from roadseg.segnet import state

HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_training_belongs_to_one_process_until_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "PATIENCE", 0.0)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / state.LOCK)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"locked\n"
            refused = pytest.raises(BlockingIOError, match=f"another run is at this very training, in {tmp_path}")
            with refused, state.locked(tmp_path):
                pass
        finally:
            holder.kill()
    with state.locked(tmp_path):
        pass


def test_a_training_is_free_again_after_a_fault(tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="not a number"), state.locked(tmp_path):
            raise ValueError("not a number")


def test_digest_of_the_code_changes_with_any_of_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "__file__", str(tmp_path / "state.py"))
    digests = set()
    for name, code in (("state.py", "a = 1"), ("layers.py", "b = 1"), ("layers.py", "b = 2"), ("notes.txt", "c")):
        (tmp_path / name).write_text(code)
        digests.add(state.digest_code())
    assert len(digests) == 3  # notes are no code
