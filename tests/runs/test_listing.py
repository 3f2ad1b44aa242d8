import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from roadseg.datasets.run_records import RunRecordsDataset
from roadseg.runs.commands import list_command
from roadseg.runs.listing import COLUMNS, ORDERS, choose_run, describe_state, list_rows, sort_records

SCORES = {"test": {"mean_iou": 0.5}, "validation": {"mean_iou": 0.25}}
DEFAULTS = {"seed": 1, "train": {"epochs": 12, "device": "auto"}}
RUNS = ["2026-01-30T10.00.00.000Z", "2026-01-31T10.00.00.000Z", "2026-02-01T10.00.00.000Z"]


@pytest.fixture
def records(tmp_path, run_record):
    """Three runs, of which the last one has no scores."""
    dataset = RunRecordsDataset(filepath=str(tmp_path / "runs"))
    for run, scores in zip(RUNS, (SCORES, SCORES, None), strict=True):
        dataset.save(run_record(run, scores=scores))
    return dataset


def row(record):
    return dict(zip(COLUMNS, *list_rows([record], DEFAULTS), strict=True))


def test_a_row_says_what_ran_from_what_and_what_came_out(run_record):
    record = run_record(
        "r2",
        pipelines=["evaluate", "train"],
        commit="0123456789abcdef",
        is_dirty=True,
        loaded={"segnet_model": "r1"},
        parameters={"seed": 1, "train": {"epochs": 3, "device": "gpu"}},
        resolution="native",
        scores=SCORES,
    )
    assert row(record) == {
        "run": "r2",
        "pipelines": "evaluate, train",
        "time": "0:01:01",
        "commit": "0123456+",
        "model": "r1",
        "parameters changed": "train.epochs=3, train.device=gpu",
        "resolution": "native",
        "validation": "0.2500",
        "test": "0.5000",
        "state": "done",
    }


def test_what_a_run_has_not_is_a_dash(run_record):
    found = row(run_record("r1", parameters=DEFAULTS))
    assert {found[name] for name in ("commit", "model", "parameters changed", "resolution")} == {"-"}
    assert found["test"] == found["validation"] == "\N{EN DASH}"
    assert found["pipelines"] == "all"


def test_a_clean_checkout_and_a_model_of_the_run_itself(run_record):
    found = row(run_record("r1", commit="0123456789", is_dirty=False, saved={"segnet_model": "r1"}))
    assert (found["commit"], found["model"]) == ("0123456", "this run's")


def test_scores_of_an_exported_file_are_no_scores_of_the_model(run_record):
    runtime = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v9", "precision": "int8"}
    loaded = {"segnet_model": "r1"}
    assert row(run_record("r2", loaded=loaded, runtime=runtime))["model"] == "r1 in onnxruntime, int8"
    assert row(run_record("r2", loaded=loaded, runtime={"name": "keras", "version": "3"}))["model"] == "r1"


def test_a_parameter_that_there_was_not_yet_is_no_change(run_record):
    assert row(run_record("r1", parameters={"seed": 2}))["parameters changed"] == "seed=2"


def test_runs_without_the_score_come_last(run_record):
    best = run_record("r1", scores={"test": {"mean_iou": 0.75}})
    void = run_record("r2", scores={"test": {"mean_iou": None}})
    good = run_record("r3", scores=SCORES)
    none = run_record("r4")
    assert sort_records([none, good, void, best], "mean_iou") == [best, good, none, void]
    assert sort_records([none, best, good], "validation_mean_iou") == [good, none, best]


def test_every_order_can_be_asked_for():
    (sort,) = (each for each in list_command.params if each.name == "order")
    assert list(sort.type.choices) == ["newest", *ORDERS]


def test_the_longest_run_comes_first_by_time(run_record):
    short, long = run_record("r1", seconds=1), run_record("r2", seconds=2)
    assert sort_records([short, long], "time") == [long, short]


@pytest.mark.parametrize(
    ("name", "place"),
    [(RUNS[1], 1), ("2026-01-31", 1), ("2026-02", 2), ("latest", 1), ("previous", 0)],
)
def test_a_run_is_named_by_its_id_its_start_or_its_place_among_the_scored(records, name, place):
    assert choose_run(records, name).run == RUNS[place]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("2026-01", r"'2026-01' is the start of 2 runs \(2026-01-31T10.00.00.000Z, 2026-01-30T10.00.00.000Z\)"),
        ("2027", r"there is no run '2027'; the newest are 2026-02-01T10.00.00.000Z"),
        ("31", "there is no run '31'"),
    ],
)
def test_a_run_that_is_not_there_or_not_alone_is_refused(records, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_run(records, name)


def test_latest_and_previous_need_runs_with_scores(tmp_path, run_record):
    dataset = RunRecordsDataset(filepath=str(tmp_path / "runs"))
    with pytest.raises(ValueError, match=rf"there are no runs in '{tmp_path}/runs' yet"):
        choose_run(dataset, "latest")
    dataset.save(run_record("r1", scores=SCORES))
    dataset.save(run_record("r2"))
    assert choose_run(dataset, "latest").run == "r1"
    with pytest.raises(ValueError, match="there is no 'previous' run: only one run has scores"):
        choose_run(dataset, "previous")


def running(run_record, host, process, started):
    machine = {"host": host, "process": process, "system": "", "cores": 1, "memory": 1, "gpus": []}
    return run_record("r1", state="running", machine=machine, started=started)


def test_a_run_whose_process_is_there_is_running(run_record):
    assert describe_state(running(run_record, platform.node(), os.getpid(), datetime.now(UTC))) == "running"


def test_a_run_whose_process_is_gone_was_killed(run_record):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert describe_state(running(run_record, platform.node(), process.pid, datetime.now(UTC))) == "killed"


def test_a_later_process_of_the_same_id_is_not_the_run(run_record):
    begun = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    record = running(run_record, platform.node(), os.getpid(), begun - timedelta(hours=1))
    assert describe_state(record) == "killed"


def test_a_run_on_another_machine_may_be_running(run_record):
    record = running(run_record, "elsewhere", os.getpid(), datetime.now(UTC))
    assert describe_state(record) == "running on elsewhere, or killed there"


def test_a_failed_run_says_why_in_one_short_line(run_record):
    record = run_record("r1", state="failed", fault="the disk is full:\n'split_table' " + 30 * "could not be saved ")
    state = describe_state(record)
    assert state.startswith("failed: the disk is full: 'split_table' could")
    assert state.endswith(" ...")
    assert len(state) <= 90


def test_a_training_that_ctrl_c_ended_is_told_of_the_run_that_trained(run_record):
    training = {"is_interrupted": True}
    assert describe_state(run_record("r1", training=training, saved={"segnet_model": "r1"})) == (
        "done, training ended by Ctrl-C"
    )
    assert describe_state(run_record("r2", training=training, loaded={"segnet_model": "r1"})) == "done"
    terminated = run_record("r1", state="interrupted", fault="SIGTERM", training=training, saved={"segnet_model": "r1"})
    assert describe_state(terminated) == "interrupted by SIGTERM"
