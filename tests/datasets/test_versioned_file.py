import errno
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from kedro.io import DatasetError, Version

from full_disk import FullDisk
from roadseg.datasets.versioned_file import VersionedFileDataset


class TextDataset(VersionedFileDataset[str, str]):
    def load(self) -> str:
        return self._fs.cat_file(str(self._get_load_path())).decode()

    def save(self, data: str) -> None:
        self._write(str(self._get_save_path()), data.encode())


class NoRename(LocalFileSystem):
    protocol = "norename"

    def mv(self, path1, path2, **kwargs):
        raise OSError(errno.EIO, "Input/output error")


class KeepsListings(LocalFileSystem):
    protocol = "listings"
    listings: ClassVar[dict[str, list[str]]] = {}

    def glob(self, path, **kwargs):
        return self.listings.setdefault(path, super().glob(path, **kwargs))

    def invalidate_cache(self, path=None):
        self.listings.clear()


fsspec.register_implementation("norename", NoRename, clobber=True)
fsspec.register_implementation("listings", KeepsListings, clobber=True)


def dataset(filepath, load=None, save=None):
    return TextDataset(filepath=str(filepath), version=Version(load, save))


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_version_is_a_folder_of_the_file(tmp_path):
    dataset(tmp_path / "a" / "a.txt", save="v1").save("one")
    assert files_under(tmp_path) == ["a/a.txt/v1/a.txt"]
    assert (tmp_path / "a" / "a.txt" / "v1" / "a.txt").read_text() == "one"


def test_without_a_version_the_file_is_overwritten(tmp_path):
    unversioned = TextDataset(filepath=str(tmp_path / "a.txt"))
    assert not unversioned.exists()
    unversioned.save("one")
    unversioned.save("two")
    assert unversioned.load() == "two"
    assert files_under(tmp_path) == ["a.txt"]


def test_latest_version_is_loaded_unless_another_is_pinned(tmp_path):
    for version in ("v1", "v2", "v3"):
        dataset(tmp_path / "a.txt", save=version).save(f"text of {version}")
    assert dataset(tmp_path / "a.txt").load() == "text of v3"
    assert dataset(tmp_path / "a.txt", load="v1").load() == "text of v1"
    assert sorted(dataset(tmp_path / "a.txt").list_versions(full_path=False)) == ["v1", "v2", "v3"]


def test_version_is_never_overwritten(tmp_path):
    dataset(tmp_path / "a.txt", save="v1").save("one")
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path / "a.txt", save="v1").save("two")
    assert dataset(tmp_path / "a.txt").load() == "one"


def test_after_a_release_listings_that_a_file_system_keeps_are_asked_for_again(tmp_path):
    remote = dataset(f"listings://{tmp_path}/a.txt")
    assert remote.list_versions() == []
    dataset(tmp_path / "a.txt", save="v1").save("one")
    remote.release()
    assert remote.list_versions(full_path=False) == ["v1"]


def test_version_that_is_missing_is_named(tmp_path):
    dataset(tmp_path / "a.txt", save="v1").save("one")
    assert not dataset(tmp_path / "a.txt", load="v0").exists()
    with pytest.raises(DatasetError, match="v0"):
        dataset(tmp_path / "a.txt", load="v0").load()


def test_half_written_file_is_no_version(tmp_path):
    folder = tmp_path / "a.txt" / "v1"
    folder.mkdir(parents=True)
    (folder / "a.txt.0123.part").write_text("on")
    assert not dataset(tmp_path / "a.txt").exists()
    assert dataset(tmp_path / "a.txt").list_versions() == []
    dataset(tmp_path / "a.txt", save="v1").save("one")
    assert dataset(tmp_path / "a.txt").load() == "one"


@pytest.mark.parametrize(("protocol", "words"), [("fulldisk", "the disk is full"), ("norename", "Input/output error")])
def test_fault_while_writing_leaves_nothing_and_keeps_older_versions(tmp_path, protocol, words):
    dataset(tmp_path / "a.txt", save="v1").save("one")
    with pytest.raises(DatasetError, match=words):
        dataset(f"{protocol}://{tmp_path}/a.txt", save="v2").save("two")
    assert files_under(tmp_path) == ["a.txt/v1/a.txt"]
    assert dataset(tmp_path / "a.txt").load() == "one"


def test_fault_at_the_first_version_leaves_none(tmp_path, monkeypatch):
    full = dataset(f"fulldisk://{tmp_path}/a.txt", save="v1")
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save("one")
    assert not full.exists()
    monkeypatch.setattr(FullDisk, "room", 3)
    full.save("one")
    assert full.load() == "one"


def test_other_file_systems_work():
    remote = dataset("memory:///versioned_file/a.txt", save="v1")
    remote.save("one")
    assert remote.exists()
    assert dataset("memory:///versioned_file/a.txt").load() == "one"
    assert fsspec.filesystem("memory").find("/versioned_file") == ["/versioned_file/a.txt/v1/a.txt"]


def test_credentials_and_arguments_reach_the_file_system(tmp_path):
    made = TextDataset(
        filepath=str(tmp_path / "a.txt"), credentials={"secret": 1}, fs_args={"auto_mkdir": True}, metadata={"a": 1}
    )
    assert made._fs.auto_mkdir
    assert made._fs.storage_options["secret"] == 1
    assert made.metadata == {"a": 1}
    assert "secret" not in str(made)
