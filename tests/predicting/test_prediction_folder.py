"""Folders of predictions: journals of killed runs, and what is taken over from finished ones."""

import resource
import uuid

import fsspec
import pytest

from roadseg.errors import FileError
from roadseg.predicting.entry import Entry
from roadseg.predicting.prediction_folder import (
    INDEX,
    JOURNAL,
    KINDS,
    OVERLAYS,
    VIDEOS,
    Footage,
    PredictionFolder,
    find_versions,
    read_index,
)
from roadseg.reading.folder import Folder
from roadseg.reading.whole_file import WholeFiles

OF_PICTURE = set(KINDS) - {VIDEOS}


def entry(picture, fingerprint="1:2", **facts):
    return Entry(picture=picture, drive="", fingerprint=fingerprint, **facts)


def fill(path, *names):
    """Returns a folder in which pictures are finished."""
    folder = PredictionFolder(path)
    for name in names:
        for kind in OF_PICTURE:
            folder.write(kind, name, f"{kind} of {name}".encode())
        folder.note(entry(name))
    return folder


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_journal_whose_last_line_was_cut_loses_that_picture_alone(tmp_path, cut):
    folder = fill(tmp_path, "a", "b")
    folder.note(Footage(video="film", fingerprint="3:4"))
    folder.note(entry("film/000000", "3:4", time=0.5))
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-cut])
    again = PredictionFolder(tmp_path)
    assert (list(again.entries), list(again.videos)) == (["a", "b"], ["film"])
    again.note(entry("c"))
    assert list(PredictionFolder(tmp_path).entries) == ["a", "b", "c"]


def test_a_damaged_journal_is_refused_with_what_to_do(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / JOURNAL).write_bytes(b'{"picture": 1}\n')
    with pytest.raises(FileError, match=f"'{tmp_path / JOURNAL}' is damaged: remove '{tmp_path}', and predict again"):
        PredictionFolder(tmp_path)


def test_a_line_that_the_disk_has_no_room_for_is_lost_alone(tmp_path):
    folder = fill(tmp_path, "a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / JOURNAL).stat().st_size + 20, hard))
    try:
        with pytest.raises(
            FileError, match=rf"'{tmp_path / JOURNAL}' can't be written: File too large; see that there"
        ):
            folder.note(entry("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    folder.note(entry("c"))
    assert list(folder.entries) == list(PredictionFolder(tmp_path).entries) == ["a", "c"]


def test_a_finished_folder_holds_what_is_of_the_source_and_no_more(tmp_path):
    folder = fill(tmp_path, "b", "a", "gone/x")
    (tmp_path / "label_maps/b.png.0123.part").touch()
    index = folder.finish("key", ["a", "b"], [])
    assert index == read_index(Folder.at(tmp_path))
    assert [each.picture for each in index.entries] == ["a", "b"]
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    expected = {f"{kind}/{name}{KINDS[kind]}" for kind in set(KINDS) - {VIDEOS} for name in "ab"}
    assert files == {*expected, INDEX}


def test_pictures_that_are_the_same_are_taken_over_with_their_files(tmp_path):
    old = fill(tmp_path / "v1/x", "same", "changed", "gone", "lacking")
    old.name_file("label_maps", "lacking").unlink()
    old.note(entry("broken", fault="no image"))
    old.finish("key", ["same", "changed", "gone", "lacking", "broken"], [])
    folder = PredictionFolder(tmp_path / "work")
    fingerprints = {"same": "1:2", "changed": "9:9", "lacking": "1:2", "broken": "1:2", "other": "1:2"}
    folder.take_over(Folder.at(tmp_path / "v1/x"), fingerprints, OF_PICTURE)
    assert list(folder.entries) == ["same"]
    assert (tmp_path / "work/overlays/same.jpg").read_text() == "overlays of same"
    assert (tmp_path / "work/overlays/same.jpg").samefile(tmp_path / "v1/x/overlays/same.jpg")
    assert not (tmp_path / "work/overlays/changed.jpg").exists()


def test_pictures_that_are_the_same_are_fetched_from_a_store(tmp_path):
    names = ["same", "changed", "lacking"]
    fill(tmp_path / "v1", *names).finish("key", names, [])
    (tmp_path / "v1/label_maps/lacking.png").unlink()
    version = Folder(WholeFiles(fsspec.filesystem("memory")), f"/{uuid.uuid4().hex}")
    version.take(tmp_path / "v1", INDEX)
    folder = PredictionFolder(tmp_path / "work")
    folder.take_over(version, {"same": "1:2", "changed": "9:9", "lacking": "1:2"}, OF_PICTURE)
    assert list(folder.entries) == ["same"]
    fetched = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
    assert fetched == {JOURNAL, *(f"{kind}/same{KINDS[kind]}" for kind in OF_PICTURE)}
    assert (tmp_path / "work/overlays/same.jpg").read_text() == "overlays of same"


def test_files_are_copied_where_the_file_system_has_no_links(tmp_path, monkeypatch):
    fill(tmp_path / "v1/x", "a").finish("key", ["a"], [])
    folder = PredictionFolder(tmp_path / "work")

    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    folder.take_over(Folder.at(tmp_path / "v1/x"), {"a": "1:2"}, OF_PICTURE)
    assert (tmp_path / "work/label_maps/a.png").read_text() == "label_maps of a"


def test_frames_are_taken_over_by_the_fingerprint_of_their_video(tmp_path):
    old = PredictionFolder(tmp_path / "v1/x")
    frames = [Entry(picture=f"film/{number}", drive="film", fingerprint="3:4", time=number / 2) for number in range(2)]
    fault = Entry(picture="film", drive="film", fingerprint="3:4", time=1.0, fault="cut off")
    for each in (*frames, fault):
        old.note(each)
        for kind in OF_PICTURE - {OVERLAYS} if not each.fault else ():
            old.write(kind, each.picture, b"file")
    old.write(VIDEOS, "film", b"frames")
    old.note(Footage(video="film", fingerprint="3:4"))
    old.finish("key", ["film/0", "film/1", "film"], ["film"])
    folder = PredictionFolder(tmp_path / "work")
    folder.take_over(Folder.at(tmp_path / "v1/x"), {"film": "3:4"}, OF_PICTURE)
    assert (list(folder.entries), list(folder.videos)) == (["film/0", "film/1", "film"], ["film"])
    assert (tmp_path / "work/overlays/film.mp4").read_bytes() == b"frames"
    (tmp_path / "v1/x/overlays/film.mp4").unlink()
    (tmp_path / "v1/x/label_maps/film/0.png").unlink()
    folder = PredictionFolder(tmp_path / "again")
    folder.take_over(Folder.at(tmp_path / "v1/x"), {"film": "3:4"}, OF_PICTURE)
    assert (list(folder.entries), list(folder.videos)) == (["film/1", "film"], [])


def test_what_was_finished_and_not_saved_is_gone_on_with(tmp_path):
    fill(tmp_path, "a", "b").finish("key", ["a", "b"], [])
    again = PredictionFolder(tmp_path)
    assert list(again.entries) == ["a", "b"]
    assert not (tmp_path / INDEX).exists()
    assert list(PredictionFolder(tmp_path).entries) == ["a", "b"]


def test_folders_with_the_key_are_found_newest_first(tmp_path):
    for version, key in (("v1", "k"), ("v2", "k"), ("v3", "other")):
        fill(tmp_path / "x" / version / "x", "a").finish(key, ["a"], [])
    (tmp_path / "x/v4/x/label_maps").mkdir(parents=True)
    versions = Folder.at(tmp_path / "x")
    assert [each.on_disk for each in find_versions(versions, "k")] == [tmp_path / "x/v2/x", tmp_path / "x/v1/x"]
    assert find_versions(versions, "none") == []
    (tmp_path / "x/v3/x" / INDEX).write_text("{")
    with pytest.raises(FileError, match=r"index\.json' is damaged"):
        find_versions(versions, "k")
