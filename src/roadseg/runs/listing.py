"""Records of runs as rows of a table, and the run that a name means."""

import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from textwrap import shorten
from typing import Any

import psutil
from kedro.io import DatasetError

from roadseg.datasets.run_records import Place, RunRecord, RunRecordsDataset
from roadseg.errors import InputError
from roadseg.reading.in_flight import map_in_flight
from roadseg.reporting.caption import name_export
from roadseg.reporting.numbers import write_score
from roadseg.scoring.differences import MISSING, compare_values

AT_ONCE = 16
"""Records that are read at the same time: an object store takes its time for each."""

EVERYTHING = ("__default__",)
"""Pipelines of a plain `kedro run`."""

COMMIT_DIGITS = 7
FAULT_LENGTH = 80

LATEST = "latest"
"""Names the newest of what somebody may mean."""

SCORED = (LATEST, "previous")
"""Names of the newest run that has scores, and of the one before it."""


def list_rows(records: Sequence[RunRecord], defaults: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Returns a row per run with the columns of `COLUMNS`.

    Args:
        records: In the order of the rows.
        defaults: The parameters of a run without `--params`.
    """
    return [tuple(describe(each, defaults) for describe in COLUMNS.values()) for each in records]


ORDERS: Mapping[str, Callable[[RunRecord], float | None]] = {
    "mean_iou": lambda record: _mean_iou(record, "test"),
    "validation_mean_iou": lambda record: _mean_iou(record, "validation"),
    "time": lambda record: record.seconds,
}
"""Name of an order -> the number that its first run has the greatest of."""


def sort_records(records: Sequence[RunRecord], order: str) -> list[RunRecord]:
    """Returns the records in an order of `ORDERS`, those that have no such number last, else as they came."""
    numbers = [(ORDERS[order](each), each) for each in records]
    known = [(number, each) for number, each in numbers if number is not None]
    last = [each for number, each in numbers if number is None]
    return [each for _, each in sorted(known, key=lambda pair: -pair[0])] + last


def read_all(records: RunRecordsDataset) -> tuple[list[RunRecord], list[str]]:
    """Returns the records of all runs, newest first, and a sentence for each that is damaged.

    Raises:
        InputError: If there are no runs.
    """

    def read(run: str) -> RunRecord | str:
        try:
            return records.read(run)
        except DatasetError as fault:
            return str(fault)

    found = list(map_in_flight(read, list_runs(records), AT_ONCE))
    return [each for each in found if isinstance(each, RunRecord)], [each for each in found if isinstance(each, str)]


def choose_run(records: RunRecordsDataset, name: str) -> RunRecord:
    """Returns the record of the run that a name means.

    Args:
        records: All of them.
        name: Its id, the start of it that no other run has, or one of `SCORED`.

    Raises:
        InputError: If there is no such run, or more than one.
        DatasetError: If its record is damaged.
    """
    runs = list_runs(records)
    if name in SCORED:
        scored = (record for run in runs if (record := records.read(run)).scores)
        found = [record for _, record in zip(range(SCORED.index(name) + 1), scored, strict=False)]
        if len(found) <= SCORED.index(name):
            there = "only one run has" if found else "no run has"
            raise InputError(f"there is no '{name}' run: {there} scores; see `kedro runs list`")
        return found[-1]
    return records.read(choose_id(runs, name, "run"))


def choose_id(ids: Sequence[str], name: str, of: str) -> str:
    """Returns the id that is meant: the name itself, or the only id that begins with it.

    Args:
        ids: Those there are, newest first, at least one.
        name: What was given.
        of: What has these ids, in messages.

    Raises:
        InputError: If there is no such id, or more than one.
    """
    fitting = [name] if name in ids else [each for each in ids if each.startswith(name)]
    if not fitting:
        raise InputError(
            f"there is no {of} '{name}'; the newest {'is' if len(ids) == 1 else 'are'} {', '.join(ids[:3])}"
        )
    if len(fitting) > 1:
        some = ", ".join(fitting[:5]) + (", ..." if len(fitting) > 5 else "")
        raise InputError(f"'{name}' is the start of {len(fitting)} {of}s ({some}); give more of it")
    return fitting[0]


def list_runs(records: RunRecordsDataset) -> list[str]:
    """Returns the ids of all runs, newest first.

    Raises:
        InputError: If there are none.
    """
    runs = records.list_runs()
    if not runs:
        raise InputError(f"there are no runs in '{records.path}' yet; `kedro run` makes the first")
    return runs


def name_resolution(record: RunRecord) -> str:
    """Returns the resolution of the scores of a run, with its size where that is a parameter."""
    if record.resolution == "idd_protocol":
        return "idd_protocol ({} x {})".format(*record.parameters["evaluate"]["protocol_size"])
    return record.resolution or MISSING


def name_runtime(record: RunRecord) -> str:
    """Returns what ran the network that a run scored, with the precision of an exported one."""
    runtime = record.runtime or {"name": "keras"}
    return ", ".join(runtime[part] for part in ("name", "precision") if part in runtime)


def describe_state(record: RunRecord) -> str:
    """Returns how a run ended, or that it has not, in words."""
    if record.state == "running":
        return _describe_unended(record.machine, record.started.timestamp())
    if record.state == "failed":
        return f"failed: {shorten(record.fault or '', FAULT_LENGTH, placeholder=' ...')}"
    if record.state == "interrupted" and record.fault:
        return f"interrupted by {record.fault}"
    is_short = record.training is not None and record.training["is_interrupted"] and "segnet_model" in record.saved
    return f"{record.state}, training ended by Ctrl-C" if is_short else record.state


def describe_commit(record: RunRecord) -> str:
    """Returns the start of the git commit, with `+` where files differed from it."""
    return (record.commit or MISSING)[:COMMIT_DIGITS] + ("+" if record.is_dirty else "")


def describe_duration(seconds: float) -> str:
    """Returns hours, minutes and seconds.

    Examples:
        >>> describe_duration(3723.4)
        '1:02:03'
    """
    return str(timedelta(seconds=round(seconds)))


def _describe_unended(machine: Place, started: float) -> str:
    if machine.host != platform.node():
        return f"running on {machine.host}, or killed there"
    try:
        # A process with the same id that started later is another one.
        is_there = psutil.Process(machine.process).create_time() <= started
    except psutil.NoSuchProcess:
        is_there = False
    return "running" if is_there else "killed"


def _describe_model(record: RunRecord) -> str:
    version = record.versions.get("segnet_model", MISSING)
    model = "this run's" if version == record.run else version
    return f"{model} in {name_runtime(record)}" if name_export(record.runtime) else model


def _describe_changes(record: RunRecord, defaults: Mapping[str, Any]) -> str:
    changes = compare_values(defaults, record.parameters)
    return ", ".join(f"{name}={value}" for name, (_, value) in changes.items() if value != MISSING) or MISSING


def _mean_iou(record: RunRecord, split: str) -> float | None:
    score: float | None = (record.scores or {}).get(split, {}).get("mean_iou")
    return score


def _describe_pipelines(record: RunRecord) -> str:
    return "all" if record.pipelines == EVERYTHING else ", ".join(record.pipelines)


COLUMNS: Mapping[str, Callable[[RunRecord, Mapping[str, Any]], str]] = {
    "run": lambda record, _: record.run,
    "pipelines": lambda record, _: _describe_pipelines(record),
    "time": lambda record, _: describe_duration(record.seconds),
    "commit": lambda record, _: describe_commit(record),
    "model": lambda record, _: _describe_model(record),
    "parameters changed": _describe_changes,
    "resolution": lambda record, _: name_resolution(record),
    "validation": lambda record, _: write_score(_mean_iou(record, "validation")),
    "test": lambda record, _: write_score(_mean_iou(record, "test")),
    "state": lambda record, _: describe_state(record),
}
"""Heading of the list -> its cell, from a run and the parameters without `--params`.

`validation` and `test` are mean IoU at the resolution of that row.
"""
