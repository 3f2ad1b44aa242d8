"""The runs of one k-fold: which they are, and their scores side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.errors import InputError
from roadseg.reporting.comparison_page import Section, name_score
from roadseg.reporting.numbers import write_score
from roadseg.runs.listing import LATEST, choose_id, describe_state, list_runs, name_resolution, name_runtime, read_all
from roadseg.scoring.differences import compare_values
from roadseg.scoring.folds import tabulate_folds

NAMED = 3
"""At most so many parameters that differ are named in a message."""

MAY_DIFFER = ("split.fold", "evaluate.runtime")
"""Parameters that may differ between folds; the runtime is compared apart, as older runs have no such parameter."""


@dataclass(frozen=True)
class Fold:
    """A fold of a k-fold that was scored; its three runs are often one.

    Attributes:
        scored: The run that scored its model.
        trained: The run that trained the model.
        split: The run that made its split.
    """

    scored: RunRecord
    trained: RunRecord
    split: RunRecord

    @property
    def runs(self) -> list[str]:
        """The ids of its runs, each once, in the order of the work."""
        return list(dict.fromkeys(each.run for each in (self.split, self.trained, self.scored)))

    @property
    def parameters(self) -> dict[str, Any]:
        """Each parameter, from the run that used it."""
        own = {"split": self.split.parameters["split"], "evaluate": self.scored.parameters.get("evaluate")}
        return {**self.trained.parameters, **own}

    @property
    def number(self) -> int:
        """Which fold it is, from 0."""
        return int(self.split.parameters["split"]["fold"])


def choose_folds(records: RunRecordsDataset, name: str) -> tuple[list[Fold], list[str]]:
    """Returns the folds of a k-fold in their order, each as it was scored last, and a sentence per damaged record.

    They are alike in all parameters but `split.fold`, in the content of their scenes and in the resolution.

    Args:
        records: Those of all runs.
        name: The id of one of the runs, the start of it that no other run has, or `LATEST`.

    Raises:
        InputError: If that is not a run of a k-fold, or a fold has no matching run.
        DatasetError: If its record is damaged.
    """
    wanted = None if name == LATEST else records.read(choose_id(list_runs(records), name, "run")).run
    known, damaged = read_all(records)
    of_folds = _find_folds(known)
    chosen = next((each for each in of_folds if wanted is None or wanted in each.runs), None)
    if chosen is None:
        missing = (
            f"{f'run {wanted} is not part' if wanted else 'there is no run'} of a k-fold: expected one that scored a "
            f"model that was trained with split.method=k_fold"
        )
        raise InputError("; ".join([missing, *damaged]))
    alike = {each.number: each for each in reversed(of_folds) if not _find_differences(chosen, each)}
    folds = range(chosen.parameters["split"]["folds"])
    if lacking := [fold for fold in folds if fold not in alike]:
        raise InputError("; ".join([_describe_missing(chosen, lacking, of_folds), *damaged]))
    return [alike[fold] for fold in folds], damaged


def compare_folds(folds: Sequence[Fold], split: str) -> list[Section]:
    """Returns the runs of a k-fold and the scores of one split in each, with mean and standard deviation.

    Args:
        folds: As `choose_folds` returns them.
        split: Whose scores.

    Raises:
        InputError: If a run has no scores of the split.
    """
    summaries = [_read_scores(each.scored, split) for each in folds]
    rows = [
        (str(each.number), each.scored.run, str(scores["scenes"]), str(scores["drives"]), describe_state(each.scored))
        for each, scores in zip(folds, summaries, strict=True)
    ]
    scores = [
        (name_score(score, name), *map(write_score, numbers))
        for score, name, *numbers in tabulate_folds(summaries).itertuples(index=False)
    ]
    headings = ("score", *(f"fold {each.number}" for each in folds), "mean", "deviation")
    return [
        Section(f"Folds, their scenes and drives of split {split}", ("fold", "run", "scenes", "drives", "state"), rows),
        Section(f"Scores of split {split}, at {name_resolution(folds[0].scored)} resolution", headings, scores),
    ]


def _find_folds(known: Sequence[RunRecord]) -> list[Fold]:
    """Returns the folds that were scored, newest first; models of other data sets belong to no fold."""
    runs = {each.run: each for each in known}
    folds = []
    for scored in (each for each in known if each.scores is not None):
        trained, split = (runs.get(scored.versions.get(name, "")) for name in ("segnet_model", "split_table"))
        if trained and split and trained.digests == scored.digests and "segnet_model" in trained.saved:
            folds.append(Fold(scored, trained, split))
    return [each for each in folds if each.split.parameters.get("split", {}).get("method") == "k_fold"]


def _find_differences(first: Fold, second: Fold) -> dict[str, tuple[Any, Any]]:
    """Returns what differs between two folds: name -> both values."""
    ours, theirs = (
        {
            **each.parameters,
            "content of prepared_scenes": (each.scored.digests or {}).get("prepared_scenes"),
            "resolution": name_resolution(each.scored),
            "runtime": name_runtime(each.scored),
        }
        for each in (first, second)
    )
    return {name: values for name, values in compare_values(ours, theirs).items() if name not in MAY_DIFFER}


def _describe_missing(chosen: Fold, missing: Sequence[int], of_folds: Sequence[Fold]) -> str:
    others = {each.number: each for each in reversed(of_folds) if each.number in missing}
    reasons = [
        f"; run {other.scored.run} of fold {fold} differs: {_describe_differences(_find_differences(chosen, other))}"
        for fold, other in sorted(others.items())
    ]
    is_one = len(chosen.runs) == 1
    how = f"repeat '{chosen.scored.command}'" if is_one else f"repeat the runs {', '.join(chosen.runs)}"
    return (
        f"fold {', '.join(map(str, missing))} of the {chosen.parameters['split']['folds']} folds of run "
        f"{chosen.scored.run} has no matching run with scores: {how} with split.fold={missing[0]}{''.join(reasons)}"
    )


def _describe_differences(differences: Mapping[str, tuple[Any, Any]]) -> str:
    named = [f"{name} is {theirs} and not {ours}" for name, (ours, theirs) in list(differences.items())[:NAMED]]
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return ", ".join(named) + more


def _read_scores(record: RunRecord, split: str) -> Mapping[str, Any]:
    if split not in (record.scores or {}):
        raise InputError(f"run {record.run} has no scores of split '{split}'; it has: {', '.join(record.scores or {})}")
    return (record.scores or {})[split]
