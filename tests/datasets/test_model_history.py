import logging

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError, Version
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset

from roadseg.datasets.model_history import ModelHistoryDataset
from roadseg.datasets.run_records import RunRecordsDataset

SCORES = {"test": {"mean_iou": 0.5}}


@pytest.fixture
def catalog(tmp_path):
    JSONDataset(filepath=str(tmp_path / "model.json"), version=Version(None, "v1")).save("weights")
    made = DataCatalog(
        {
            "model": JSONDataset(filepath=str(tmp_path / "model.json"), version=Version(None, "v9")),
            "records": RunRecordsDataset(filepath=str(tmp_path / "runs")),
            "drives": CSVDataset(filepath=str(tmp_path / "drives.csv"), version=Version(None, "v9")),
            "history": ModelHistoryDataset(of="model", records="records", drive_scores="drives"),
        }
    )
    made["history"].bind(made)
    return made


def test_without_runs_nothing_is_known(catalog):
    history = catalog.load("history")
    assert (history.find_command(), history.find_evaluation()) == (None, None)


def test_the_newest_evaluation_of_exactly_this_model_counts(catalog, run_record, tmp_path, caplog):
    made = [
        run_record("v1", command="kedro run --params train.epochs=2", saved={"model": "v1"}),
        run_record("v2", loaded={"model": "v1"}, scores=SCORES, saved={"drives": "v2"}),
        run_record("v3", loaded={"model": "v1"}, scores=SCORES, saved={"drives": "v3"}),
        run_record("v4", loaded={"model": "v0"}, scores=SCORES),  # of another model
        run_record("v5", loaded={"model": "v1"}),  # without scores
        run_record("v5a", loaded={"model": "v1"}, scores=SCORES, runtime={"exported_model": "v1"}),  # of its file
    ]
    for record in made:
        catalog["records"].save(record)
    (tmp_path / "runs/v6.json").write_text("{")
    drives = pd.DataFrame({"drive": ["a"]})
    CSVDataset(filepath=str(tmp_path / "drives.csv"), version=Version(None, "v3"), save_args={"index": False}).save(
        drives
    )
    history = catalog.load("history")
    assert history.find_command() == "kedro run --params train.epochs=2"
    with caplog.at_level(logging.WARNING):
        found = history.find_evaluation()
    assert found.record == made[2]
    assert found.drive_scores.equals(drives)
    (warning,) = caplog.records
    assert warning.getMessage().startswith("The model card is written without one run record: '")
    assert "v6.json' is not a run record" in warning.getMessage()


def test_scores_stay_known_when_those_of_drives_are_removed(catalog, run_record):
    catalog["records"].save(run_record("v2", loaded={"model": "v1"}, scores=SCORES, saved={"drives": "v2"}))
    found = catalog.load("history").find_evaluation()
    assert (found.record.run, found.drive_scores) == ("v2", None)


def test_outside_a_session_it_is_refused():
    with pytest.raises(DatasetError, match="only inside a Kedro session"):
        ModelHistoryDataset(of="model", records="records", drive_scores="drives").load()
