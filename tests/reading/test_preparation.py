"""Which scenes are prepared, by whom, and what stops it."""

import dataclasses
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import fsspec
import pytest

from full_disk import FullDisk
from reading import noise
from reading.noise import IDS, SIZE, Work, assert_equal_scenes, contents, half_written
from roadseg.errors import FileError, InputError, RoadSegError
from roadseg.reading import preparation, scene_store
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles


@pytest.fixture
def work():
    return Work()


def store(folder, protocol="file"):
    return SceneStore(WholeFiles.reached_by(protocol), f"{folder}/store")


def saved(folder, plan):
    return carry_out(plan, store(folder))


def test_second_time_prepares_nothing_again(tmp_path, work):
    first = saved(tmp_path, work.plan())
    assert work.take() == IDS
    before = contents(tmp_path / "store")
    second = saved(tmp_path, work.plan())
    assert work.take() == []
    assert contents(tmp_path / "store") == before
    assert list(first.rows) == list(second.rows)  # of scenes just prepared, and of facts read


def test_second_time_prepares_nothing_again_where_the_path_is_relative(tmp_path, work, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved("prepared", work.plan())
    work.take()
    saved("prepared", work.plan())
    assert work.take() == []


def test_one_changed_scene_prepares_that_scene(tmp_path, work):
    first = saved(tmp_path, work.plan())
    work.take()
    second = saved(tmp_path, work.plan(changed={"a_05"}))
    assert work.take() == ["a_05"]
    assert second.digest != first.digest
    assert first["a_05"].image.shape == (*SIZE, 3)


def test_more_scenes_prepare_the_new_ones_and_fewer_none(tmp_path, work):
    saved(tmp_path, work.plan(IDS[:4]))
    work.take()
    assert_equal_scenes(saved(tmp_path, work.plan()), work)
    assert work.take() == IDS[4:]
    assert_equal_scenes(saved(tmp_path, work.plan(IDS[2:5])), work, IDS[2:5])
    assert work.take() == []


def test_scenes_without_labels_stay_without(tmp_path, work):
    work.unlabelled = {"a_02"}
    loaded = saved(tmp_path, work.plan(IDS[:4]))
    assert loaded["a_02"].label_map is None
    assert loaded["a_01"].label_map is not None
    assert loaded.tabulate()["labelled"].tolist() == [True, True, False, True]
    assert not list(tmp_path.glob("store/a_02*.labels.png"))


def test_scene_that_cannot_be_used_is_left_out_and_listed(tmp_path, work):
    work.unusable, work.unusable_share = {"a_02"}, 1 / 12
    loaded = saved(tmp_path, work.plan())
    assert_equal_scenes(loaded, work, [scene for scene in IDS if scene != "a_02"])
    assert loaded.rows[2] == {
        "scene": "a_02",
        "drive": "drive a",
        "published_split": "train",
        "usable": False,
        "faults": [["image broken", "a_02 is cut off"]],
        "facts": "a_02-0006008.json",
        **dict.fromkeys(("height", "width", "pixels", "image_hash", "image", "label_map")),
    }
    assert not list(tmp_path.glob("store/a_02*.png"))
    work.take()
    saved(tmp_path, work.plan())
    assert work.take() == []


def test_more_unusable_scenes_than_allowed_stop_the_preparation(tmp_path, work):
    work.unusable, work.unusable_share = {"a_01", "a_02", "a_09"}, 1 / 12
    words = (
        r"2 of 12 scenes can't be used so far, .* 0.0833333 .*unusable_share.* a_01: image broken \(a_01 is cut off\)"
    )
    with pytest.raises(InputError, match=words):
        saved(tmp_path, work.plan())
    assert work.take() == ["a_00", "a_01", "a_02"]  # the others are not tried
    work.unusable_share = 0.25
    assert len(saved(tmp_path, work.plan())) == 9


def test_unusable_scenes_of_an_earlier_run_count_too(tmp_path, work):
    work.unusable, work.unusable_share = {"a_01"}, 1.0
    saved(tmp_path, work.plan())
    work.unusable_share = 0.0
    with pytest.raises(InputError, match="1 of 12 scenes can't be used"):
        saved(tmp_path, work.plan())


def test_unusable_scenes_are_found_by_worker_processes_too(tmp_path, work, two_workers):
    work.unusable, work.unusable_share = {"a_10"}, 0.5
    assert "a_10" not in saved(tmp_path, work.plan())
    work.unusable_share = 0.0
    with pytest.raises(InputError, match=r"1 of 12 scenes .* a_10: image broken"):
        saved(tmp_path / "again", work.plan())


def test_plan_without_scenes_is_refused(tmp_path, work):
    with pytest.raises(InputError, match="no scenes to prepare"):
        saved(tmp_path, work.plan([]))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("broken", ["a_00", "a_02", "a_11"])
def test_scene_that_fails_leaves_the_scenes_before_it(tmp_path, work, broken):
    work.broken = {broken}
    with pytest.raises(InputError, match=rf"scene '{broken}': raw label 7 \(moon\)"):
        saved(tmp_path, work.plan())
    assert half_written(tmp_path) == []
    finished = work.take()
    work.broken = set()
    loaded = saved(tmp_path, work.plan())
    assert sorted(finished + work.take()) == IDS
    assert_equal_scenes(loaded, work)


def test_scenes_before_the_failing_one_are_kept(tmp_path, work):
    work.broken = {"a_11"}
    with pytest.raises(InputError, match="a_11"):
        saved(tmp_path, work.plan())
    assert set(work.take()) >= set(IDS[:4])


@pytest.fixture
def two_workers(monkeypatch):
    monkeypatch.setattr(preparation, "WORKERS_PAY", 0)
    monkeypatch.setattr(preparation, "cpu_count", lambda: 2)
    tests = sys.modules[__name__], noise
    for each in tests:
        cloudpickle.register_pickle_by_value(each)  # workers cannot import tests
    yield
    for each in tests:
        cloudpickle.unregister_pickle_by_value(each)


def test_worker_processes_write_the_bytes_of_one_process(tmp_path, work, two_workers, monkeypatch):
    work.unlabelled = {"a_05"}
    saved(tmp_path / "workers", work.plan())
    assert work.take() == IDS[: preparation.SAMPLE]  # the others were prepared elsewhere
    monkeypatch.setattr(preparation, "WORKERS_PAY", 1e9)
    saved(tmp_path / "here", work.plan())
    assert contents(tmp_path / "workers") == contents(tmp_path / "here")


def test_number_of_workers_that_is_asked_for_is_taken(tmp_path, work, two_workers, monkeypatch):
    monkeypatch.setattr(preparation, "WORKERS_PAY", 1e9)
    saved(tmp_path / "two", dataclasses.replace(work.plan(), workers=2))
    assert work.take() == IDS[: preparation.SAMPLE]
    monkeypatch.setattr(preparation, "WORKERS_PAY", 0)
    saved(tmp_path / "one", dataclasses.replace(work.plan(), workers=1))
    assert work.take() == IDS


def test_work_is_shared_out_by_whom_is_handed_in(tmp_path, work):
    names = set()

    def share(function, items, in_flight):
        with ThreadPoolExecutor(2, "helper") as pool:
            yield from pool.map(lambda item: names.add(threading.current_thread().name[:6]) or function(item), items)

    assert_equal_scenes(carry_out(work.plan(), store(tmp_path), share), work)
    assert names == {"helper"}
    assert work.take() == IDS
    saved(tmp_path / "alone", work.plan())
    assert contents(tmp_path / "store") == contents(tmp_path / "alone/store")


def test_what_other_processes_would_not_see_is_written_by_this_one(work, two_workers):
    fsspec.filesystem("memory").store.clear()
    assert_equal_scenes(carry_out(work.plan(), store("/not_shared", "memory")), work)
    assert work.take() == IDS


def test_scene_that_fails_in_a_worker_is_named(tmp_path, work, two_workers):
    work.broken = {"a_09"}
    with pytest.raises(InputError, match=r"scene 'a_09': raw label 7 \(moon\)"):
        saved(tmp_path, work.plan())
    assert half_written(tmp_path) == []
    finished = {path.name[:4] for path in tmp_path.glob("store/*.json")}
    assert finished >= set(IDS[: preparation.SAMPLE])
    work.broken = set()
    assert_equal_scenes(saved(tmp_path, work.plan()), work)


def test_worker_that_is_killed_stops_the_preparation(tmp_path, work, two_workers):
    main = os.getpid()

    def prepare(scene):
        if os.getpid() != main and scene == "a_08":
            os.kill(os.getpid(), signal.SIGKILL)
        return work.scene(scene)

    with pytest.raises(RoadSegError, match=r"worker process .* was unexpectedly terminated"):
        saved(tmp_path, dataclasses.replace(work.plan(), prepare=prepare))
    assert_equal_scenes(saved(tmp_path, work.plan()), work)


def test_full_disk_stops_worker_processes_too(tmp_path, work, two_workers, monkeypatch):
    saved(tmp_path / "whole", work.plan())
    monkeypatch.setattr(FullDisk, "room", bytes_of(tmp_path / "whole", "store/*") * 3 // 5)
    full = store(tmp_path / "full", FullDisk.protocol)
    with pytest.raises(FileError, match="the disk is full"):
        carry_out(work.plan(), full)
    assert half_written(tmp_path) == []
    assert preparation.SAMPLE < len(list(tmp_path.glob("full/store/*.json"))) < len(IDS)
    monkeypatch.setattr(FullDisk, "room", 10**9)
    assert_equal_scenes(carry_out(work.plan(), full), work)


def bytes_of(folder, pattern):
    return sum(path.stat().st_size for path in folder.glob(pattern))


@pytest.mark.parametrize("room", [0, 1500, 3000])
def test_full_disk_leaves_nothing_half_written(tmp_path, work, monkeypatch, room):
    saved(tmp_path / "whole", work.plan())
    work.take()
    monkeypatch.setattr(FullDisk, "room", room)
    full = store(tmp_path / "full", FullDisk.protocol)
    with pytest.raises(FileError, match="the disk is full"):
        carry_out(work.plan(), full)
    assert half_written(tmp_path) == []
    complete = {path.name.split("-")[0] for path in tmp_path.glob("full/store/*.json")}
    assert room == 0 or complete
    work.take()

    monkeypatch.setattr(FullDisk, "room", 10**9)
    carry_out(work.plan(), full)
    assert work.take() == sorted(set(IDS) - complete)
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_disk_that_is_too_small_is_told_before_the_work(tmp_path, work, monkeypatch):
    monkeypatch.setattr(scene_store.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 100}))
    with pytest.raises(FileError, match=r"8 scenes need about 0 MB in '.*store', but the disk has 0 MB left"):
        saved(tmp_path, work.plan())
    assert work.take() == IDS[: preparation.SAMPLE]


def test_half_written_scene_is_prepared_again(tmp_path, work):
    saved(tmp_path, work.plan())
    work.take()
    (tmp_path / "store" / "a_07-0006008.json").unlink()  # facts come last: without them a scene is not whole
    (tmp_path / "store" / "a_07-0006008.labels.png").write_bytes(b"half")
    assert_equal_scenes(saved(tmp_path, work.plan()), work)
    assert work.take() == ["a_07"]


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("is_broken", [True, False])
def test_advice_for_a_missing_and_a_broken_file_mends_it(tmp_path, work, kind, is_broken):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    path.unlink()
    if is_broken:
        path.write_bytes(b"broken")
    with pytest.raises(FileError) as error:
        loaded["a_04"]
    work.take()
    if is_broken:
        assert "remove it and prepare again" in str(error.value)
        path.unlink()
    assert "prepare again" in str(error.value)
    saved(tmp_path, work.plan())
    assert work.take() == ["a_04"]
    assert_equal_scenes(loaded, work)


def test_scene_left_out_is_tried_again_when_more_files_can_be_read(tmp_path, work, monkeypatch):
    work.unusable, work.unusable_share = {"a_02"}, 1 / 12
    saved(tmp_path, work.plan())
    work.unusable = set()
    work.take()
    saved(tmp_path, work.plan())
    assert work.take() == []  # neither files nor readers have changed
    monkeypatch.setattr("roadseg.reading.preparation.READERS", 3)
    assert_equal_scenes(saved(tmp_path, work.plan()), work)
    assert work.take() == ["a_02"]


def test_names_may_be_as_long_as_file_systems_allow(tmp_path, work):
    ids = ["街" * 85, f"{'a' * 255}/{'b' * 255}", f"{'a' * 255}/{'b' * 254}c"]
    assert_equal_scenes(saved(tmp_path, work.plan(ids)), work, ids)


def test_scene_ids_may_hold_folders(tmp_path, work):
    ids = ["201/frame1", "202/frame1"]
    assert_equal_scenes(saved(tmp_path, work.plan(ids)), work, ids)
    work.take()
    saved(tmp_path, work.plan(ids))
    assert work.take() == []
