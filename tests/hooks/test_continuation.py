import zipfile

import pytest
from kedro.io import Version

from model_records import model_record
from roadseg.datasets.trained_segnet import TrainedSegNetDataset
from roadseg.hooks.continuation import choose_version
from roadseg.segnet.model_record import write_record


@pytest.fixture
def models(tmp_path):
    """Models of three trainings, the newest of which was interrupted."""
    for version, is_interrupted in (("2025-01-01", False), ("2026-01-01", False), ("2026-01-02", True)):
        path = tmp_path / "segnet.keras" / version / "segnet.keras"
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            write_record(model_record(training={"is_interrupted": is_interrupted}), archive)
    return TrainedSegNetDataset(filepath=f"{tmp_path}/segnet.keras", version=Version(None, None))


@pytest.mark.parametrize(
    ("name", "version"),
    [("2026-01-02", "2026-01-02"), ("2025", "2025-01-01"), ("latest", "2026-01-01")],
    ids=["id", "start of an id", "latest that was not interrupted"],
)
def test_a_model_is_named_by_its_id_a_start_of_it_or_latest(models, name, version):
    assert choose_version(models, name) == version


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "1999",
            "continue_from: there is no model '1999'; the newest are 2026-01-02, 2026-01-01, 2025",
        ),
        ("2026", "train.continue_from: '2026' is the start of 2 models .*; give more of it"),
    ],
)
def test_a_model_that_is_not_there_or_not_the_only_one(models, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_version(models, name)


@pytest.mark.parametrize("name", ["latest", "2026"])
def test_there_is_no_model_yet(tmp_path, name):
    models = TrainedSegNetDataset(filepath=f"{tmp_path}/segnet.keras", version=Version(None, None))
    with pytest.raises(ValueError, match=f"there is no model to continue in '{tmp_path}/segnet.keras'"):
        choose_version(models, name)
