import errno
import fcntl
from threading import Timer

import pytest

from roadseg.errors import FileError
from roadseg.reading.folder_lock import locked


def test_a_training_belongs_to_one_process_until_that_is_killed(tmp_path, holder):
    refused = pytest.raises(FileError, match=f"another run is doing the same training, in {tmp_path}")
    with refused, locked(tmp_path, "training", patience=0.0):
        pass
    holder.kill()
    with locked(tmp_path, "training"):
        pass


def test_a_training_that_is_removed_while_it_is_waited_for_is_refused(tmp_path, holder):
    removal = Timer(0.3, tmp_path.rename, [tmp_path.with_suffix(".gone")])
    removal.start()
    with pytest.raises(FileError, match="start again"), locked(tmp_path, "training"):
        pass
    removal.join()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path, "training"):
        assert f"{tmp_path} can't be locked (No locks available)" in caplog.text


def test_a_training_is_free_again_after_a_fault(tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="not a number"), locked(tmp_path, "training"):
            raise ValueError("not a number")


def test_a_folder_that_can_not_be_written_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(fcntl, "flock", refuse)
    refused = pytest.raises(FileError, match=rf"^'{tmp_path}' can't be written: Read-only file system$")
    with refused, locked(tmp_path, "training"):
        pass
