"""Runs whose configuration lies elsewhere, or is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from runs.project import Project

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
  image_size: [16, "${runtime_params:width}"]
"""


def test_packaged_project_runs_on_an_archive_from_any_folder(
    project: Project, mine_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    conf = project.folder / "conf"
    (conf / "mine").mkdir()
    (conf / "mine/catalog.yaml").write_text(CATALOG.format(folder=mine_folder))
    (conf / "mine/classes.yml").write_text(CLASSES)
    (conf / "mine/globals.yaml").write_text(yaml.safe_dump({"data_set": "mine"}))
    (conf / "mine/parameters.yaml").write_text(PARAMETERS)
    archive = shutil.make_archive(str(project.folder / "conf-roadseg"), "gztar", project.folder, "conf")
    empty = tmp_path_factory.mktemp("empty")
    settings = ("--conf-source", archive, "--env", "mine", "--params", "width=24")
    done = subprocess.run(
        [sys.executable, "-m", "roadseg", "--pipelines", "prepare", *settings],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    index = pd.read_csv(next((empty / "data/03_primary/mine").glob("scene_index.csv/*/*.csv")))
    assert len(index) == 12
    assert {"pixels ground", "pixels rest"} <= set(index.columns)
    assert set(index["pixels ground"] + index["pixels rest"]) <= set(range(16 * 24 + 1))


def test_broken_file_is_told_in_a_sentence_by_all_commands(project: Project) -> None:
    (project.folder / "conf/local/catalog.yml").write_text("raw_scenes:\n  type: some.Dataset\n drives: 3\n")
    sentence = f"Error: '{project.folder}/conf/local/catalog.yml', line 3: expected <block end>"
    assert project.fail("--pipelines", "prepare").startswith(sentence)
    for command in (("runs", "list"), ("prune", "--keep", "1")):
        done = project.kedro(*command)
        assert done.returncode == 1
        assert done.stdout.startswith(sentence)
