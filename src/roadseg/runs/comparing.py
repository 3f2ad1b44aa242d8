"""Two runs side by side: their records, and the versions that they name, if these still exist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from kedro.io import DataCatalog, Version

from roadseg.datasets.run_records import RunRecord
from roadseg.errors import InputError
from roadseg.reporting.caption import name_export
from roadseg.reporting.comparison_page import (
    Section,
    describe_change,
    describe_differences,
    describe_scenes,
)
from roadseg.reporting.numbers import write_score
from roadseg.runs.listing import describe_commit, describe_duration, describe_state, name_resolution, name_runtime
from roadseg.scoring.comparison import (
    PairedScenes,
    choose_changed,
    compare_scenes,
    compare_scores,
    pair_scenes,
)
from roadseg.scoring.differences import MISSING, compare_values
from roadseg.scoring.scores import SCORES
from roadseg.scoring.tables import ScoredScenes

NAMES = ("", "A", "B")


class GoneError(Exception):
    """A version that a record names does not exist any more; the message says which."""


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        notes: What a reader must know before the tables.
        sections: The tables.
        changed: The scenes that changed most, as `compare_scenes` returns them.
    """

    notes: list[str]
    sections: list[Section]
    changed: pd.DataFrame


def compare_runs(
    catalog: DataCatalog, first: RunRecord, second: RunRecord, *, split: str, num_scenes: int
) -> Comparison:
    """Returns the comparison of two runs.

    Args:
        catalog: Of the project; the tables that the records name may have been removed.
        first: The run that is called A.
        second: The one that is called B; differences are B less A.
        split: Whose scenes are compared.
        num_scenes: How many scenes that got better, and as many that got worse.

    Raises:
        InputError: If one of the runs has no scores of the split.
    """
    for record in (first, second):
        _check_scored(record, split)
    sections = [*_compare_settings(first, second), _compare_splits(first, second)]
    resolution, other = name_resolution(first), name_resolution(second)
    if resolution != other:
        note = f"A is scored at {resolution} resolution, B at {other}: different resolutions can't be compared."
        return Comparison([note], sections, pd.DataFrame())
    try:
        pair = _pair_runs(catalog, first, second, split)
    except GoneError as gone:
        return Comparison([f"Classes and scenes are not compared: {gone}."], sections, pd.DataFrame())
    notes = _describe_pair(pair, first, second, split)
    if pair.scenes.empty:
        return Comparison(notes, sections, pd.DataFrame())
    title = f"Split {split}: {len(pair.scenes)} scenes that A and B share, at {resolution} resolution"
    scores = compare_scores(pair, first.parameters["seed"])
    better, worse = choose_changed(compare_scenes(pair), num_scenes)
    sections += [
        describe_differences(scores, title=title, num_drives=pair.num_drives),
        describe_scenes(better, title=f"Scenes of {split} that got better, by mean IoU"),
        describe_scenes(worse, title=f"Scenes of {split} that got worse, by mean IoU"),
    ]
    return Comparison(notes, sections, pd.concat([better, worse], ignore_index=True))


def load_version(catalog: DataCatalog, record: RunRecord, name: str) -> Any:
    """Returns the data of a data set in the version that a run used.

    Raises:
        GoneError: If it was removed, or the run used none.
    """
    version = record.versions.get(name)
    if version is None:
        raise GoneError(f"run {record.run} did not use {name}")
    dataset: Any = catalog.get(name, version=Version(version, None))
    if not dataset.exists():
        raise GoneError(f"{name} {version} of run {record.run} was removed")
    return dataset.load()


def _check_scored(record: RunRecord, split: str) -> None:
    if not record.scores:
        raise InputError(f"run {record.run} has no scores: it ran {', '.join(record.nodes)}; evaluate its model first")
    if split not in record.scores:
        raise InputError(f"run {record.run} has no scores of split '{split}'; it has: {', '.join(record.scores)}")


def _compare_settings(first: RunRecord, second: RunRecord) -> list[Section]:
    facts = [_describe_run(each) for each in (first, second)]
    runs = [(name, facts[0].get(name, MISSING), facts[1].get(name, MISSING)) for name in {**facts[0], **facts[1]}]
    surroundings = [
        {**each.packages, "backend": each.backend, "machine": each.machine.model_dump(exclude={"process"})}
        for each in (first, second)
    ]
    return [
        Section("Runs", NAMES, runs),
        _describe_values("Parameters that differ", first.parameters, second.parameters),
        _describe_values("Packages and machine that differ", *surroundings),
    ]


def _describe_run(record: RunRecord) -> dict[str, str]:
    facts = {
        "run": record.run,
        "command": record.command,
        "state": describe_state(record),
        "time": describe_duration(record.seconds),
        "commit": describe_commit(record),
    }
    facts |= {
        name: record.versions[name]
        for name in ("prepared_scenes", "split_table", "segnet_model")
        if name in record.versions
    }
    facts |= {f"content of {name}": digest for name, digest in (record.digests or {}).items()}
    facts["resolution"] = name_resolution(record)
    facts["runtime"] = name_export(record.runtime) or name_runtime(record)
    return facts | ({"training": _describe_training(record.training)} if record.training else {})


def _describe_training(training: Mapping[str, Any]) -> str:
    length = f"{training['epochs']} epochs in {describe_duration(training['seconds'])}, best {training['best_epoch']}"
    earlier = training.get("continued_from")
    how = f", continued after epoch {earlier['epochs']} of {earlier['run']}" if earlier else ""
    return length + how + (", interrupted" if training["is_interrupted"] else "")


def _describe_values(title: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Section:
    values = compare_values(first, second)
    return Section(title, NAMES, [(name, str(ours), str(theirs)) for name, (ours, theirs) in values.items()])


def _compare_splits(first: RunRecord, second: RunRecord) -> Section:
    are_same = (first.digests, name_resolution(first)) == (second.digests, name_resolution(second))
    rows = []
    for split in {**(first.scores or {}), **(second.scores or {})}:
        for name in SCORES:
            ours, theirs = (_score_of(each, split, name) for each in (first, second))
            change = describe_change(theirs - ours) if are_same else ""
            rows.append((split, name, write_score(ours), write_score(theirs), change))
    remark = "" if are_same else "Data, split or resolution are not the same, so no differences are shown."
    return Section("Scores by split", ("split", "score", "A", "B", "B less A"), rows, remark)


def _score_of(record: RunRecord, split: str, name: str) -> float:
    score = (record.scores or {}).get(split, {}).get(name)
    return float("nan") if score is None else float(score)


def _pair_runs(catalog: DataCatalog, first: RunRecord, second: RunRecord, split: str) -> PairedScenes:
    ours, theirs = (_load_scored(catalog, each, split) for each in (first, second))
    return pair_scenes(ours, theirs, _find_equal_scenes(catalog, first, second))


def _load_scored(catalog: DataCatalog, record: RunRecord, split: str) -> ScoredScenes:
    if "scene_class_scores" not in record.versions:
        raise GoneError(f"run {record.run} was scored by another version of RoadSeg; this one can't read its tables")
    scene_scores, of_classes = (load_version(catalog, record, name) for name in ("scene_scores", "scene_class_scores"))
    class_names = list((record.scores or {})[split]["classes"])
    return ScoredScenes(class_names, scene_scores[scene_scores["split"] == split], of_classes)


def _find_equal_scenes(catalog: DataCatalog, first: RunRecord, second: RunRecord) -> Callable[[str], bool]:
    """Returns whether a scene has equal pixels and labels in both runs.

    Equal names are not enough: other raw images, another size or other classes may have the name as well.
    """
    if (first.digests or {})["prepared_scenes"] == (second.digests or {})["prepared_scenes"]:
        return lambda scene: True
    ours, theirs = (
        {row["scene"]: row["facts"] for row in load_version(catalog, each, "prepared_scenes").rows}
        for each in (first, second)
    )
    return lambda scene: ours[scene] == theirs[scene]


def _describe_pair(pair: PairedScenes, first: RunRecord, second: RunRecord, split: str) -> list[str]:
    shared = len(pair.scenes)
    counts = [(each.scores or {})[split]["scenes"] for each in (first, second)]
    if not shared:
        return [
            f"A and B have no scene of split '{split}' in common: scores of different scenes can't be compared, so "
            f"there is nothing by class or by scene."
        ]
    if counts == [shared, shared]:
        return []
    return [
        f"A scored {counts[0]} scenes of split '{split}', B {counts[1]}, and {shared} of these are the same: classes "
        f"and scenes are compared over them alone."
    ]
