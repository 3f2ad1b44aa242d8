"""Files written whole in object stores: in memory, and on a server that speaks S3."""

import subprocess
import sys

import fsspec
import pytest

from roadseg.reading.whole_file import WholeFiles, open_whole

WRITE_AND_WAIT = """
import sys, time
from roadseg.reading.whole_file import WholeFiles
files = WholeFiles.reached_by("s3")
with files.open(sys.argv[1], "wb") as file:
    file.write(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.scale)])
def place(request, tmp_path):
    """A file system, and a folder in it that nobody used."""
    if request.param == "memory":
        return WholeFiles.reached_by("memory"), f"memory://{tmp_path}"
    server = request.getfixturevalue("s3")
    return WholeFiles.reached_by("s3", server.credentials, server.fs_args), server.make_bucket()


def test_what_is_written_is_there_when_the_file_is_closed(place):
    files, folder = place
    with files.open(f"{folder}/a/b.txt", "wb") as file:
        file.write(b"one")
        assert not files.exists(f"{folder}/a/b.txt")
        file.write(b"two")
    assert files.cat_file(f"{folder}/a/b.txt") == b"onetwo"


def test_text_is_encoded_as_asked_for(place):
    files, folder = place
    with files.open(f"{folder}/a.txt", "w", encoding="utf-16-le", newline="\r\n") as file:
        file.write("Straße\n")
    assert files.cat_file(f"{folder}/a.txt") == "Straße\r\n".encode("utf-16-le")


@pytest.mark.parametrize("mode", ["wb", "w"])
@pytest.mark.parametrize("fault", [ValueError("wrong"), KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_who_is_stopped_amid_writing_leaves_what_was_there(place, mode, fault):
    files, folder = place
    files.pipe_file(f"{folder}/old.txt", b"old")
    for name in ("old", "new"):
        with pytest.raises(type(fault)):
            write(files, f"{folder}/{name}.txt", mode, fault)
    assert [path.rpartition("/")[2] for path in files.find(folder)] == ["old.txt"]
    assert files.cat_file(f"{folder}/old.txt") == b"old"


def write(files, path, mode, fault):
    with files.open(path, mode) as file:
        file.write("two" if mode == "w" else b"two")
        raise fault


@pytest.mark.scale
def test_a_file_is_one_request_to_write_and_one_to_read(s3):
    files, path = WholeFiles.reached_by("s3", s3.credentials, s3.fs_args), f"{s3.make_bucket()}/folder/a.txt"
    s3.recover()
    with files.open(path, "wb") as file:
        file.write(b"one")
    assert s3.count_requests() == {"PUT": 1}
    assert files.cat_file(path) == b"one"
    assert s3.count_requests() == {"GET": 1}


@pytest.mark.scale
def test_who_is_killed_amid_writing_leaves_nothing(s3):
    path = f"{s3.make_bucket()}/a.txt"
    command = [sys.executable, "-c", WRITE_AND_WAIT, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=s3.environment) as process:
        assert process.stdout.readline() == b"writing\n"
        process.kill()
    assert not s3.fs.exists(path)


@pytest.mark.scale
def test_a_large_file_goes_in_parts_and_is_not_there_without_one_of_them(s3):
    files, path = WholeFiles.reached_by("s3", s3.credentials, s3.fs_args), f"{s3.make_bucket()}/large"
    content = bytes(range(256)) * (110 * 2**12)  # above a hundred MiB s3fs sends parts of fifty
    s3.fail(status=403, kinds=["COMPLETE"])
    with (
        pytest.raises(PermissionError),
        open_whole(fsspec.filesystem("s3", **s3.credentials, **s3.fs_args), path) as file,
    ):
        file.write(content)
    assert not s3.fs.exists(path)
    s3.recover()
    with files.open(path, "wb") as file:
        file.write(content)
    assert s3.count_requests("large") == {"BEGIN": 1, "PART": 3, "COMPLETE": 1}
    assert files.cat_file(path) == content
