import base64
import dataclasses
import hashlib
import json
import pickle
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest
from kedro.io import DatasetError, Version
from PIL import Image

from full_disk import FullDisk
from reading.noise import CLASSES, IDS, SIZE, Work, assert_equal_scenes, contents, half_written
from roadseg.datasets.camvid import CamVidDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.reading.preparation import carry_out
from roadseg.scenes.prepared import PreparedScene
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation


@pytest.fixture
def work():
    return Work()


def dataset(folder, *, load=None, save=None, protocol=""):
    return PreparedScenesDataset(filepath=f"{protocol}{folder}/manifest.json", version=Version(load, save))


def save(one, plan):
    """Prepares into the store beside a data set, and saves."""
    protocol, folder = one._protocol, one._filepath.parent
    one.save(carry_out(plan, SceneStoreDataset(filepath=f"{protocol}://{folder}/store").load()))


def saved(folder, plan, version="v1"):
    save(dataset(folder, save=version), plan)
    return dataset(folder).load()


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
    assert set(json.loads(text)) == {"classes", "image_size", "columns", "scenes"}
    assert [row[0] for row in json.loads(text)["scenes"]] == list(reversed(IDS))


def test_manifest_of_an_older_program_is_loaded_and_saved(tmp_path, work):
    loaded = saved(tmp_path, work.plan())
    path = Path(dataset(tmp_path)._get_load_path())
    text = path.read_bytes()
    path.write_text(json.dumps({**loaded.manifest, "scenes": list(loaded.rows)}, indent=1))
    older = dataset(tmp_path).load()
    assert_equal_scenes(older, work)
    assert older.digest == loaded.digest
    dataset(tmp_path, save="v2").save(older)
    assert (tmp_path / "manifest.json" / "v2" / "manifest.json").read_bytes() == text


def test_another_size_is_another_version_and_the_old_one_stays_readable(tmp_path, work):
    saved(tmp_path, work.plan())
    saved(tmp_path, work.plan(size=(3, 4)), "v2")
    assert_equal_scenes(dataset(tmp_path, load="v1").load(), work)
    assert_equal_scenes(dataset(tmp_path, load="v2").load(), work, size=(3, 4))
    assert dataset(tmp_path).load().image_size == (3, 4)
    assert sorted(dataset(tmp_path).list_versions(full_path=False)) == ["v1", "v2"]


def test_version_is_loaded_by_the_data_set_that_saved_it(tmp_path, work):
    one = dataset(tmp_path, save="v1")
    save(one, work.plan())
    assert_equal_scenes(one.load(), work)
    assert one.resolve_load_version() == one.resolve_save_version() == "v1"


def test_version_is_never_overwritten(tmp_path, work):
    saved(tmp_path, work.plan())
    with pytest.raises(DatasetError, match="must not exist"):
        save(dataset(tmp_path, save="v1"), work.plan(size=(3, 4)))
    assert dataset(tmp_path).load().image_size == SIZE


def test_full_disk_leaves_no_version(tmp_path, work, monkeypatch):
    monkeypatch.setattr(FullDisk, "room", 10**6)
    full = dataset(tmp_path, save="v1", protocol="fulldisk://")
    prepared = carry_out(work.plan(), full._store)
    monkeypatch.setattr(FullDisk, "room", 10)
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save(prepared)
    assert not full.exists()
    assert half_written(tmp_path) == []


def test_scenes_of_another_store_are_refused(tmp_path, work):
    elsewhere = SceneStoreDataset(filepath=f"{tmp_path}/elsewhere").load()
    with pytest.raises(DatasetError, match=f"scene_store in the catalog must be in '{tmp_path}/store'"):
        dataset(tmp_path, save="v1").save(carry_out(work.plan(), elsewhere))
    assert not dataset(tmp_path).exists()


def test_half_written_manifest_is_no_version(tmp_path, work):
    saved(tmp_path, work.plan())
    folder = tmp_path / "manifest.json" / "v2"
    folder.mkdir()
    (folder / "manifest.json.0123.part").write_text("{")
    assert dataset(tmp_path).list_versions(full_path=False) == ["v1"]
    assert_equal_scenes(dataset(tmp_path).load(), work)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (b'{"classes": [], "image_size": [2, 4]}', "Field required at scenes"),
        (b'{"classes": [], "image_size": [2, 4], "scenes": [{"scene": "a"}]}', "Field required at scenes.0.usable"),
    ],
)
def test_broken_manifest_is_named(tmp_path, work, content, fault):
    saved(tmp_path, work.plan())
    path = dataset(tmp_path)._get_load_path()
    Path(path).write_bytes(content)
    with pytest.raises(DatasetError, match=rf"\nmanifest '{path}' is broken \({fault}"):
        dataset(tmp_path).load()


def test_other_file_systems_work(work):
    first = dataset("/prepared", save="v1", protocol="memory://")
    save(first, work.plan())
    assert first.exists()
    assert_equal_scenes(first.load(), work)
    work.take()
    save(dataset("/prepared", save="v2", protocol="memory://"), work.plan())
    assert work.take() == []
    assert not [path for path in fsspec.filesystem("memory").find("/prepared") if path.endswith(".part")]


def test_data_set_and_scenes_can_be_pickled(tmp_path, work):
    one = dataset(tmp_path, save="v1")
    save(one, work.plan())
    assert_equal_scenes(pickle.loads(pickle.dumps(one)).load(), work)  # noqa: S301
    assert_equal_scenes(pickle.loads(pickle.dumps(one.load())), work)  # noqa: S301


@pytest.mark.parametrize(("scenes", "columns", "rows"), [(12, 3, 4), (2, 3, 1), (100, 4, 3), (1, 1, 1)])
def test_preview_is_a_png_of_a_grid_of_scenes(tmp_path, work, scenes, columns, rows):
    one = dataset(tmp_path, save="v1")
    save(one, work.plan())
    png = base64.b64decode(one.preview(scenes=scenes, columns=columns, width=16), validate=True)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    sheet = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (rows * (12 + 4), columns * (16 + 4), 3)


def test_preview_shows_red_as_red(tmp_path, work):
    plan = work.plan(["a_00"])
    red = PreparedScene(np.full((*SIZE, 3), (255, 0, 0), np.uint8), None, SIZE)
    one = dataset(tmp_path, save="v1")
    save(one, dataclasses.replace(plan, prepare=lambda _: red))
    (tmp_path / "preview.png").write_bytes(base64.b64decode(one.preview()))
    assert Image.open(tmp_path / "preview.png").getpixel((0, 0)) == (255, 0, 0)
