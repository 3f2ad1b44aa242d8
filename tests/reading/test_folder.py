import uuid
from pathlib import Path

import fsspec
import pytest

from full_disk import FullDisk
from roadseg.errors import FileError
from roadseg.reading.folder import Folder, name_place
from roadseg.reading.whole_file import WholeFiles

FILES = {"a.txt": b"one", "b/c*[0].txt": b"two", "last.json": b"{}"}


@pytest.fixture(params=["file", "memory"])
def folder(request, tmp_path):
    path = str(tmp_path) if request.param == "file" else f"/{uuid.uuid4().hex}"
    return Folder(WholeFiles(fsspec.filesystem(request.param)), path) / "here"


@pytest.fixture
def stored():
    return Folder(WholeFiles(fsspec.filesystem("memory")), f"/{uuid.uuid4().hex}/here")


@pytest.fixture
def source(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_bytes(content)
    return tmp_path / "source"


def test_what_is_written_is_there_to_be_read(folder):
    assert (folder.list_names(), folder.list_files()) == ([], [])
    folder.write("b/a.txt", b"one")
    assert folder.read("b/a.txt") == (folder / "b").read("a.txt") == b"one"
    assert (folder.has("b/a.txt"), folder.has("a.txt")) == (True, False)
    assert (folder.list_names(), folder.list_files(), folder.name) == (["b"], ["b/a.txt"], "here")


def test_a_file_is_created_once(folder):
    folder.create("a.txt", b"one")
    with pytest.raises(FileExistsError):
        folder.create("a.txt", b"two")
    assert folder.read("a.txt") == b"one"


def test_a_file_that_a_full_disk_does_not_take_is_not_created(tmp_path):
    folder = Folder(WholeFiles(FullDisk()), str(tmp_path / "a"))
    with pytest.raises(OSError, match="No space left"):
        folder.create("a.txt", b"one")
    assert folder.list_names() == []


def test_a_folder_of_the_disk_is_taken_and_comes_back(stored, source, tmp_path):
    stored.take(source, "last.json")
    assert {name: stored.read(name) for name in stored.list_files()} == FILES
    stored.fetch(tmp_path / "copy")
    assert {name: (tmp_path / "copy" / name).read_bytes() for name in FILES} == FILES
    stored.fetch(tmp_path / "part", ["a.txt"])
    assert [path.name for path in (tmp_path / "part").iterdir()] == ["a.txt"]


def test_the_last_file_comes_after_all_others(source):
    class Notes:
        protocol, put_files = "memory", []

        def put(self, sources, targets):
            self.put_files.append(sorted(targets))

    Folder(Notes(), "/x").take(source, "last.json")
    assert Notes.put_files == [["/x/a.txt", "/x/b/c*[0].txt"], ["/x/last.json"]]


def test_nothing_stays_of_what_was_there_before(stored, source):
    stored.write("old.txt", b"old")
    stored.write("last.json", b"old")
    stored.replace_by(source, "last.json")
    assert stored.list_files() == sorted(FILES)


def test_only_a_folder_of_the_disk_has_a_path_there(tmp_path):
    assert Folder.at(tmp_path).on_disk == tmp_path
    stored = Folder(WholeFiles(fsspec.filesystem("memory")), "/bucket/states")
    with pytest.raises(FileError, match=r"^'memory://bucket/states' must be a folder on the local disk: see local_"):
        _ = stored.on_disk


def test_a_path_is_shown_as_people_write_it(tmp_path):
    local, memory = (fsspec.filesystem(each) for each in ("file", "memory"))
    assert name_place(local, f"{tmp_path}/a", tmp_path) == "a"
    assert name_place(local, "/b/a", tmp_path) == "/b/a"
    assert name_place(memory, "/b/a", Path("/")) == "memory://b/a"
