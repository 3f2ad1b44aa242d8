"""The runs of one k-fold: which they are, and their scores side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.errors import InputError
from roadseg.reporting.comparison_page import Section, describe_number
from roadseg.runs.listing import choose_id, describe_state, list_runs, name_resolution
from roadseg.scoring.differences import compare_values
from roadseg.scoring.folds import tabulate_folds

NEWEST = "latest"
"""Name of the newest run of a k-fold."""

NAMED = 3
"""Of more parameters than these that differ, no more are named."""


def choose_folds(records: RunRecordsDataset, name: str) -> list[RunRecord]:
    """Returns the newest run of each fold of a k-fold, in the order of the folds.

    They are alike in all parameters but `split.fold`, in the content of their scenes and in the resolution.

    Args:
        records: Those of all runs.
        name: The id of one of the runs, the start of it that no other run has, or `NEWEST`.

    Raises:
        InputError: If that is no run of a k-fold, or a fold has no run that is like it.
        DatasetError: If a record is damaged.
    """
    runs = list_runs(records)
    known = [records.read(run) for run in runs]
    wanted = None if name == NEWEST else choose_id(runs, name, "run")
    of_folds = [each for each in known if _is_of_a_fold(each)]
    chosen = next((each for each in of_folds if wanted in {None, each.run}), None)
    if chosen is None:
        raise InputError(
            f"{f'run {wanted} is' if wanted else 'there is'} no run of a k-fold: expected one that split, trained and "
            f"scored with split.method=k_fold"
        )
    alike = {_fold_of(each): each for each in reversed(of_folds) if not _find_differences(chosen, each)}
    folds = range(chosen.parameters["split"]["folds"])
    if missing := [fold for fold in folds if fold not in alike]:
        raise InputError(_describe_missing(chosen, missing, of_folds))
    return [alike[fold] for fold in folds]


def compare_folds(runs: Sequence[RunRecord], split: str) -> list[Section]:
    """Returns the runs of a k-fold and the scores of one split in each, with mean and standard deviation.

    Args:
        runs: One per fold, as `choose_folds` returns them.
        split: Whose scores.

    Raises:
        InputError: If a run has no scores of the split.
    """
    summaries = [_read_scores(each, split) for each in runs]
    rows = [
        (str(_fold_of(run)), run.run, str(scores["scenes"]), str(scores["drives"]), describe_state(run))
        for run, scores in zip(runs, summaries, strict=True)
    ]
    scores = [
        (f"IoU {name}" if score == "iou" else score, *map(describe_number, numbers))
        for score, name, *numbers in tabulate_folds(summaries).itertuples(index=False)
    ]
    headings = ("score", *(f"fold {_fold_of(run)}" for run in runs), "mean", "deviation")
    return [
        Section(f"Folds, their scenes and drives of split {split}", ("fold", "run", "scenes", "drives", "state"), rows),
        Section(f"Scores of split {split}, at {name_resolution(runs[0])} resolution", headings, scores),
    ]


def _is_of_a_fold(record: RunRecord) -> bool:
    is_whole = {"split_table", "segnet_model"} <= set(record.saved) and record.scores is not None
    return is_whole and record.parameters.get("split", {}).get("method") == "k_fold"


def _fold_of(record: RunRecord) -> int:
    return int(record.parameters["split"]["fold"])


def _find_differences(first: RunRecord, second: RunRecord) -> dict[str, tuple[Any, Any]]:
    """Returns what differs between two runs of folds: name -> both values."""
    ours, theirs = (
        {
            **each.parameters,
            "content of prepared_scenes": (each.digests or {}).get("prepared_scenes"),
            "resolution": name_resolution(each),
        }
        for each in (first, second)
    )
    return {name: values for name, values in compare_values(ours, theirs).items() if name != "split.fold"}


def _describe_missing(chosen: RunRecord, missing: Sequence[int], of_folds: Sequence[RunRecord]) -> str:
    others = {_fold_of(each): each for each in reversed(of_folds) if _fold_of(each) in missing}
    reasons = [
        f"; run {other.run} of fold {fold} is another: {_describe_differences(_find_differences(chosen, other))}"
        for fold, other in sorted(others.items())
    ]
    return (
        f"fold {', '.join(map(str, missing))} of the {chosen.parameters['split']['folds']} folds of run {chosen.run} "
        f"has no run like it, with scores: repeat '{chosen.command}' with split.fold={missing[0]}{''.join(reasons)}"
    )


def _describe_differences(differences: Mapping[str, tuple[Any, Any]]) -> str:
    named = [f"{name} is {theirs} and not {ours}" for name, (ours, theirs) in list(differences.items())[:NAMED]]
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return ", ".join(named) + more


def _read_scores(record: RunRecord, split: str) -> Mapping[str, Any]:
    if split not in (record.scores or {}):
        raise InputError(f"run {record.run} has no scores of split '{split}'; it has: {', '.join(record.scores or {})}")
    return (record.scores or {})[split]
