"""What a user reads when something is wrong: one sentence with the file or the key, exit code 1, and no version."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest
from click import ClickException
from fsspec.implementations.local import LocalFileOpener, LocalFileSystem
from kedro.framework.startup import bootstrap_project

from roadseg.session import RoadSegSession
from runs.project import SMALL, Project

PREPARE = ("--pipelines", "prepare")


@pytest.fixture
def camvid(project: Project, camvid_folder: Path) -> Project:
    """A project whose data set is the CamVid folder beside it."""
    catalog = (project.folder / "conf/camvid/catalog.yml").read_text()
    (project.folder / "conf/local/catalog.yml").write_text(catalog.replace("data/01_raw/camvid", str(camvid_folder)))
    return project


def test_a_missing_folder(camvid: Project) -> None:
    message = camvid.fail(*PREPARE, "--params", "raw_folder=data/nowhere")
    assert "there is no folder" in message
    assert "data/nowhere" in message
    assert "raw_folder" in message


def test_an_empty_data_set(camvid: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    message = camvid.fail(*PREPARE, "--params", f"raw_folder={tmp_path / 'empty'}")
    assert f"no images in '{tmp_path / 'empty'}'" in message


def test_an_image_that_is_cut_off(camvid: Project, camvid_folder: Path) -> None:
    image = min(camvid_folder.glob("train/*.png"))
    image.write_bytes(image.read_bytes()[:20])
    assert f"'{image}' is no image that can be read (20 bytes)" in camvid.fail(*PREPARE)
    assert not camvid.versions("03_primary/drawn/prepared_scenes/manifest.json")


def test_image_and_label_map_of_different_sizes(camvid: Project, camvid_folder: Path) -> None:
    annotation = min(camvid_folder.glob("trainannot/*.png"))
    cv2.imwrite(str(annotation), np.zeros((3, 5), np.uint8))
    message = camvid.fail(*PREPARE)
    assert f"scene '{annotation.stem}': image and label map must have one size" in message
    assert "(3, 5)" in message


def test_a_label_outside_the_table(camvid: Project, camvid_folder: Path) -> None:
    annotation = max(camvid_folder.glob("valannot/*.png"))
    label_map = cv2.imread(str(annotation), cv2.IMREAD_UNCHANGED)
    label_map[0, 0] = 99
    cv2.imwrite(str(annotation), label_map)
    message = camvid.fail(*PREPARE)
    assert f"scene '{annotation.stem}': raw label 99" in message
    assert not camvid.versions("03_primary/drawn/prepared_scenes/manifest.json")


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("sed=3", "there is no parameter 'sed'; did you mean seed?"),
        ("prepare.image_sise=3", "prepare.image_sise: there is no such parameter, received 3"),
        ("split.method=frames", "split.method: input should be 'published' or 'drives', received 'frames'"),
        ("scenes.limit=0", "scenes.limit: input should be greater than 0, received 0"),
        ("scenes.limit=many", "scenes.limit: input should be a valid integer, received 'many'"),
    ],
)
def test_a_wrong_parameter(project: Project, parameter: str, sentence: str) -> None:
    assert sentence in project.fail(*PREPARE, "--params", parameter)


def test_every_fault_in_the_training_parameters_is_named(project: Project) -> None:
    message = project.fail("--params", "train.epohs=3,train.epochs=x,network.width=-1")
    assert "train.epohs: there is no such parameter" in message
    assert "train.epochs: input should be a valid integer" in message
    assert "network.width: input should be greater than 0" in message


def test_a_wrong_option_of_the_drawn_scenes(project: Project) -> None:
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "drives": 0}
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    assert "DrawingOptions drives: Input should be greater than or equal to 1, received 0" in project.fail(*PREPARE)


def test_fewer_drives_than_splits(project: Project) -> None:
    raw_scenes = {**SMALL["catalog.yml"]["raw_scenes"], "drives": 2}
    project.configure("local", "catalog.yml", {"raw_scenes": raw_scenes})
    message = project.fail(*PREPARE)
    assert "whole drives can't be split 3 ways: there are 2 (drive00, drive01)" in message
    assert not project.versions("03_primary/drawn/split_table.csv")


class FullDisk(LocalFileSystem):
    """A disk on which files whose name contains `no_room` take 10 bytes."""

    protocol = "fulldisk"
    no_room = ""

    def __init__(self, **arguments: object) -> None:
        super().__init__(**{**arguments, "auto_mkdir": True})

    def _open(self, path: str, mode: str = "rb", **arguments: object) -> LocalFileOpener:
        opened = super()._open(path, mode=mode, **arguments)
        if "w" in mode and self.no_room and self.no_room in path:
            write = opened.write

            def write_a_little(content: bytes) -> int:
                write(content[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            opened.write = write_a_little
        return opened


@pytest.fixture
def full_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose results go to a full disk; run in this process, where that disk is known."""
    fsspec.register_implementation("fulldisk", FullDisk, clobber=True)
    catalog = (project.folder / "conf/base/catalog.yml").read_text()
    catalog = catalog.replace("filepath: data/0", f"filepath: fulldisk://{project.folder}/data/0")
    (project.folder / "conf/base/catalog.yml").write_text(catalog)
    monkeypatch.chdir(project.folder)
    bootstrap_project(project.folder)
    yield project
    FullDisk.no_room = ""


@pytest.mark.parametrize("output", ["scene_index.csv", "split_table.csv", "manifest.json", "store"])
def test_a_full_disk_leaves_no_version_behind_and_the_next_run_goes_on(full_disk: Project, output: str) -> None:
    def prepare() -> None:
        with RoadSegSession.create(full_disk.folder) as session:
            session.run(pipeline_names=["prepare"])

    FullDisk.no_room = output
    with pytest.raises(ClickException, match="the disk is full"):
        prepare()
    assert not [path for path in full_disk.files() if output in str(path)]
    FullDisk.no_room = ""
    prepare()
    assert len(full_disk.versions("03_primary/drawn/split_table.csv")) == 1
