import logging
from types import SimpleNamespace

import pytest
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro_datasets.pandas import CSVDataset

from model_records import model_record
from roadseg.datasets.run_records import RunRecordsDataset
from roadseg.interruption import TerminatedError
from roadseg.runs.recorder import RunRecorder

RUN, BEFORE = "2026-01-31T10.20.30.000Z", "2026-01-30T10.20.30.000Z"
MODEL = model_record(
    learnt_from={
        "prepared_scenes": {"version": BEFORE, "digest": "0a"},
        "split_table": {"version": BEFORE, "digest": "0b"},
    },
    training={"epochs": 3},
)

RUNTIME = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v5", "precision": "int8"}

TRAINED = MODEL.training.model_dump(mode="json")


class FullDisk(RunRecordsDataset):
    """Records of which only so many can be written."""

    def __init__(self, filepath, room):
        super().__init__(filepath=filepath)
        self.room = room

    def save(self, data):
        self.room -= 1
        if self.room < 0:
            raise DatasetError("no space left")
        super().save(data)


def identity(data):
    return data


@pytest.fixture
def folder(tmp_path):
    for version in (BEFORE, RUN):
        (tmp_path / "split_table.csv" / version).mkdir(parents=True)
        (tmp_path / "split_table.csv" / version / "split_table.csv").write_text("scene\na\n")
    return tmp_path


class Mirror:
    """Who is told what a record says."""

    def __init__(self, refusal=None):
        self.told, self.refusal = [], refusal

    def begin(self, record, pipeline, catalog):
        self.told.append((record.state, [node.name for node in pipeline.nodes]))

    def end(self, record):
        self.told.append((record.state, record.scores))
        if self.refusal:
            raise self.refusal


def begin(folder, records=None, mirror=None, **run_params):
    """A recorder whose run has come to its first node."""
    records = records or RunRecordsDataset(filepath=str(folder / "runs"))
    table = {"type": "pandas.CSVDataset", "filepath": str(folder / "split_table.csv"), "versioned": True}
    catalog = DataCatalog.from_config({"split_table": table}, load_versions={"split_table": BEFORE}, save_version=RUN)
    catalog["run_records"], catalog["scores"], catalog["plain"] = records, MemoryDataset(), MemoryDataset()
    recorder = RunRecorder(lambda fault: f"because of {fault}", mirror)
    recorder.__enter__()
    recorder.after_context_created(SimpleNamespace(config_loader={"parameters": {"seed": 3, "width": 1}}))
    run_params = {
        "run_id": RUN,
        "project_path": str(folder),
        "env": None,
        "pipeline_names": [],
        "runtime_params": {"seed": 3},
        **run_params,
    }
    pipeline = Pipeline([Node(identity, "split_table", "plain", name="copy")])
    recorder.before_pipeline_run(run_params=run_params, pipeline=pipeline, catalog=catalog)
    return recorder


def end(recorder, fault=None):
    recorder.__exit__(type(fault) if fault else None, fault, None)


def read(folder):
    (record,) = RunRecordsDataset(filepath=str(folder / "runs")).load()
    return record


def test_a_run_is_recorded_from_its_first_node_on(folder):
    begin(folder, pipeline_names=["train", "prepare"], env="camvid")
    record = read(folder)
    assert (record.run, record.state, record.fault) == (RUN, "running", None)
    assert (record.pipelines, record.nodes, record.environment) == (("prepare", "train"), (), "camvid")
    assert (record.given_parameters, record.parameters) == ({"seed": 3}, {"seed": 3, "width": 1})
    assert (record.loaded, record.saved, record.scores) == ({}, {}, None)


def test_a_second_run_of_the_same_id_does_not_begin(folder):
    begin(folder)
    with pytest.raises(DatasetError, match=f"there is a run '{RUN}' already"):
        begin(folder)


def test_nodes_stand_in_the_record_as_they_begin(folder):
    recorder = begin(folder)
    recorder.before_node_run(Node(identity, "plain", "other", name="second"))
    assert read(folder).nodes == ("second",)


def test_what_is_loaded_and_saved_stands_in_the_record_at_once(folder):
    recorder = begin(folder)
    recorder.after_dataset_loaded("split_table")
    recorder.after_dataset_loaded("plain")
    recorder.after_dataset_saved("plain", "data")
    assert (read(folder).loaded, read(folder).saved) == ({"split_table": BEFORE}, {})
    recorder.after_dataset_saved("split_table", "data")
    assert read(folder).saved == {"split_table": RUN}


def test_scores_and_what_was_scored_stand_in_the_record(folder):
    recorder = begin(folder)
    splits = {"test": {"mean_iou": 0.5, "classes": {"car": {"iou": 0.25}}}}
    scored = {"prepared_scenes": "0c", "split_table": "0d"}
    scores = {"splits": splits, "model": {"training": TRAINED}, "digests": scored, "resolution": "native"}
    scores["runtime"] = RUNTIME
    recorder.after_dataset_saved("scores", scores)
    end(recorder)
    record = read(folder)
    assert record.state == "done"
    assert (record.scores, record.resolution, record.runtime) == (splits, "native", RUNTIME)
    assert record.digests == scored
    assert record.training == TRAINED


def test_a_model_says_how_it_was_trained_though_nothing_is_scored(folder):
    recorder = begin(folder)
    recorder._catalog["segnet_model"] = CSVDataset(filepath="unused")
    recorder.after_dataset_saved("segnet_model", SimpleNamespace(record=MODEL))
    assert read(folder).training == TRAINED
    assert TRAINED["epochs"] == 3
    assert read(folder).scores is None


@pytest.mark.parametrize(
    ("fault", "state", "sentence"),
    [
        (None, "done", None),
        (KeyboardInterrupt(), "interrupted", None),
        (TerminatedError(), "interrupted", "SIGTERM"),
        (ValueError("the disk is full"), "failed", "because of the disk is full"),
        (SystemExit(3), "failed", "because of 3"),
    ],
)
def test_the_record_says_how_the_run_ended(folder, fault, state, sentence):
    end(begin(folder), fault)
    assert (read(folder).state, read(folder).fault) == (state, sentence)


@pytest.mark.parametrize(
    ("fault", "state"), [(None, "done"), (KeyboardInterrupt(), "interrupted"), (ValueError("wrong"), "failed")]
)
def test_a_mirror_is_told_first_and_last(folder, fault, state):
    mirror = Mirror()
    recorder = begin(folder, mirror=mirror)
    scores = {
        "splits": {"test": {"mean_iou": 0.5}},
        "model": {"training": TRAINED},
        "digests": {},
        "resolution": "network",
        "runtime": RUNTIME,
    }
    recorder.after_dataset_saved("scores", scores)
    end(recorder, fault)
    assert mirror.told == [("running", ["copy"]), (state, {"test": {"mean_iou": 0.5}})]


def test_a_mirror_that_refuses_does_not_hide_the_fault_of_the_run(folder, caplog):
    recorder = begin(folder, mirror=Mirror(OSError("no space left")))
    with caplog.at_level(logging.WARNING):
        end(recorder, ValueError("wrong"))
    assert "could not be completed: no space left" in caplog.text
    assert (read(folder).state, read(folder).fault) == ("failed", "because of wrong")


def test_a_run_that_stops_before_its_first_node_has_no_record(tmp_path):
    recorder = RunRecorder(str)
    with pytest.raises(ValueError, match="no such parameter"), recorder:
        raise ValueError("no such parameter")
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_cannot_be_ended_does_not_hide_the_fault_of_the_run(folder, caplog):
    recorder = begin(folder, FullDisk(str(folder / "runs"), room=0))
    with caplog.at_level(logging.WARNING):
        end(recorder, ValueError("the disk is full"))
    assert "could not be completed: no space left" in caplog.text
    assert read(folder).state == "running"


def test_a_run_that_ended_well_and_can_not_say_so_fails(folder):
    recorder = begin(folder, FullDisk(str(folder / "runs"), room=0))
    with pytest.raises(DatasetError, match="no space left"):
        end(recorder)
