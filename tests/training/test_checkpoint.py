import errno
import fcntl
import subprocess
import sys
from threading import Timer

import pytest

from roadseg.errors import FileError
from roadseg.segnet import layers
from roadseg.training import checkpoint

HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is at the training in `tmp_path`."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / checkpoint.LOCK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"locked\n"
            yield process
        finally:
            process.kill()


def test_a_training_belongs_to_one_process_until_that_is_killed(tmp_path, holder):
    refused = pytest.raises(FileError, match=f"another run is at this very training, in {tmp_path}")
    with refused, checkpoint.locked(tmp_path, patience=0.0):
        pass
    holder.kill()
    with checkpoint.locked(tmp_path):
        pass


def test_what_another_process_is_at_is_not_removed(tmp_path, holder):
    (tmp_path / "state.npz").touch()
    checkpoint.remove_checkpoint(tmp_path)
    assert (tmp_path / "state.npz").exists()
    holder.kill()
    holder.wait()
    checkpoint.remove_checkpoint(tmp_path)
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}*"))


def test_a_training_that_is_removed_while_it_is_waited_for_is_refused(tmp_path, holder):
    removal = Timer(0.3, tmp_path.rename, [tmp_path.with_suffix(".gone")])
    removal.start()
    with pytest.raises(FileError, match="start again"), checkpoint.locked(tmp_path):
        pass
    removal.join()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with checkpoint.locked(tmp_path):
        assert f"{tmp_path} can't be locked (No locks available)" in caplog.text


def test_a_training_is_free_again_after_a_fault(tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="not a number"), checkpoint.locked(tmp_path):
            raise ValueError("not a number")


def test_digest_of_the_code_changes_with_any_of_its_files(tmp_path, monkeypatch):
    for room, module in (("training", checkpoint), ("segnet", layers)):
        (tmp_path / room).mkdir()
        monkeypatch.setattr(module, "__file__", str(tmp_path / room / "module.py"))
    digests = set()
    files = ("training/checkpoint.py", "a = 1"), ("segnet/layers.py", "b = 1"), ("segnet/layers.py", "b = 2")
    for name, code in (*files, ("training/notes.txt", "c")):
        (tmp_path / name).write_text(code)
        digests.add(checkpoint.digest_code())
    assert len(digests) == 3  # notes are no code


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_state_is_named_and_the_training_begins_anew_without_it(tmp_path, content):
    path = tmp_path / checkpoint.FILE
    path.write_bytes(content)
    kept = checkpoint.Checkpoint(tmp_path, "val_mean_iou", [])
    with pytest.raises(FileError, match=rf"^'{path}' is damaged \(.*\): remove it, and the training begins anew$"):
        kept.restore(None)
    path.unlink()
    assert kept.restore(None) == 0
