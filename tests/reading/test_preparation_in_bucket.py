"""Scenes prepared from a bucket into a bucket: how many requests, how fast, and what stops them."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.table import DATA_SETS
from reading.noise import IDS, Work, assert_equal_scenes, contents
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.errors import FileError
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

pytestmark = pytest.mark.scale

OPTIONS = PrepareOptions(image_size=(24, 48), unknown_label="error", unusable_share=0.0, workers=1)

PREPARE = """
import sys
from roadseg.datasets.drawn import DrawnScenesDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.reading.preparation import carry_out
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

drawn = DrawnScenesDataset(drives=4, frames_per_drive=6, size=(32, 64), seed=1).load()
options = PrepareOptions(image_size=(24, 48), unknown_label="error", unusable_share=0.0, workers=int(sys.argv[2]))
plan = plan_preparation(drawn, list(drawn), LabelSpaceDataset(name="seven_classes").load(), options)
carry_out(plan, SceneStoreDataset(filepath=sys.argv[1]).load(), in_flight=4)
"""
SCENES = 24


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def bucket(s3):
    made = s3.make_bucket()
    s3.recover()
    return made


@pytest.fixture
def store(s3, bucket):
    return SceneStore(WholeFiles.reached_by("s3", s3.credentials, s3.fs_args), f"{bucket}/store")


def download(s3, folder):
    """Returns the content of each file below a folder of a bucket."""
    fs = s3.fs
    return {path.partition("/store/")[2]: fs.cat_file(path) for path in fs.find(f"{folder}/store")}


def plan_idd(s3, bucket):
    arguments = {"credentials": dict(s3.credentials), "fs_args": s3.fs_args}
    raw = DATA_SETS["idd"].reader(filepath=f"{bucket}/idd", **arguments).load()
    return plan_preparation(raw, list(raw), LabelSpaceDataset(name="seven_classes").load(), OPTIONS)


def test_a_raw_file_is_one_request_and_none_when_nothing_changed(s3, bucket, store, draw, tmp_path):
    folder = draw("idd")
    s3.fs.put(str(folder), f"{bucket}/idd", recursive=True)
    s3.recover()
    first = carry_out(plan_idd(s3, bucket), store, in_flight=16)
    requests = s3.take_requests()
    files = [path for path in folder.rglob("*") if path.is_file()]
    raw = [each for each in requests if "/idd/" in each.key and each.kind != "LIST"]
    assert {each.kind for each in raw} == {"GET"}
    assert len(raw) == len(files)
    labelled = sum(1 for row in first.rows if row["label_map"])
    puts = [each for each in requests if each.kind == "PUT"]
    assert len(puts) == 2 * len(first) + labelled + 1  # image, label map, facts; and the facts of all
    assert {each.kind for each in requests} == {"GET", "PUT", "LIST"}

    second = carry_out(plan_idd(s3, bucket), store, in_flight=16)
    assert list(second.rows) == list(first.rows)
    drives = {row["scene"].rpartition("/")[0] for row in first.rows}
    counts = s3.count_requests()
    assert counts.pop("LIST") <= len(drives) + 8  # raw data once; the store folder by folder
    assert counts == {"GET": 1}  # the facts of all scenes

    here = DATA_SETS["idd"].reader(filepath=str(folder)).load()
    plan = plan_preparation(here, list(here), LabelSpaceDataset(name="seven_classes").load(), OPTIONS)
    on_disk = carry_out(plan, SceneStoreDataset(filepath=f"{tmp_path}/store").load())
    assert [row["image_hash"] for row in on_disk.rows] == [row["image_hash"] for row in first.rows]
    assert [row["pixels"] for row in on_disk.rows] == [row["pixels"] for row in first.rows]


def test_scenes_in_flight_wait_for_the_store_together(s3, store, work):
    ids = [f"a_{number:02}" for number in range(60)]
    s3.answer_late(0.3)
    prepared = carry_out(work.plan(ids), store, in_flight=16)
    assert s3.take_peak() > 8
    s3.recover()
    assert_equal_scenes(prepared, work, ids)


def test_one_scene_in_flight_waits_alone(s3, store, work):
    s3.answer_late(0.1)
    carry_out(work.plan(), store, in_flight=1)
    assert s3.take_peak() == 2  # image and label map


def test_a_store_in_a_bucket_has_the_bytes_of_one_on_the_disk(s3, bucket, store, work, tmp_path):
    work.unlabelled = {"a_05"}
    carry_out(work.plan(), store, in_flight=3)
    carry_out(work.plan(), SceneStore(WholeFiles.reached_by("file"), f"{tmp_path}/store"))
    assert download(s3, bucket) == contents(tmp_path / "store")


def start(s3, folder, workers=1):
    return subprocess.Popen([sys.executable, "-c", PREPARE, f"{folder}/store", str(workers)], env=s3.environment)


def list_finished(s3, folder):
    return {path for path in s3.fs.find(f"{folder}/store") if path.endswith(".json")}


def wait_for_scenes(process, s3, folder, count):
    while process.poll() is None:
        if len(list_finished(s3, folder)) >= count:
            return
        time.sleep(0.1)
    pytest.fail("it has ended")


@pytest.fixture
def prepared_here(tmp_path):
    """The files of the same scenes, prepared on the disk."""
    arguments = [sys.executable, "-c", PREPARE, f"{tmp_path}/store", "1"]
    subprocess.run(arguments, check=True)
    return contents(tmp_path / "store")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_preparation_that_is_killed_goes_on_with_the_scenes_that_are_missing(s3, bucket, workers, prepared_here):
    s3.answer_late(0.2)
    with start(s3, f"{bucket}/killed", workers) as process:
        wait_for_scenes(process, s3, f"{bucket}/killed", 6)
        process.kill()
    time.sleep(1.5)  # worker processes end too
    finished = list_finished(s3, f"{bucket}/killed")
    assert 6 <= len(finished) < SCENES
    s3.recover()
    assert start(s3, f"{bucket}/killed", workers).wait() == 0
    written = {each.key for each in s3.take_requests() if each.kind == "PUT" and each.key.endswith(".json")}
    assert len(written) == SCENES - len(finished)
    assert written.isdisjoint(finished)
    assert download(s3, f"{bucket}/killed") == prepared_here


def test_two_at_once_do_not_harm_each_other(s3, bucket, prepared_here):
    s3.answer_late(0.05)
    both = [start(s3, f"{bucket}/both") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert download(s3, f"{bucket}/both") == prepared_here


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("is_broken", [True, False])
def test_advice_for_a_missing_and_a_broken_file_mends_it(s3, bucket, store, work, kind, is_broken):
    loaded = carry_out(work.plan(), store, in_flight=4)
    path = f"{bucket}/store/a_04-0006008.{kind}.png"
    if is_broken:
        s3.fs.pipe_file(path, b"broken")
        sentence = rf"'{path}' is broken \(6 bytes\): remove it and prepare again"
    else:
        s3.fs.rm_file(path)
        sentence = f"'{path}' is missing, though a manifest names it: prepare again"
    with pytest.raises(FileError, match=sentence):
        loaded["a_04"]
    assert loaded["a_05"]
    work.take()
    if is_broken:
        s3.fs.rm_file(path)
    carry_out(work.plan(), store, in_flight=4)
    assert work.take() == ["a_04"]
    assert_equal_scenes(loaded, work)


def test_a_pair_is_two_requests_at_the_same_time(s3, store, work):
    prepared = carry_out(work.plan(), store, in_flight=4)
    assert prepared.read_pair("a_00")
    s3.recover()
    s3.answer_late(0.3)
    prepared.read_pair("a_01")
    assert s3.take_peak() == 2
    assert s3.count_requests() == {"GET": 2}


def test_pruning_removes_what_no_version_names_and_asks_for_no_file(s3, bucket, store, work):
    carry_out(work.plan(IDS), store, in_flight=4)
    dataset = PreparedScenesDataset(
        filepath=f"{bucket}/manifest.json", credentials=dict(s3.credentials), fs_args=s3.fs_args
    )
    dataset.save(carry_out(work.plan(IDS[:5]), store, in_flight=4))
    s3.recover()
    named = {Path(row["facts"]).stem for row in dataset.load().rows}
    count, _ = dataset.prune_store(named, datetime.now(UTC) + timedelta(hours=1))
    assert count == 3 * (len(IDS) - 5)
    requests = s3.take_requests()
    gone = [each.key.rpartition(".")[2] for each in requests if each.kind == "DELETE"]
    assert gone == ["json"] * 7 + ["png"] * 14  # facts first, which say that a scene is complete
    assert not [each for each in requests if each.kind == "HEAD"]
    assert_equal_scenes(dataset.load(), work, IDS[:5])
    work.take()
    carry_out(work.plan(IDS), store, in_flight=4)
    assert work.take() == IDS[5:]
