"""Raw data in a store: in memory as on the disk, and on a server that speaks S3 with few requests."""

import json
import pickle
from pathlib import Path

import fsspec
import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from data.table import DATA_SETS
from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.reading.file_tree import ANY_FILE, ANY_FOLDERS, find_files
from roadseg.reading.name_pattern import NamePattern
from roadseg.reading.stored_path import StoredPath, name_below
from roadseg.reading.whole_file import WholeFiles


def save_pixels(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_json(content, path):
    path.write_text(json.dumps(content))


def keep_in_memory(folder):
    """Returns the URL of a copy in memory of a folder."""
    fs = fsspec.filesystem("memory")
    for path in folder.rglob("*"):
        if path.is_file():
            fs.pipe_file(str(path), path.read_bytes())
    return f"memory://{folder}"


def open_in_memory(folder):
    return StoredPath(WholeFiles.reached_by("memory"), keep_in_memory(folder))


def assert_equal_scenes(stored, local):
    """Compares with the scenes of the disk, whose readers have tests of their own."""
    assert list(stored) == list(local)
    for scene in local:
        one, other = stored.records[scene], local.records[scene]
        assert (one.drive, one.published_split) == (other.drive, other.published_split)
        read, expected = stored[scene], local[scene]
        np.testing.assert_array_equal(read.image, expected.image)
        np.testing.assert_equal(read.label_map, expected.label_map)
        assert (read.raw_names, read.size, read.faults) == (expected.raw_names, expected.size, expected.faults)


@pytest.mark.parametrize("data_set", DATA_SETS.values(), ids=DATA_SETS)
def test_every_data_set_is_the_same_in_a_store(data_set, draw):
    folder = draw(data_set.name)
    stored = data_set.reader(filepath=keep_in_memory(folder)).load()
    assert_equal_scenes(stored, data_set.reader(filepath=str(folder)).load())


def draw_listed_colours(folder):
    for drive in "ab":
        for frame in range(2):
            save_pixels(np.full((4, 6, 3), 90, np.uint8), folder / f"mine/images/{drive}/{frame}.png")
            save_pixels(np.full((4, 6, 3), (128, 64, 128), np.uint8), folder / f"labels/{drive}/{frame}.png")
    (folder / "mine/colours.csv").write_text("name,r,g,b\nroad,128,64,128\n")
    (folder / "lists").mkdir()
    (folder / "lists/train.txt").write_text("a/0.png\nb/1.png\n")
    return {
        "images": "images/{drive}/{frame}.*",
        "annotations": "../labels/{drive}/{frame}.png",
        "raw_colours": "colours.csv",
        "split_lists": {"train": "../lists/train.txt"},
    }


def draw_coco(folder):
    for frame in ("x", "y"):
        save_pixels(np.full((4, 6, 3), 90, np.uint8), folder / f"mine/images/{frame}.png")
    images = [{"id": number, "file_name": f"{name}.png", "height": 4, "width": 6} for number, name in enumerate("xy")]
    square = {"image_id": 1, "category_id": 3, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]]}
    save_json(
        {"images": images, "categories": [{"id": 3, "name": "car"}], "annotations": [square]}, folder / "mine/all.json"
    )
    return {"images": "images/{frame}.*", "annotations": "all.json", "form": "coco"}


def draw_labelme(folder):
    save_pixels(np.full((4, 6, 3), 90, np.uint8), folder / "mine/a.png")
    shape = {"label": "car", "points": [[0, 0], [4, 0], [4, 4]], "shape_type": "polygon"}
    save_json({"imageHeight": 4, "imageWidth": 6, "shapes": [shape]}, folder / "mine/a.json")
    return {"images": "{frame}.*", "annotations": "{frame}.json", "form": "labelme"}


@pytest.mark.parametrize("draw_form", [draw_listed_colours, draw_coco, draw_labelme])
def test_every_form_of_annotations_is_the_same_in_a_store(draw_form, tmp_path):
    layout = draw_form(tmp_path)
    stored = SceneFoldersDataset(filepath=f"{keep_in_memory(tmp_path)}/mine", **layout).load()
    assert_equal_scenes(stored, SceneFoldersDataset(filepath=f"{tmp_path}/mine", **layout).load())


@pytest.mark.parametrize(
    "pattern",
    ["**/{frame}.png", "{drive}/{frame}.*", "a/**/{frame}.txt", "../top/a/{frame}.png", ".hidden/{frame}.png"],
)
def test_patterns_find_in_a_store_what_they_find_on_the_disk(pattern, tmp_path):
    top = tmp_path / "top"
    for name in (
        "a/1.png",
        "a/2.PNG",
        "a/b/c/3.txt",
        "a/b/c/.4.png",
        ".hidden/5.png",
        "__MACOSX/6.png",
        "7.png",
        "a/é.png",
    ):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")
    stored, names = open_in_memory(tmp_path) / "top", NamePattern(pattern, ["train"])
    expected = [(name_below(path, top), fields) for path, fields in names.find(top)]
    assert [(name_below(path, stored), fields) for path, fields in names.find(stored)] == expected
    assert expected
    assert sorted(find_files(stored, (ANY_FOLDERS, ANY_FILE))) == sorted(find_files(top, (ANY_FOLDERS, ANY_FILE)))


def test_a_path_tells_what_is_there_also_outside_of_its_folder(tmp_path):
    for name in ("data/a/1.txt", "beside/2.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    folder = open_in_memory(tmp_path) / "data"
    assert [(folder / name).is_dir() for name in ("", "a", "a/1.txt", "b", "../beside")] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert [(folder / name).is_file() for name in ("a", "a/1.txt", "a/2.txt", "../beside/2.txt")] == [False, True] * 2
    assert (folder / "../beside/2.txt").read_bytes() == b"beside/2.txt"
    assert str(folder / "a/1.txt") == f"memory://{tmp_path}/data/a/1.txt"
    assert ((folder / "a/1.txt").name, (folder / "a/1.txt").suffix) == ("1.txt", ".txt")


def test_what_is_missing_is_told_with_its_url(tmp_path):
    reader = {"images": "{frame}.*", "annotations": "{frame}.txt"}
    with pytest.raises(FileError, match=rf"there is no folder 'memory://{tmp_path}/gone': link or copy"):
        _ = SceneFoldersDataset(filepath=f"memory://{tmp_path}/gone", **reader).load().records
    (tmp_path / "a.txt").write_text("no image")
    url = keep_in_memory(tmp_path)
    with pytest.raises(
        FileError, match=rf"no images in '{url}': expected .*; '{url}' contains 1 .txt, such as 'a.txt'"
    ):
        _ = SceneFoldersDataset(filepath=url, **reader).load().records
    with pytest.raises(FileError, match=rf"there is no list of colours 'gone.csv', neither in '{url}'"):
        _ = (
            SceneFoldersDataset(filepath=url, raw_colours="gone.csv", **reader | {"images": "{frame}.*t"})
            .load()
            .records
        )


def test_a_changed_file_has_another_fingerprint(tmp_path):
    folder = draw_labelme(tmp_path) and tmp_path / "mine"
    reader = {"images": "{frame}.*", "annotations": "{frame}.json", "form": "labelme"}

    def fingerprint():
        return SceneFoldersDataset(filepath=keep_in_memory(folder), **reader).load().records["a"].fingerprint

    first = fingerprint()
    save_pixels(np.full((4, 6, 3), 91, np.uint8), folder / "a.png")
    assert fingerprint() != first


def test_unknown_arguments_are_refused():
    with pytest.raises(DatasetError, match="credential"):
        SceneFoldersDataset.from_config(
            "raw", {"type": DATA_SETS["idd"].reader, "filepath": "memory://idd", "credential": {"key": "x"}}
        )


@pytest.mark.scale
def test_a_bucket_is_listed_once_and_each_file_is_one_request(s3, draw, tmp_path):
    folder, bucket = draw("idd"), s3.make_bucket()
    s3.fs.put(str(folder), f"{bucket}/idd", recursive=True)
    s3.recover()
    stored = (
        DATA_SETS["idd"].reader(filepath=f"{bucket}/idd", credentials=dict(s3.credentials), fs_args=s3.fs_args).load()
    )
    fingerprints = {scene: record.fingerprint for scene, record in stored.records.items()}
    assert s3.count_requests() == {"LIST": 1}
    there = pickle.loads(pickle.dumps(stored))  # noqa: S301 - as worker processes get it
    for scene in fingerprints:
        assert there[scene].image.size
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert s3.count_requests() == {"GET": len(files)}
    assert_equal_scenes(stored, DATA_SETS["idd"].reader(filepath=str(folder)).load())
    image = Path("IDD_Segmentation/leftImg8bit/train/0/024541_leftImg8bit.png")
    info = s3.fs.info(f"{bucket}/idd/{image}")
    expected = f"{(folder / image).stat().st_size}:{info['ETag'][1:-1]}:{info['LastModified']} "
    assert fingerprints["train/0/024541"].startswith(expected)


@pytest.mark.scale
def test_a_bucket_itself_is_a_folder_too(s3, tmp_path):
    draw_labelme(tmp_path)
    bucket = s3.make_bucket()
    for name in ("a.png", "a.json"):
        s3.fs.put_file(f"{tmp_path}/mine/{name}", f"{bucket}/{name}")
    s3.fs.pipe_file(f"{bucket}/empty/", b"")  # as the console of S3 makes a folder
    reader = {"images": "{frame}.*", "annotations": "{frame}.json", "form": "labelme"}
    stored = SceneFoldersDataset(filepath=bucket, credentials=dict(s3.credentials), fs_args=s3.fs_args, **reader).load()
    assert_equal_scenes(stored, SceneFoldersDataset(filepath=f"{tmp_path}/mine", **reader).load())
