"""What a user reads when something is wrong: one sentence with the file or the key, exit code 1, and no version."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click import ClickException
from kedro.framework.startup import bootstrap_project

from end_to_end.project import SMALL, Project
from full_disk import FullDisk
from roadseg.session import RoadSegSession

PREPARE = ("--pipelines", "prepare")


@pytest.fixture
def camvid(project: Project, camvid_folder: Path) -> Project:
    """A project whose data set is the CamVid folder beside it."""
    catalog = (project.folder / "conf/camvid/catalog.yml").read_text()
    (project.folder / "conf/local/catalog.yml").write_text(catalog.replace("data/01_raw/camvid", str(camvid_folder)))
    return project


@pytest.mark.slow
def test_advice_for_a_missing_folder_and_an_id_without_a_name_is_followed(camvid: Project, camvid_folder: Path) -> None:
    message = camvid.fail(*PREPARE, "--params", "raw_folder=data/nowhere")
    assert "data/nowhere': link or copy the data set there" in message
    assert "or with --params raw_folder=PATH if the catalog reads raw_folder" in message
    annotation = max(camvid_folder.glob("valannot/*.png"))
    label_map = cv2.imread(str(annotation), cv2.IMREAD_UNCHANGED)
    label_map[0, 0] = 99
    cv2.imwrite(str(annotation), label_map)
    message = camvid.fail(*PREPARE, "--params", f"raw_folder={camvid_folder}")
    assert message.startswith("Error: scene 'val/0016E5/07961': id 99 has no name in raw_names; set prepare.")
    assert "set prepare.unknown_label to 'void', or give it a name there, in raw_scenes of the catalog" in message
    assert not camvid.versions("03_primary/drawn/prepared_scenes/manifest.json")
    output = camvid.run(*PREPARE, "--params", "prepare.unknown_label=void")
    assert "Fault 'unknown label': 1 scenes used anyway, 0 left out" in output


def test_an_empty_data_set(camvid: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    message = camvid.fail(*PREPARE, "--params", f"raw_folder={tmp_path / 'empty'}")
    assert f"no images in '{tmp_path / 'empty'}'" in message


def test_more_broken_scenes_than_allowed(camvid: Project, camvid_folder: Path) -> None:
    image = min(camvid_folder.glob("train/*.png"))
    image.write_bytes(image.read_bytes()[:20])
    message = camvid.fail(*PREPARE)
    assert "1 of 6 scenes can't be used so far, more than the share of 0.05 that prepare.unusable_share" in message
    assert f"train/0001TP/006690: image broken ('train/{image.name}' is no image that can be read (20 bytes)" in message
    assert not camvid.versions("03_primary/drawn/prepared_scenes/manifest.json")


def test_broken_scenes_are_left_out_and_named(camvid: Project, camvid_folder: Path) -> None:
    broken, odd = sorted(camvid_folder.glob("train/0001TP*"))
    broken.write_bytes(broken.read_bytes()[:-100])
    cv2.imwrite(str(camvid_folder / "trainannot" / f"{odd.stem}.png"), np.zeros((3, 5), np.uint8))
    (camvid_folder / "valannot/0016E5_07959.png").unlink()
    output = camvid.run(*PREPARE, "--params", "prepare.unusable_share=0.4,split.method=published")
    assert "Fault 'image broken': 0 scenes used anyway, 1 left out" in output
    assert "Fault 'annotation of another size': 0 scenes used anyway, 1 left out" in output
    assert "Fault 'annotation missing': 1 scenes used anyway, 0 left out" in output
    assert "Split train: 2 scenes of 1 drives" in output
    assert "Split validation: 1 scenes of 1 drives" in output
    faults, index, report = (
        max(camvid.folder.glob(f"data/**/{name}/*/{name}")).read_text()
        for name in ("fault_table.csv", "scene_index.csv", "data_report.html")
    )
    for text in (faults, index, report):
        assert "0001TP/006690" in text
        assert "is cut off or damaged" in text
        assert "(3, 5), the image (36, 48)" in text


def test_a_wrong_parameter(project: Project) -> None:
    message = project.fail(*PREPARE, "--params", "sed=3")
    assert message == "Error: there is no parameter 'sed'; did you mean seed?\n"
    message = project.fail(*PREPARE, "--params", "prepare.image_sise=3,split.method=frames,scenes.limit=0")
    assert "prepare.image_sise: there is no such parameter, received 3" in message
    assert "split.method: input should be 'published', 'drives', 'notebook', 'leave_one_drive_out' or 'k_" in message
    assert "scenes.limit: input should be greater than 0, received 0" in message


def test_every_fault_in_the_training_parameters_is_named(project: Project) -> None:
    message = project.fail("--params", "train.epohs=3,train.epochs=x,network.width=-1,seed=1.5")
    assert "seed: input should be a valid integer, received 1.5" in message
    assert "train.epohs: there is no such parameter" in message
    assert "train.epochs: input should be a valid integer" in message
    assert "network.width: input should be greater than 0" in message


def test_a_backend_that_is_none_stops_before_any_work(project: Project) -> None:
    done = project.kedro("run", environment={"KERAS_BACKEND": "pytorch"})
    assert done.returncode == 1
    assert done.stdout == "Error: KERAS_BACKEND names the unknown backend 'pytorch'; did you mean torch?\n"
    assert not project.versions("03_primary/drawn/prepared_scenes/manifest.json")


def test_a_pipeline_that_is_none(project: Project) -> None:
    message = project.fail("--pipelines", "prepare,evalute")
    assert message == "Error: there is no pipeline 'evalute'; did you mean evaluate?\n"


def test_parameters_that_do_not_fit_one_another(project: Project) -> None:
    message = project.fail("--params", "train.schedule=plateau,train.learning_rate=0.00001")
    assert message == "Error: train: plateau.floor must be below learning_rate (1e-05), received 1e-05\n"


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


@pytest.mark.slow
def test_one_scene_and_a_split_without_labels_train_nothing(camvid: Project, camvid_folder: Path) -> None:
    message = camvid.fail("--pipelines", "prepare,train", "--params", "scenes.limit=1")
    assert "whole drives can't be split 3 ways: there are 1 (0001TP); give 2 of the splits the share 0" in message
    shutil.rmtree(camvid_folder / "valannot")
    message = camvid.fail("--pipelines", "prepare,train", "--params", "split.method=published")
    assert "the split 'validation', but it has none: none of the 2 scenes published as validation has labels" in message


@pytest.fixture
def full_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose results go to a full disk; run in this process, where that disk is known."""
    monkeypatch.setattr(FullDisk, "room", 10**9)
    project.keep_results_in(f"fulldisk://{project.folder}/data")
    monkeypatch.chdir(project.folder)
    bootstrap_project(project.folder)
    return project


@pytest.mark.parametrize("output", ["scene_index.csv", "split_table.csv", "manifest.json", "store"])
def test_a_full_disk_leaves_no_version_behind_and_the_next_run_goes_on(
    full_disk: Project, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> None:
        with RoadSegSession.create(full_disk.folder) as session:
            session.run(pipeline_names=["prepare"])

    monkeypatch.setattr(FullDisk, "only", output)
    monkeypatch.setattr(FullDisk, "room", 10)
    with pytest.raises(ClickException, match="the disk is full"):
        prepare()
    assert not [path for path in full_disk.files() if output in str(path)]
    monkeypatch.setattr(FullDisk, "room", 10**9)
    prepare()
    assert len(full_disk.versions("03_primary/drawn/split_table.csv")) == 1


def edit_polygons(path: Path, *more: dict[str, object], **changes: object) -> None:
    """Adds objects to a polygon file, or changes other values in it."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "objects": [*content["objects"], *more], **changes}))


def test_idd_with_every_known_defect_is_prepared_and_reported(project: Project, idd_folder: Path) -> None:
    polygons = sorted(idd_folder.glob("*/gtFine/train/*/*.json")) + sorted(idd_folder.glob("*/gtFine/val/*/*.json"))
    empty, short, unknown, outside, void, missing, broken, other_size, cut_off, gone = polygons
    car = {"label": "car", "polygon": [[1, 1], [30, 1], [30, 30]]}
    edit_polygons(empty, {**car, "polygon": []})
    edit_polygons(short, {**car, "polygon": [[1, 1]]}, {**car, "polygon": [[1, 1], [2, 2]]})
    edit_polygons(unknown, {**car, "label": "ground"})
    edit_polygons(outside, {**car, "polygon": [[-5, 1], [900, 1], [30, 30]]})
    edit_polygons(void, objects=[])
    missing.unlink()
    broken.write_text(broken.read_text()[:500])
    edit_polygons(other_size, imgWidth=200)
    for annotation in (cut_off, gone):
        name = annotation.name.replace("gtFine_polygons.json", "leftImg8bit")
        image = next((annotation.parents[3] / "leftImg8bit" / annotation.parents[1].name).glob(f"*/{name}.*"))
        image.write_bytes(image.read_bytes()[:-200])
        if annotation is gone:
            image.unlink()

    arguments = ("--env", "idd", *PREPARE, "--params", f"raw_folder={idd_folder},prepare.unusable_share=0.3")
    output = project.run(*arguments)
    table = pd.read_csv(max(project.folder.glob("data/**/fault_table.csv/*/*.csv"))).set_index("scene")
    named = {path: "/".join((*path.parts[-3:-1], path.name.split("_")[0])) for path in polygons}
    expected = {
        (empty, "empty polygon", True),
        (short, "polygon of one or two points", True),
        (unknown, "unknown label", True),
        (outside, "vertex outside the frame", True),
        (void, "no objects", True),
        (void, "only void", True),
        (missing, "annotation missing", True),
        (broken, "annotation broken", False),
        (other_size, "annotation of another size", True),
        (cut_off, "image broken", False),
        (gone, "image missing", False),
    }
    assert {(scene, kind, usable) for scene, kind, usable in table[["kind", "usable"]].itertuples()} == {
        (named[path], kind, usable) for path, kind, usable in expected
    }
    assert table.loc[named[unknown], "detail"] == "ground"
    for _, kind, usable in expected:
        used, left_out = (1, 0) if usable else (0, 1)
        assert f"Fault '{kind}': {used} scenes used anyway, {left_out} left out" in output
    index = pd.read_csv(max(project.folder.glob("data/**/scene_index.csv/*/*.csv"))).set_index("scene")
    assert len(index) == 12
    assert index["faults"].notna().sum() == 10
    assert (~index["usable"]).sum() == 3
    message = project.fail(*arguments[:-1], f"{arguments[-1]},prepare.unknown_label=error")
    assert f"scene '{named[unknown]}': raw label 'ground' has no entry in the label space" in message


def test_equal_images_in_two_splits(camvid: Project, camvid_folder: Path) -> None:
    for kind in ("", "annot"):
        source = camvid_folder / f"train{kind}/0006R0_f00930.png"
        (camvid_folder / f"val{kind}/0016E5_09999.png").write_bytes(source.read_bytes())
    output = camvid.run(*PREPARE, "--params", "split.method=published")
    assert "2 scenes have the same pixels as one of another split" in output
    report = max(camvid.folder.glob("data/**/data_report.html/*/data_report.html")).read_text()
    section = report[report.index("Equal images in more than one split") : report.index("Pictures: train")]
    assert "train/0006R0/f00930" in section
    assert "val/0016E5/09999" in section
    assert "0001TP" not in section
