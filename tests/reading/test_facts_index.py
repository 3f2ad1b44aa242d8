"""The file that repeats the facts of all scenes, and what a preparation reads instead of it."""

import dataclasses
import json

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem

from reading.noise import IDS, SIZE, Work, assert_equal_scenes, contents
from roadseg.errors import FileError, InputError
from roadseg.reading.facts_index import FactsIndex
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles
from roadseg.scenes.prepared import PreparedScene

USABLE = {"usable": True, "faults": [], "height": 4, "width": 6, "pixels": [3, 0, 2], "image_hash": "0a"}
BROKEN = {
    **{"usable": False, "faults": [["image broken", "cut"]], "height": None, "width": None},
    **{"pixels": None, "image_hash": None, "readers": 2},
}
LINES = (
    rb'"a\tb-1"	{"usable":true,"faults":[],"height":4,"width":6,"pixels":[3,0,2],"image_hash":"0a"}' + b"\n"
    b'"b-2"	{"usable":false,"faults":[["image broken","cut"]],"height":null,"width":null,"pixels":null,'
    b'"image_hash":null,"readers":2}\n'
)
SHA_256 = b"b579f622375a1896a8816cdb28f1e9758d56a56765b0797a085edbe53b48ef68"
"""Of the lines, as `sha256sum` says it."""


class CountedFileSystem(LocalFileSystem):
    """A disk that notes which files are read whole."""

    protocol = "counted"
    read = ()

    def cat_file(self, path, *place, **arguments):
        type(self).read += (path.rpartition("/")[2],)
        return super().cat_file(path, *place, **arguments)


fsspec.register_implementation("counted", CountedFileSystem, clobber=True)


@pytest.fixture
def work():
    return Work()


def saved(folder, plan):
    return carry_out(plan, SceneStore(WholeFiles.reached_by("counted"), f"{folder}/store"))


def files_read(folder, plan):
    CountedFileSystem.read = ()
    saved(folder, plan)
    return sorted(CountedFileSystem.read)


def index(folder):
    return FactsIndex.load(WholeFiles.reached_by("file"), f"{folder}/facts.index")


def test_file_is_a_checksum_and_a_line_per_scene_by_name(tmp_path):
    empty = index(tmp_path)
    empty.add("b-2", BROKEN)
    void = [0] * 252 + [7]
    empty.add("a\tb-1", {**USABLE, "pixels": [3, 0, 2, *void]})  # void is no class
    empty.save()
    assert (tmp_path / "facts.index").read_bytes() == b"facts 1 " + SHA_256 + b"\n" + LINES
    assert [index(tmp_path)[name] for name in ("a\tb-1", "b-2")] == [USABLE, BROKEN]
    assert "a" not in index(tmp_path)


def test_when_nothing_changed_only_the_index_is_read(tmp_path, work):
    work.unusable, work.unusable_share = {"a_01"}, 0.5
    assert files_read(tmp_path, work.plan()) == ["facts.index"]  # there is none
    before = contents(tmp_path)
    assert files_read(tmp_path, work.plan()) == ["facts.index"]
    assert contents(tmp_path) == before
    assert files_read(tmp_path, work.plan(changed={"a_05"})) == ["facts.index"]


def test_store_of_an_older_program_gets_an_index(tmp_path, work):
    first = saved(tmp_path, work.plan())
    before = contents(tmp_path)
    (tmp_path / "store" / "facts.index").unlink()
    assert files_read(tmp_path, work.plan()) == sorted(["facts.index", *(f"{scene}-0006008.json" for scene in IDS)])
    assert contents(tmp_path) == before
    work.take()
    assert saved(tmp_path, work.plan()).digest == first.digest
    assert work.take() == []


@pytest.mark.parametrize(
    "harm", [lambda content: content[:-9], lambda _: b"", lambda content: b"facts 2" + content[7:]]
)
def test_damaged_index_is_told_and_replaced(tmp_path, work, caplog, harm):
    first = saved(tmp_path, work.plan())
    before = contents(tmp_path)
    path = tmp_path / "store" / "facts.index"
    path.write_bytes(harm(path.read_bytes()))
    assert saved(tmp_path, work.plan()).digest == first.digest
    assert f"'{path}' is damaged: the facts of each scene are read again, and it is replaced" in caplog.text
    assert contents(tmp_path) == before


def test_scenes_of_two_preparations_at_once_are_all_found(tmp_path, work):
    ours, theirs = (SceneStore(WholeFiles.reached_by("file"), f"{tmp_path}/store").gather_facts([]) for _ in range(2))
    saved(tmp_path / "whole", work.plan())
    saved(tmp_path, work.plan())
    (tmp_path / "store" / "facts.index").unlink()
    known = index(tmp_path / "whole" / "store")
    ours.add("a_00-0006008", known["a_00-0006008"])
    theirs.add("a_01-0006008", known["a_01-0006008"])
    ours.save()
    theirs.save()  # what the other one wrote is gone
    work.take()
    assert len(files_read(tmp_path, work.plan())) == 1 + 11
    assert work.take() == []
    assert contents(tmp_path / "store") == contents(tmp_path / "whole" / "store")


def test_work_that_is_stopped_saves_what_is_known(tmp_path, work):
    work.broken = {"a_09"}
    with pytest.raises(InputError, match="moon"):
        saved(tmp_path, work.plan())
    finished = {path.stem for path in tmp_path.glob("store/*.json")}
    assert "a_08-0006008" in finished
    assert all(name in index(tmp_path / "store") for name in finished)
    work.broken = set()
    assert files_read(tmp_path, work.plan()) == ["facts.index"]


def test_missing_file_is_prepared_again_though_the_index_has_the_scene(tmp_path, work):
    loaded = saved(tmp_path, work.plan())
    work.take()
    for suffix in ("json", "image.png", "labels.png"):
        (tmp_path / "store" / f"a_07-0006008.{suffix}").unlink()
        saved(tmp_path, work.plan())
        assert work.take() == ["a_07"]
    assert_equal_scenes(loaded, work)


def test_broken_facts_are_named_where_the_index_lacks_them_and_prepared_again_without_them(tmp_path, work):
    saved(tmp_path, work.plan())
    path = next(tmp_path.glob("store/a_04-*.json"))
    path.write_bytes(path.read_bytes()[:20])
    assert_equal_scenes(saved(tmp_path, work.plan()), work)  # nobody reads them
    (tmp_path / "store" / "facts.index").unlink()
    with pytest.raises(FileError, match=rf"'{path}' is broken \(20 bytes\): remove it and prepare again"):
        saved(tmp_path, work.plan())
    path.unlink()
    assert_equal_scenes(saved(tmp_path, work.plan()), work)


def test_scene_of_void_alone_keeps_its_label_map(tmp_path, work):
    plan = work.plan(IDS[:1])
    scene = PreparedScene(np.zeros((*SIZE, 3), np.uint8), np.full(SIZE, 255, np.uint8), SIZE)
    plan = dataclasses.replace(plan, prepare=lambda _: scene)
    first, second = (saved(tmp_path, plan) for _ in range(2))
    for each in (first, second):
        assert each.rows[0]["pixels"] == [0, 0]
        assert each.rows[0]["label_map"] == "a_00-0006008.labels.png"
    assert json.loads((tmp_path / "store" / "a_00-0006008.json").read_text())["pixels"] == [0] * 255 + [48]


def test_far_stores_list_the_files_that_the_disk_lists(tmp_path, work):
    ids = ["train/201/frame1", "train/202/frame1", "test/1/frame1"]
    local, far = (SceneStore(WholeFiles.reached_by(protocol), f"{tmp_path}/store") for protocol in ("file", "memory"))
    for store in (local, far):
        assert list(store.list_files()) == []
        carry_out(work.plan(ids), store)
    names = [f"{scene}-0006008.{suffix}" for scene in ids for suffix in ("json", "image.png", "labels.png")]
    assert sorted(local.list_files()) == sorted(far.list_files()) == sorted([*names, "facts.index"])
