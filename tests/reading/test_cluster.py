"""Preparing on a Dask cluster whose scheduler and workers are processes of their own."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import pytest

import roadseg
from dask_cluster import DaskCluster
from reading import noise
from reading.noise import IDS, Work, assert_equal_scenes, contents
from roadseg.errors import InputError, RoadSegError
from roadseg.reading.cluster import Cluster
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def dask():
    with DaskCluster(2) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def by_value():
    tests = sys.modules[__name__], noise
    for each in tests:
        cloudpickle.register_pickle_by_value(each)  # workers cannot import tests
    yield
    for each in tests:
        cloudpickle.unregister_pickle_by_value(each)


@pytest.fixture
def work():
    return Work()


def store(folder):
    return SceneStore(WholeFiles.reached_by("file"), f"{folder}/store")


def prepare_on(address, folder, plan, wait=60.0):
    with Cluster(address, wait) as cluster:
        return carry_out(plan, store(folder), cluster.share)


def preparing(work, folder, before):
    """Returns a plan that notes in a file who prepares each scene, and calls a function with the scene before."""

    def prepare(scene):
        with (folder / "prepared").open("a") as file:
            file.write(f"{scene} {os.getpid()}\n")
        before(scene)
        return work.scene(scene)

    return dataclasses.replace(work.plan(), prepare=prepare)


def notes(folder):
    return [line.split() for line in (folder / "prepared").read_text().splitlines()]


def test_bytes_are_those_of_this_machine(tmp_path, work, dask):
    work.unlabelled, work.unusable, work.unusable_share = {"a_05"}, {"a_09"}, 0.5
    there = prepare_on(dask.address, tmp_path / "there", work.plan())
    assert work.take() == []  # all of it elsewhere
    here = carry_out(work.plan(), store(tmp_path / "here"))
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert list(there.rows) == list(here.rows)


def test_worker_that_is_killed_costs_its_batch_alone(tmp_path, work, dask):
    def kill_once(scene):
        if scene == "a_06" and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    assert_equal_scenes(prepare_on(dask.address, tmp_path, preparing(work, tmp_path, kill_once)), work)
    again = [scene for scene, _ in notes(tmp_path)]
    assert sorted(set(again)) == IDS
    assert again.count("a_06") == 2
    assert len(again) <= len(IDS) + 3  # batches of so few scenes hold at most two


def test_scene_that_kills_each_worker_is_left_out_and_tried_again(tmp_path, work, dask):
    def kill(scene):
        if scene == "a_06":
            os.kill(os.getpid(), signal.SIGKILL)

    work.unusable_share = 0.5
    others = [scene for scene in IDS if scene != "a_06"]
    prepared = prepare_on(dask.address, tmp_path, preparing(work, tmp_path, kill))
    assert_equal_scenes(prepared, work, others)
    faults = prepared.tabulate_faults()
    assert faults[["scene", "usable", "kind", "detail"]].to_numpy().tolist()[-1] == [
        *("a_06", False, "worker killed", "it ended each of 2 workers")
    ]
    assert not list(tmp_path.glob("store/a_06*"))
    assert_equal_scenes(prepare_on(dask.address, tmp_path, work.plan()), work)


def test_fault_of_a_scene_stops_the_work(tmp_path, work, dask):
    work.broken = {"a_09"}
    with pytest.raises(InputError, match=r"scene 'a_09': raw label 7 \(moon\)"):
        prepare_on(dask.address, tmp_path, work.plan())
    work.broken = set()
    assert_equal_scenes(prepare_on(dask.address, tmp_path, work.plan()), work)


def test_scheduler_that_is_killed_is_told_and_the_rerun_goes_on(tmp_path, work):
    def wait(scene):
        time.sleep(0.5)

    with DaskCluster(1) as own:

        def kill_scheduler():
            while len(list(tmp_path.glob("store/*.json"))) < 3:
                time.sleep(0.1)
            own.scheduler.kill()

        killer = threading.Thread(target=kill_scheduler)
        killer.start()
        with pytest.raises(RoadSegError, match=rf"the Dask scheduler at '{own.address}' is gone: start it again"):
            prepare_on(own.address, tmp_path, preparing(work, tmp_path, wait))
        killer.join()
    stored = {path.name[:4] for path in tmp_path.glob("store/*.json")}
    work.take()
    assert_equal_scenes(carry_out(work.plan(), store(tmp_path)), work)
    assert work.take() == sorted(set(IDS) - stored)


def test_scheduler_that_does_not_answer_is_told(tmp_path, work):
    with pytest.raises(RoadSegError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:9' within 1 s"):
        prepare_on("tcp://127.0.0.1:9", tmp_path, work.plan(), wait=1)


def test_cluster_without_workers_is_given_up_in_time(tmp_path, work):
    with DaskCluster(0) as own, pytest.raises(RoadSegError, match=r"has no workers after 1 s .*start some with 'dask"):
        prepare_on(own.address, tmp_path, work.plan(), wait=1)


def test_worker_with_other_code_is_refused(tmp_path, work):
    shutil.copytree(Path(roadseg.__file__).parent, tmp_path / "roadseg")
    (tmp_path / "roadseg/__init__.py").write_text('__version__ = "0.0.9"\n')
    words = r"the worker at tcp://\S+ has roadseg 0\.0\.9 \(code \w+, .*, this run has roadseg 0\.1\.0 \(code \w+, "
    with DaskCluster(0) as own:
        own.add_worker({"PYTHONPATH": str(tmp_path)})
        with pytest.raises(RoadSegError, match=words):
            prepare_on(own.address, tmp_path, work.plan())
    assert not (tmp_path / "store").exists()


ENDLESS = """
import os, pathlib, signal, sys, time
from roadseg.reading.cluster import Cluster

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
folder = pathlib.Path(sys.argv[2])

def work(item):
    (folder / f"{item}").touch()
    time.sleep(1)

try:
    with Cluster(sys.argv[1], 60) as cluster:
        list(cluster.share(work, range(100)))
except KeyboardInterrupt:
    print("in order")
"""


def test_ctrl_c_ends_in_order_and_leaves_no_work(tmp_path, dask):
    main = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, dask.address, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.iterdir()):
        time.sleep(0.1)
    main.send_signal(signal.SIGINT)
    said, errors = main.communicate(timeout=30)
    assert (said, errors) == ("in order\n", "")
    time.sleep(2)
    begun = len(list(tmp_path.iterdir()))
    time.sleep(2)
    assert len(list(tmp_path.iterdir())) == begun


def test_without_its_package_a_cluster_is_refused_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with Cluster("local", 1.0) as cluster, pytest.raises(RoadSegError) as raised:
        next(cluster.share(str, [1]))
    assert str(raised.value).endswith("of the extra 'dask': pip install -e '.[dask]'")
