import base64
import dataclasses
import hashlib
import json
import os
import pickle
import signal
import sys

import cloudpickle
import cv2
import fsspec
import numpy as np
import pytest
from kedro.io import DatasetError, Version
from PIL import Image

from full_disk import FullDisk
from roadseg.datasets import prepared_scenes
from roadseg.datasets.camvid import CamVidDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.prepared import PreparationPlan, PreparedScene
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation
from roadseg.scenes.raw import SceneRecord

CLASSES = (SegmentationClass(name="road", colour=(128, 64, 18)), SegmentationClass(name="sky", colour=(70, 130, 180)))
IDS = [f"a_{number:02}" for number in range(12)]
SIZE = (6, 8)
NOTED = "a_03"
"""A scene with a fault, though it can be used."""


class Work:
    """Plans scenes of noise, and notes which of them are prepared."""

    def __init__(self):
        self.prepared = []
        self.broken = set()
        self.unlabelled = set()
        self.unusable = set()
        self.unusable_share = 0.0

    def scene(self, scene, size=SIZE):
        random = np.random.default_rng(list(scene.encode()))
        image = random.integers(0, 256, (*size, 3), np.uint8)
        label_map = random.choice(np.array([0, 1, 255], np.uint8), size)
        faults = (Fault(FaultKind.EMPTY_POLYGON, "1 pole"),) if scene == NOTED else ()
        return PreparedScene(image, None if scene in self.unlabelled else label_map, (60, 80), faults)

    def prepare(self, scene, size):
        if scene in self.broken:
            raise ValueError(f"scene '{scene}': raw label 7 (moon) has no entry")
        self.prepared.append(scene)
        if scene in self.unusable:
            raise UnusableSceneError(FaultKind.IMAGE_BROKEN, f"{scene} is cut off")
        return self.scene(scene, size)

    def plan(self, ids=IDS, *, size=SIZE, changed=()):
        return PreparationPlan(
            classes=CLASSES,
            image_size=size,
            records={scene: SceneRecord("drive a", "train", "1:1") for scene in ids},
            digests={scene: f"{'1' if scene in changed else '0'}{size[0]:03}{size[1]:03}" for scene in ids},
            prepare=lambda scene: self.prepare(scene, size),
            unusable_share=self.unusable_share,
            workers=None,
        )

    def take(self):
        """Returns what was prepared since the last call."""
        prepared, self.prepared = sorted(self.prepared), []
        return prepared


@pytest.fixture
def work():
    return Work()


def dataset(folder, *, load=None, save=None, protocol=""):
    return PreparedScenesDataset(filepath=f"{protocol}{folder}/manifest.json", version=Version(load, save))


def saved(folder, plan, version="v1"):
    dataset(folder, save=version).save(plan)
    return dataset(folder).load()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def half_written(folder):
    return [str(path) for path in folder.rglob("*.part")]


def assert_equal_scenes(loaded, work, ids=IDS, size=SIZE):
    assert list(loaded) == list(ids)
    for scene in ids:
        expected = work.scene(scene, size)
        np.testing.assert_array_equal(loaded[scene].image, expected.image)
        np.testing.assert_array_equal(loaded[scene].label_map, expected.label_map)
        assert loaded[scene].raw_size == (60, 80)
        assert loaded[scene].faults == expected.faults


def test_scenes_come_back_as_they_were_prepared(tmp_path, work):
    loaded = saved(tmp_path, work.plan())
    assert_equal_scenes(loaded, work)
    assert loaded["a_00"].image.dtype == loaded["a_00"].label_map.dtype == np.uint8
    assert loaded.classes == CLASSES
    assert loaded.image_size == SIZE
    label_map = work.scene("a_03").label_map
    assert loaded.rows[3] == {
        "scene": "a_03",
        "drive": "drive a",
        "published_split": "train",
        "usable": True,
        "faults": [["empty polygon", "1 pole"]],
        "height": 60,
        "width": 80,
        "pixels": [int((label_map == 0).sum()), int((label_map == 1).sum())],
        "image_hash": hashlib.sha256(work.scene("a_03").image.tobytes()).hexdigest()[:16],
        "facts": "a_03-0006008.json",
        "image": "a_03-0006008.image.png",
        "label_map": "a_03-0006008.labels.png",
    }


@pytest.mark.parametrize("size", [(1, 1), (15, 7), (1, 30)])
def test_any_size_comes_back(tmp_path, work, size):
    assert_equal_scenes(saved(tmp_path, work.plan(size=size)), work, size=size)


def test_stored_files_are_png_for_other_programs(tmp_path, work):
    saved(tmp_path, work.plan(["a_00"]))
    expected = work.scene("a_00")
    image, label_map = (Image.open(next(tmp_path.glob(f"store/*.{kind}.png"))) for kind in ("image", "labels"))
    np.testing.assert_array_equal(np.asarray(image), expected.image)
    assert label_map.mode == "L"
    np.testing.assert_array_equal(np.asarray(label_map), expected.label_map)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_red_green_and_blue_stay_in_order_from_camvid_to_the_network(camvid_folder, tmp_path, suffix):
    colours = {"1_red": (255, 0, 0), "1_green": (0, 255, 0), "1_blue": (0, 0, 255)}
    for scene, colour in colours.items():
        Image.new("RGB", (48, 36), colour).save(camvid_folder / "train" / f"{scene}.{suffix}")
        Image.new("L", (48, 36), 3).save(camvid_folder / "trainannot" / f"{scene}.png")
    raw_scenes = CamVidDataset(filepath=str(camvid_folder)).load()
    label_space = LabelSpaceDataset(name="seven_classes").load()
    options = PrepareOptions(image_size=(12, 16), unknown_label="error", unusable_share=0.0, workers=None)
    plan = plan_preparation(raw_scenes, list(raw_scenes), label_space, options)
    loaded = saved(tmp_path / "prepared", plan)
    assert len(loaded) == 9
    for name, colour in colours.items():
        scene = "train/" + name.replace("_", "/")
        assert np.abs(loaded[scene].image.astype(int) - colour).max() <= (0 if suffix == "png" else 1)
        assert loaded[scene].image.shape == (12, 16, 3)
        assert (loaded[scene].label_map == 0).all()  # road is drivable
        assert loaded[scene].raw_size == (36, 48)
    assert set(np.unique(loaded["train/0001TP/006690"].label_map)) == {0, 1, 2, 3, 4, 5, 6, 255}


def test_equal_inputs_give_equal_bytes_in_another_folder(tmp_path, work):
    saved(tmp_path / "here", work.plan())
    saved(tmp_path / "there" / "deep", work.plan())
    assert contents(tmp_path / "here") == contents(tmp_path / "there" / "deep")


def test_manifest_holds_no_path_and_follows_the_order_of_the_plan(tmp_path, work):
    saved(tmp_path, work.plan(list(reversed(IDS))))
    text = (tmp_path / "manifest.json" / "v1" / "manifest.json").read_text()
    assert "/" not in text
    assert set(json.loads(text)) == {"classes", "image_size", "scenes"}
    assert [row["scene"] for row in json.loads(text)["scenes"]] == list(reversed(IDS))


def test_second_save_prepares_nothing_again(tmp_path, work):
    saved(tmp_path, work.plan())
    assert work.take() == IDS
    before = contents(tmp_path / "store")
    saved(tmp_path, work.plan(), "v2")
    assert work.take() == []
    assert contents(tmp_path / "store") == before
    assert dataset(tmp_path, load="v1").load().digest == dataset(tmp_path, load="v2").load().digest


def test_second_save_prepares_nothing_again_where_the_path_is_relative(tmp_path, work, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved("prepared", work.plan())
    work.take()
    saved("prepared", work.plan(), "v2")
    assert work.take() == []


def test_one_changed_scene_prepares_that_scene(tmp_path, work):
    first = saved(tmp_path, work.plan())
    work.take()
    second = saved(tmp_path, work.plan(changed={"a_05"}), "v2")
    assert work.take() == ["a_05"]
    assert second.digest != first.digest
    assert first["a_05"].image.shape == (*SIZE, 3)


def test_more_scenes_prepare_the_new_ones_and_fewer_none(tmp_path, work):
    saved(tmp_path, work.plan(IDS[:4]))
    work.take()
    assert_equal_scenes(saved(tmp_path, work.plan(), "v2"), work)
    assert work.take() == IDS[4:]
    assert_equal_scenes(saved(tmp_path, work.plan(IDS[2:5]), "v3"), work, IDS[2:5])
    assert work.take() == []


def test_another_size_is_another_version_and_the_old_one_stays_readable(tmp_path, work):
    saved(tmp_path, work.plan())
    saved(tmp_path, work.plan(size=(3, 4)), "v2")
    assert_equal_scenes(dataset(tmp_path, load="v1").load(), work)
    assert_equal_scenes(dataset(tmp_path, load="v2").load(), work, size=(3, 4))
    assert dataset(tmp_path).load().image_size == (3, 4)
    assert sorted(dataset(tmp_path).list_versions(full_path=False)) == ["v1", "v2"]


def test_version_is_loaded_by_the_data_set_that_saved_it(tmp_path, work):
    one = dataset(tmp_path, save="v1")
    one.save(work.plan())
    assert_equal_scenes(one.load(), work)
    assert one.resolve_load_version() == one.resolve_save_version() == "v1"


def test_version_is_never_overwritten(tmp_path, work):
    saved(tmp_path, work.plan())
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path, save="v1").save(work.plan(size=(3, 4)))
    assert dataset(tmp_path).load().image_size == SIZE


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
    saved(tmp_path, work.plan(), "v2")
    assert work.take() == []


def test_more_unusable_scenes_than_allowed_stop_the_preparation(tmp_path, work):
    work.unusable, work.unusable_share = {"a_01", "a_02", "a_09"}, 1 / 12
    stopping = dataset(tmp_path, save="v1")
    words = (
        r"2 of 12 scenes can't be used so far, .* 0.0833333 .*unusable_share.* a_01: image broken \(a_01 is cut off\)"
    )
    with pytest.raises(DatasetError, match=words):
        stopping.save(work.plan())
    assert work.take() == ["a_00", "a_01", "a_02"]  # the others are not tried
    assert not stopping.exists()
    work.unusable_share = 0.25
    stopping.save(work.plan())
    assert len(stopping.load()) == 9


def test_unusable_scenes_of_an_earlier_run_count_too(tmp_path, work):
    work.unusable, work.unusable_share = {"a_01"}, 1.0
    saved(tmp_path, work.plan())
    work.unusable_share = 0.0
    with pytest.raises(DatasetError, match="1 of 12 scenes can't be used"):
        dataset(tmp_path, save="v2").save(work.plan())
    assert dataset(tmp_path).list_versions(full_path=False) == ["v1"]


def test_unusable_scenes_are_found_by_worker_processes_too(tmp_path, work, two_workers):
    work.unusable, work.unusable_share = {"a_10"}, 0.5
    assert "a_10" not in saved(tmp_path, work.plan())
    work.unusable_share = 0.0
    with pytest.raises(DatasetError, match=r"1 of 12 scenes .* a_10: image broken"):
        dataset(tmp_path / "again", save="v1").save(work.plan())


def test_plan_without_scenes_is_refused(tmp_path, work):
    with pytest.raises(DatasetError, match="no scene to prepare"):
        dataset(tmp_path, save="v1").save(work.plan([]))
    assert not dataset(tmp_path).exists()


@pytest.mark.parametrize("broken", ["a_00", "a_02", "a_11"])
def test_scene_that_fails_leaves_no_version_but_the_scenes_before_it(tmp_path, work, broken):
    work.broken = {broken}
    failing = dataset(tmp_path, save="v1")
    with pytest.raises(DatasetError, match=rf"scene '{broken}': raw label 7 \(moon\)"):
        failing.save(work.plan())
    assert not failing.exists()
    assert half_written(tmp_path) == []
    finished = work.take()
    work.broken = set()
    failing.save(work.plan())
    assert sorted(finished + work.take()) == IDS
    assert_equal_scenes(failing.load(), work)


def test_scenes_before_the_failing_one_are_kept(tmp_path, work):
    work.broken = {"a_11"}
    with pytest.raises(DatasetError):
        dataset(tmp_path, save="v1").save(work.plan())
    assert set(work.take()) >= set(IDS[:4])


@pytest.fixture
def two_workers(monkeypatch):
    monkeypatch.setattr(prepared_scenes, "WORKERS_PAY", 0)
    monkeypatch.setattr(prepared_scenes, "cpu_count", lambda: 2)
    this = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(this)  # workers cannot import tests
    yield
    cloudpickle.unregister_pickle_by_value(this)


def test_worker_processes_write_the_bytes_of_one_process(tmp_path, work, two_workers, monkeypatch):
    work.unlabelled = {"a_05"}
    saved(tmp_path / "workers", work.plan())
    assert work.take() == IDS[: prepared_scenes.SAMPLE]  # the others were prepared elsewhere
    monkeypatch.setattr(prepared_scenes, "WORKERS_PAY", 1e9)
    saved(tmp_path / "here", work.plan())
    assert contents(tmp_path / "workers") == contents(tmp_path / "here")


def test_number_of_workers_that_is_asked_for_is_taken(tmp_path, work, two_workers, monkeypatch):
    monkeypatch.setattr(prepared_scenes, "WORKERS_PAY", 1e9)
    saved(tmp_path / "two", dataclasses.replace(work.plan(), workers=2))
    assert work.take() == IDS[: prepared_scenes.SAMPLE]
    monkeypatch.setattr(prepared_scenes, "WORKERS_PAY", 0)
    saved(tmp_path / "one", dataclasses.replace(work.plan(), workers=1))
    assert work.take() == IDS


def test_scene_that_fails_in_a_worker_is_named_and_leaves_no_version(tmp_path, work, two_workers):
    work.broken = {"a_09"}
    failing = dataset(tmp_path, save="v1")
    with pytest.raises(DatasetError, match=r"scene 'a_09': raw label 7 \(moon\)"):
        failing.save(work.plan())
    assert not failing.exists()
    assert half_written(tmp_path) == []
    finished = {path.name[:4] for path in tmp_path.glob("store/*.json")}
    assert finished >= set(IDS[: prepared_scenes.SAMPLE])
    work.broken = set()
    failing.save(work.plan())
    assert_equal_scenes(failing.load(), work)


def test_worker_that_is_killed_stops_the_preparation(tmp_path, work, two_workers):
    main = os.getpid()

    def prepare(scene):
        if os.getpid() != main and scene == "a_08":
            os.kill(os.getpid(), signal.SIGKILL)
        return work.scene(scene)

    failing = dataset(tmp_path, save="v1")
    with pytest.raises(DatasetError, match=r"worker process .* was unexpectedly terminated"):
        failing.save(dataclasses.replace(work.plan(), prepare=prepare))
    assert not failing.exists()
    failing.save(work.plan())
    assert_equal_scenes(failing.load(), work)


def test_full_disk_stops_worker_processes_too(tmp_path, work, two_workers, monkeypatch):
    saved(tmp_path / "whole", work.plan())
    monkeypatch.setattr(FullDisk, "room", bytes_of(tmp_path / "whole", "store/*") * 3 // 5)
    full = dataset(tmp_path / "full", save="v1", protocol="fulldisk://")
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save(work.plan())
    assert not full.exists()
    assert half_written(tmp_path) == []
    assert prepared_scenes.SAMPLE < len(list(tmp_path.glob("full/store/*.json"))) < len(IDS)
    monkeypatch.setattr(FullDisk, "room", 10**9)
    full.save(work.plan())
    assert_equal_scenes(full.load(), work)


def bytes_of(folder, pattern):
    return sum(path.stat().st_size for path in folder.glob(pattern))


@pytest.mark.parametrize("room", [0, 1500, 3000, "all but the manifest"])
def test_full_disk_leaves_no_version_and_nothing_half_written(tmp_path, work, monkeypatch, room):
    saved(tmp_path / "whole", work.plan())
    work.take()
    if room == "all but the manifest":
        room = bytes_of(tmp_path / "whole", "store/*") + 10
    monkeypatch.setattr(FullDisk, "room", room)
    full = dataset(tmp_path / "full", save="v1", protocol="fulldisk://")
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save(work.plan())
    assert not full.exists()
    assert half_written(tmp_path) == []
    complete = {path.name.split("-")[0] for path in tmp_path.glob("full/store/*.json")}
    assert room == 0 or complete
    work.take()

    monkeypatch.setattr(FullDisk, "room", 10**9)
    full.save(work.plan())
    assert work.take() == sorted(set(IDS) - complete)
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_disk_that_is_too_small_is_told_before_the_work(tmp_path, work, monkeypatch):
    monkeypatch.setattr(prepared_scenes.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 100}))
    with pytest.raises(DatasetError, match=r"8 scenes need about 0 MB in '.*store', and the disk has 0 MB left"):
        dataset(tmp_path, save="v1").save(work.plan())
    assert work.take() == IDS[: prepared_scenes.SAMPLE]


def test_half_written_scene_is_prepared_again(tmp_path, work):
    saved(tmp_path, work.plan())
    work.take()
    (tmp_path / "store" / "a_07-0006008.json").unlink()  # facts come last: without them a scene is not whole
    (tmp_path / "store" / "a_07-0006008.labels.png").write_bytes(b"half")
    assert_equal_scenes(saved(tmp_path, work.plan(), "v2"), work)
    assert work.take() == ["a_07"]


def test_half_written_manifest_is_no_version(tmp_path, work):
    saved(tmp_path, work.plan())
    folder = tmp_path / "manifest.json" / "v2"
    folder.mkdir()
    (folder / "manifest.json.0123.part").write_text("{")
    assert dataset(tmp_path).list_versions(full_path=False) == ["v1"]
    assert_equal_scenes(dataset(tmp_path).load(), work)


@pytest.mark.parametrize("kind", ["image", "labels"])
def test_missing_file_is_named(tmp_path, work, kind):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    path.unlink()
    with pytest.raises(DatasetError, match=rf"'{path}' is missing, though a manifest names it: prepare again"):
        loaded["a_04"]
    assert loaded["a_05"]


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_cut_off_file_is_named_with_its_size(tmp_path, work, kind, share):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    size = int(path.stat().st_size * share)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DatasetError, match=rf"'{path}' is broken \({size} bytes\): remove it and prepare again"):
        loaded["a_04"]


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.parametrize("is_broken", [True, False])
def test_advice_for_a_missing_and_a_broken_file_mends_it(tmp_path, work, kind, is_broken):
    loaded = saved(tmp_path, work.plan())
    path = tmp_path / "store" / f"a_04-0006008.{kind}.png"
    path.unlink()
    if is_broken:
        path.write_bytes(b"broken")
    with pytest.raises(DatasetError) as error:
        loaded["a_04"]
    work.take()
    if is_broken:
        assert "remove it and prepare again" in str(error.value)
        path.unlink()
    assert "prepare again" in str(error.value)
    saved(tmp_path, work.plan(), "v2")
    assert work.take() == ["a_04"]
    assert_equal_scenes(loaded, work)


def test_scene_left_out_is_tried_again_when_more_files_can_be_read(tmp_path, work, monkeypatch):
    work.unusable, work.unusable_share = {"a_02"}, 1 / 12
    saved(tmp_path, work.plan())
    work.unusable = set()
    work.take()
    saved(tmp_path, work.plan(), "v2")
    assert work.take() == []  # neither files nor readers have changed
    monkeypatch.setattr("roadseg.datasets.prepared_scenes.READERS", 3)
    assert_equal_scenes(saved(tmp_path, work.plan(), "v3"), work)
    assert work.take() == ["a_02"]


def test_other_file_systems_work(work):
    first = dataset("/prepared", save="v1", protocol="memory://")
    first.save(work.plan())
    assert first.exists()
    assert_equal_scenes(first.load(), work)
    work.take()
    dataset("/prepared", save="v2", protocol="memory://").save(work.plan())
    assert work.take() == []
    assert not [path for path in fsspec.filesystem("memory").find("/prepared") if path.endswith(".part")]


def test_data_set_and_scenes_can_be_pickled(tmp_path, work):
    one = dataset(tmp_path, save="v1")
    one.save(work.plan())
    assert_equal_scenes(pickle.loads(pickle.dumps(one)).load(), work)  # noqa: S301
    assert_equal_scenes(pickle.loads(pickle.dumps(one.load())), work)  # noqa: S301


def test_names_may_be_as_long_as_file_systems_allow(tmp_path, work):
    ids = ["街" * 85, f"{'a' * 255}/{'b' * 255}", f"{'a' * 255}/{'b' * 254}c"]
    assert_equal_scenes(saved(tmp_path, work.plan(ids)), work, ids)


def test_scene_ids_may_hold_folders(tmp_path, work):
    ids = ["201/frame1", "202/frame1"]
    assert_equal_scenes(saved(tmp_path, work.plan(ids)), work, ids)
    work.take()
    saved(tmp_path, work.plan(ids), "v2")
    assert work.take() == []


@pytest.mark.parametrize(("scenes", "columns", "rows"), [(12, 3, 4), (2, 3, 1), (100, 4, 3), (1, 1, 1)])
def test_preview_is_a_png_of_a_grid_of_scenes(tmp_path, work, scenes, columns, rows):
    one = dataset(tmp_path, save="v1")
    one.save(work.plan())
    png = base64.b64decode(one.preview(scenes=scenes, columns=columns, width=16), validate=True)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    sheet = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (rows * (12 + 4), columns * (16 + 4), 3)


def test_preview_shows_red_as_red(tmp_path, work):
    plan = work.plan(["a_00"])
    red = PreparedScene(np.full((*SIZE, 3), (255, 0, 0), np.uint8), None, SIZE)
    one = dataset(tmp_path, save="v1")
    one.save(dataclasses.replace(plan, prepare=lambda _: red))
    (tmp_path / "preview.png").write_bytes(base64.b64decode(one.preview()))
    assert Image.open(tmp_path / "preview.png").getpixel((0, 0)) == (255, 0, 0)
