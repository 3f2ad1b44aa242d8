"""255 classes, drives and frames with names that make trouble: a whole run, what it costs and what it leaves."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from end_to_end.project import SMALL, Project
from end_to_end.test_memory import PEAK

CLASSES = 255
NAMES = ["NA", "nan", "007", "truth", "road", "road low", "road high", "a,b", 'say "x"', " lead", "line\nend", "Straße"]
NAMES += [f"class {index}" for index in range(len(NAMES), CLASSES)]
DRIVES = ("NA", "None", "1e5", "a,b", " lead", "end\nline")


def draw(folder: Path) -> None:
    """Draws two scenes a drive; each holds every class but one, in blocks of 2x2 pixels."""
    random = np.random.default_rng(0)
    for drive in DRIVES:
        for frame in ("null", "TRUE"):
            ids = random.permutation(np.arange(16 * 16).clip(max=254)).astype(np.uint8).reshape(16, 16)
            label_map = ids.repeat(2, axis=0).repeat(2, axis=1)
            for kind, pixels in (("images", label_map[..., None].repeat(3, axis=2)), ("labels", label_map)):
                path = folder / kind / drive / f"{frame}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)


@pytest.fixture
def many(project: Project, tmp_path: Path) -> Project:
    """A project with a data set of 255 classes."""
    draw(tmp_path / "raw")
    raw_names = {index: f"raw {index}" for index in range(CLASSES)}
    files = {"images": "images/{drive}/{frame}.*", "annotations": "labels/{drive}/{frame}.png", "raw_names": raw_names}
    scenes = {"type": "roadseg.datasets.scene_folders.SceneFoldersDataset", "filepath": str(tmp_path / "raw"), **files}
    label_space = {"type": "roadseg.datasets.label_space.LabelSpaceDataset", "filepath": "conf/local/classes.yml"}
    project.configure("local", "catalog.yml", {"raw_scenes": scenes, "label_space": label_space})
    listed = enumerate(NAMES)
    classes = [{"name": name, "colour": [index, 0, 0], "raw": [f"raw {index}"]} for index, name in listed]
    project.configure("local", "classes.yml", {"classes": classes, "void": []})
    settings = {**SMALL["parameters.yml"], "prepare": {"image_size": [32, 32]}, "train": {"epochs": 1, "batch_size": 4}}
    project.configure("local", "parameters.yml", settings)
    return project


@pytest.mark.slow
def test_255_classes_cost_little_and_keep_their_names(many: Project) -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], cwd=many.folder, capture_output=True, text=True, check=True)
    assert int(done.stdout.rsplit("PEAK ", 1)[1]) < 3_000_000  # of TensorFlow 1.2 GB; as dense matrices 12 GB
    lines = [line for line in done.stderr.splitlines() if line.startswith("IoU ")]
    assert [line.split("  ")[0] for line in lines][:7] == [f"IoU {name}" for name in NAMES[:7]]
    reports = many.folder / "data/08_reporting/drawn"
    pictures = list(reports.glob("*.png/*/*"))
    assert pictures
    for path in pictures:
        with Image.open(path) as picture:
            assert max(picture.size) < 4000, path
    (report,) = reports.glob("evaluation_report.html/*/*")
    assert report.stat().st_size < 20_000_000
    (path,) = reports.glob("class_scores.csv/*/*")
    assert list(pd.read_csv(path, keep_default_na=False)["class"]) == 3 * NAMES

    compared = many.kedro("runs", "compare", "latest", "latest", "--split", "train", "--scenes", "0")
    assert compared.returncode == 0, compared.stdout
    assert "IoU road low " in compared.stdout
