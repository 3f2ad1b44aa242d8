"""Runs whose configuration lies elsewhere, or is broken."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from end_to_end.project import Project

CLASSES = """
classes:
  - {name: ground, colour: [1, 2, 3], raw: [asphalt]}
  - {name: rest, colour: [4, 5, 6], raw: [car, van, cloud]}
void: [unlabeled]
"""
CATALOG = """
raw_scenes:
  type: roadseg.datasets.scene_folders.SceneFoldersDataset
  filepath: {folder}
  images: images/{{drive}}/{{frame}}.*
  annotations: labels/{{drive}}/{{frame}}.png
  raw_names: {{0: asphalt, 1: car, 2: van, 3: cloud, 255: unlabeled}}
label_space:
  type: roadseg.datasets.label_space.LabelSpaceDataset
  filepath: conf/mine/classes.yml
"""
PARAMETERS = """
prepare:
  image_size: [16, "${runtime_params:width, 48}"]
"""
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale without UTF-8, of which Python makes nothing else."""


def test_settings_in_an_archive_are_all_that_is_needed(project: Project, mine_folder: Path) -> None:
    conf = project.folder / "conf"
    (conf / "mine").mkdir()
    (conf / "mine/catalog.yaml").write_text(CATALOG.format(folder=mine_folder))
    (conf / "mine/classes.yml").write_text(CLASSES)
    (conf / "mine/globals.yaml").write_text(yaml.safe_dump({"data_set": "mine"}))
    (conf / "mine/parameters.yaml").write_text(PARAMETERS)
    archive = shutil.make_archive(str(project.folder / "conf-roadseg"), "gztar", project.folder, "conf")
    shutil.rmtree(conf)
    shares = "split.shares={train: 0.5, validation: 0.25, test: 0.25}"
    settings = ("--env", "mine", "--conf-source", archive)
    project.run("--pipelines", "prepare", *settings, "--params", f"width=24,{shares}")
    split = pd.read_csv(next(project.folder.glob("data/03_primary/mine/split_table.csv/*/*")))
    assert dict(split["split"].value_counts()) == {"train": 6, "validation": 3, "test": 3}
    pixels = pd.read_csv(next(project.folder.glob("data/03_primary/mine/class_pixels.csv/*/*")))
    assert set(pixels["class"]) == {"ground", "rest"}
    counts = pixels.groupby("scene")["pixels"].sum()
    assert len(counts) == 12
    assert 16 * 24 / 2 < counts.max() <= 16 * 24  # one band in five is void
    listed = project.kedro("runs", "list", *settings)
    assert "split.shares.train=0.5" in listed.stdout, listed.stdout


def test_broken_file_is_told_in_a_sentence_by_all_commands(project: Project) -> None:
    (project.folder / "conf/local/catalog.yml").write_text("raw_scenes:\n  type: some.Dataset\n drives: 3\n")
    sentence = f"Error: '{project.folder}/conf/local/catalog.yml', line 3: expected <block end>"
    assert project.fail("--pipelines", "prepare").startswith(sentence)
    for command in (("runs", "list"), ("prune", "--keep", "1")):
        done = project.kedro(*command)
        assert done.returncode == 1
        assert done.stdout.startswith(sentence)


@pytest.mark.parametrize("pipelines", ["prepare", pytest.param("prepare,train,evaluate", marks=pytest.mark.slow)])
def test_locale_without_utf8_changes_nothing(project: Project, mine_folder: Path, pipelines: str) -> None:
    drives = sorted(path.name for path in (mine_folder / "images").iterdir())
    for drive, name in zip(drives, "äöüß", strict=True):
        for kind in ("images", "labels"):
            (mine_folder / kind / drive).rename(mine_folder / kind / name)
    mine_folder.rename(mine_folder.parent / "Straße")
    project.configure("Straße", "globals.yml", {"data_set": "Straße"})
    small = yaml.safe_load((project.folder / "conf/local/parameters.yml").read_text())
    project.configure("Straße", "parameters.yml", {**small, "prepare": {"image_size": [32, 48], "workers": 2}})
    catalog = CATALOG.format(folder=mine_folder.parent / "Straße").replace("conf/mine", "conf/Straße")
    (project.folder / "conf/Straße/catalog.yml").write_text(catalog, encoding="utf-8")
    (project.folder / "conf/Straße/classes.yml").write_text(CLASSES.replace("rest", "übrige"), encoding="utf-8")
    output = project.run("--env", "Straße", "--pipelines", pipelines, environment=ASCII)
    assert "data_report: data/08_reporting/Straße/data_report.html" in output
    report = next(project.folder.glob("data/08_reporting/Straße/data_report.html/*/*")).read_text("utf-8")
    assert all(name in report for name in (">ä<", ">ß<", ">übrige<"))
    index = pd.read_csv(next(project.folder.glob("data/03_primary/Straße/scene_index.csv/*/*")), encoding="utf-8")
    assert set(index["drive"]) == set("äöüß")
    listed = project.kedro("runs", "list", "--env", "Straße", environment={**ASCII, "PYTHONIOENCODING": "ascii"})
    assert listed.returncode == 0
    assert "done" in listed.stdout
