"""Versions of predicted pictures whose files are linked to each other."""

import base64
import uuid

import cv2
import numpy as np
import pytest
from kedro.io import DataCatalog, Version

from predicting.pictures import draw_halves, name_colours, picture_files, save_picture
from roadseg.datasets.predicted_pictures import PredictedPicturesDataset
from roadseg.predicting.predicted_pictures import PredictedPictures
from roadseg.predicting.prediction_folder import INDEX
from roadseg.predicting.work import Work
from roadseg.reading.folder import Folder
from roadseg.reading.picture_source import list_pictures
from roadseg.runs.pruning import prune_versions

KINDS = ("label_maps", "overlays", "confidence_maps", "entropy_maps", "thumbnails")
NAMES = {kind: [f"{name}.{'png' if kind.endswith('maps') else 'jpg'}" for name in ("drive/a", "b")] for kind in KINDS}


@pytest.fixture(scope="module")
def predictor():
    return name_colours()


def predict(folder, predictor, before=None):
    """Predicts the source, with what the version before has."""
    source = list_pictures(folder / "source")
    files = picture_files(folder / "work")
    if before is not None:
        files.folder.take_over(Folder.at(before), {item.name: item.fingerprint for item in source}, files.kinds)
    Work(predictor, files).predict(source)
    names = [item.name for item in source]
    return files, files.folder.finish("key", names, [])


def save_version(folder, version, predictor, before=None):
    """Predicts the source as a version."""
    files, index = predict(folder, predictor, before)
    dataset = PredictedPicturesDataset(filepath=str(folder / "predicted"), version=Version(None, version))
    dataset.save(PredictedPictures(Folder.at(files.folder.path), index))
    return folder / "predicted" / version / "predicted"


def list_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_version_whose_files_an_older_one_shares_stays_whole_when_that_is_removed(tmp_path, predictor):
    for name in ("drive/a", "b"):
        save_picture(tmp_path / f"source/{name}.png", draw_halves((24, 32), 0, 1))
    first = save_version(tmp_path, "2026-01-01T00.00.00.000Z", predictor)
    second = save_version(tmp_path, "2026-01-02T00.00.00.000Z", predictor, first)
    assert (first / "label_maps/b.png").samefile(second / "label_maps/b.png")
    files = list_files(second)
    kind = "roadseg.datasets.predicted_pictures.PredictedPicturesDataset"
    entry = {"type": kind, "filepath": str(tmp_path / "predicted"), "versioned": True}
    prune_versions(DataCatalog.from_config({"predicted_pictures": entry}), keep=1)
    assert not first.parent.exists()
    assert list_files(second) == files
    assert set(files) == {INDEX, *(f"{kind}/{name}" for kind in KINDS for name in NAMES[kind])}


def test_in_a_store_a_version_has_all_files_and_the_folder_of_the_work_is_gone(tmp_path, predictor):
    for name in ("drive/a", "b"):
        save_picture(tmp_path / f"source/{name}.png", draw_halves((24, 32), 0, 1))
    place = f"memory:///{uuid.uuid4().hex}/predicted"
    files, index = predict(tmp_path, predictor)
    work = list_files(files.folder.path)
    released = []
    dataset = PredictedPicturesDataset(filepath=place, version=Version(None, "v1"))
    dataset.save(PredictedPictures(Folder.at(files.folder.path), index, lambda: released.append(True)))
    assert (files.folder.path.exists(), released) == (False, [True])
    found = dataset.load()
    assert {name: found.folder.read(name) for name in found.folder.list_files()} == work
    assert (found.index, dataset.list_versions(full_path=False)) == (index, ["v1"])
    assert found.read_thumbnail("drive/a") == work["thumbnails/drive/a.jpg"]
    assert dataset.preview(width=40)


@pytest.mark.parametrize(
    ("sizes", "heights"),
    [([(1, 1)], [40]), ([(24, 32), (1, 50), (70, 3), (20, 20)], [40, 40]), ([(30, 60)] * 3 + [(24, 32)], [20, 30])],
)
def test_a_preview_shows_pictures_of_any_size_in_rows_of_three(tmp_path, predictor, sizes, heights):
    for number, size in enumerate(sizes):
        save_picture(tmp_path / f"source/{number}.png", draw_halves(size, 0, 1))
    (tmp_path / "source/broken.png").touch()
    save_version(tmp_path, "2026-01-01T00.00.00.000Z", predictor)
    version = Version("2026-01-01T00.00.00.000Z", None)
    preview = PredictedPicturesDataset(filepath=str(tmp_path / "predicted"), version=version).preview(width=40)
    sheet = cv2.imdecode(np.frombuffer(base64.b64decode(preview), np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (sum(heights), 120, 3)
    assert all((sheet[sum(heights[:row]), 0] != 255).any() for row in range(len(heights)))
