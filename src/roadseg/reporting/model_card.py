"""The model card: what a model does, how well, where it fails and where it comes from, in Markdown for model hubs.

It is written from records alone. Its head is YAML as Hugging Face reads it:
https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
import yaml
from pydantic import BaseModel, field_validator, model_validator

from roadseg.reporting.caption import UNUSED, name_export
from roadseg.reporting.evaluation_report import describe_resolution
from roadseg.reporting.numbers import write_score
from roadseg.reporting.page import render_page
from roadseg.reporting.proof_table import describe_calibration, tabulate_proof
from roadseg.scoring.bootstrap import Interval
from roadseg.scoring.differences import flatten_values
from roadseg.scoring.scores import SCORES, Score
from roadseg.scoring.summary import find_interval
from roadseg.segnet.model_record import ModelRecord

WORST = 5
"""How many of the worst classes and drives are named."""

TASK = {"type": "image-segmentation", "name": "semantic segmentation"}
"""As the head names it."""

CALIBRATION = ("calibration_error", "scaled_calibration_error")
"""Scores that have a table of their own: without and with the temperature."""

METRICS = {"pixel_accuracy": "accuracy"}
"""Names of scores for which model hubs have another one."""


class CardOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """What no record says about a model.

    Attributes:
        licence: The id that model hubs have for its licence, such as apache-2.0 or other; None if it has none.
        licence_name: An id of the owner's own for the licence `other`, which hubs ask for; None for all else.
        licence_link: Address of its text, or name of the file beside the card, such as LICENSE; None if not known.
    """

    licence: str | None
    licence_name: str | None
    licence_link: str | None

    @field_validator("licence", "licence_name")
    @classmethod
    def _is_an_id(cls, licence: str | None) -> str | None:
        if licence is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", licence):
            raise ValueError(
                "expected the id that model hubs have for a licence, such as apache-2.0, mit or other: small letters, "
                "digits, dots and hyphens"
            )
        return licence

    @field_validator("licence_link")
    @classmethod
    def _is_one_word(cls, link: str | None) -> str | None:
        if link is not None and not re.fullmatch(r"\S+", link):
            raise ValueError(
                "expected an address without spaces, such as https://example.org/terms, or a file: LICENSE"
            )
        return link

    @model_validator(mode="after")
    def _names_others_alone(self) -> Self:
        if self.licence == "other" and self.licence_name is None:
            raise ValueError(
                "the licence 'other' needs a name, which model hubs show: give card.licence_name, such as research-only"
            )
        if self.licence != "other" and (self.licence_name, self.licence_link) != (None, None):
            raise ValueError(
                f"licence_name and licence_link are for the licence 'other', but licence is {self.licence!r}"
            )
        return self


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of a model.

    Attributes:
        run: That made it.
        data_set: Name of the data set of the scenes.
        data_name: Its name for readers; None where it is not known.
        digests: Data set -> hash of the content that was scored.
        resolution: At which it compared prediction and truth, as `EvaluateOptions` names it.
        options: Its parameters `evaluate`.
        runtime: What ran the network, as scores hold it; None in older scores.
        splits: Split -> what `summarise_split` returned, or what a run record has kept of it; the last is the headline.
        drive_scores: As `tabulate_drives` returned them; None where they are not at hand.
    """

    run: str
    data_set: str | None
    data_name: str | None
    digests: Mapping[str, str]
    resolution: str
    options: Mapping[str, Any]
    runtime: Mapping[str, str] | None
    splits: Mapping[str, Mapping[str, Any]]
    drive_scores: pd.DataFrame | None


def write_model_card(
    record: ModelRecord,
    command: str | None,
    evaluation: Evaluation | None,
    export_report: Mapping[str, Any] | None = None,
) -> str:
    """Returns the card as Markdown with a head of YAML.

    Args:
        record: Of the model.
        command: That trained it, as it was typed; None if it is not known.
        evaluation: The one that the card reports; None if the model was not evaluated.
        export_report: Of the files that the card goes with; None for the model itself.
    """
    scored = evaluation.splits if evaluation else {}
    headline = list(scored)[-1] if scored else None
    head = yaml.safe_dump(_describe_head(record, evaluation, export_report), sort_keys=False, allow_unicode=True)
    return render_page(
        "model_card.md.jinja",
        head=head,
        record=record,
        command=command,
        evaluation=evaluation,
        report=export_report,
        proof=tabulate_proof(export_report) if export_report else None,
        calibrated=describe_calibration(export_report) if export_report else None,
        headline=headline,
        learnt_here=evaluation is not None and _is_learnt(record, evaluation),
        at=_describe_resolution(record, evaluation) if evaluation else None,
        exported=name_export(evaluation.runtime) if evaluation else "",
        scores=_list_scores(scored),
        calibration=CALIBRATION,
        write_interval=write_interval,
        worst_classes=_find_worst_classes(scored[headline]) if headline else [],
        worst_drives=_find_worst_drives(evaluation, headline),
        parameters=flatten_values({name: each for name, each in record.parameters.items() if name not in UNUSED}),
    )


def write_interval(summary: Mapping[str, Any], score: str, class_name: str | None = None) -> str:
    """Returns a score of a split with its interval, `0.7940 (0.7500 to 0.8300)`, or a dash.

    Args:
        summary: As in `find_interval`; one of an older program may lack the score.
        score: Its name.
        class_name: None for a score of all classes.
    """
    value = (summary if class_name is None else summary["classes"][class_name]).get(score)
    pair = _find_interval(summary, score, class_name)
    return write_score(value) + (f" ({write_score(pair[0])} to {write_score(pair[1])})" if pair else "")


def _find_interval(summary: Mapping[str, Any], score: str, class_name: str | None = None) -> Interval | None:
    try:
        return find_interval(summary, score, class_name)
    except KeyError:  # a score that the older program that made the summary did not have
        return None


def _describe_head(
    record: ModelRecord, evaluation: Evaluation | None, export_report: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Returns the head; what is not known is left out, because a model hub refuses an empty entry."""
    architecture = str(record.parameters["network"]["architecture"])
    tags = ["semantic-segmentation", "driving-scenes", architecture, "roadseg"]
    licence = {"license": record.licence, "license_name": record.licence_name, "license_link": record.licence_link}
    head: dict[str, Any] = {key: value for key, value in licence.items() if value}
    head |= {"pipeline_tag": TASK["type"]}
    if export_report is not None:
        head |= {"tags": [*tags, *export_report["files"]]}
    elif evaluation and name_export(evaluation.runtime):  # the scores are those of an exported file
        head |= {"tags": tags}
    else:
        head |= {"library_name": "keras", "tags": tags}
    results = list(_list_results(evaluation)) if evaluation else []
    if results:
        name = f"{architecture}-{record.data_set or 'unknown'}-{record.run}"
        head["model-index"] = [{"name": name, "results": results}]
    return head


def _list_results(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Yields the results of each split that has any, as the head holds them."""
    data_set = evaluation.data_set or "unknown"
    for split, summary in evaluation.splits.items():
        metrics = []
        for score in SCORES.values():
            if summary.get(score.name) is not None:
                args: dict[str, Any] = {"resolution": evaluation.resolution}
                if exported := name_export(evaluation.runtime):
                    args["runtime"] = exported
                if pair := _find_interval(summary, score.name):
                    args["interval"] = [round(float(end), 4) for end in pair]
                kind, value = METRICS.get(score.name, score.name), round(float(summary[score.name]), 4)
                metrics.append({"type": kind, "name": score.title, "value": value, "args": args})
        if metrics:
            data = {"type": data_set, "name": evaluation.data_name or data_set, "split": split}
            yield {"task": dict(TASK), "dataset": data, "metrics": metrics}


def _describe_resolution(record: ModelRecord, evaluation: Evaluation) -> str:
    return describe_resolution(evaluation.resolution, record.image_size, evaluation.options.get("protocol_size", ()))


def _is_learnt(record: ModelRecord, evaluation: Evaluation) -> bool:
    """Returns whether the scenes that were scored are those that the model learnt from and their held-out splits."""
    return dict(evaluation.digests) == {name: each.digest for name, each in record.learnt_from.items()}


def _list_scores(splits: Mapping[str, Mapping[str, Any]]) -> list[Score]:
    return [each for each in SCORES.values() if any(split.get(each.name) is not None for split in splits.values())]


def _find_worst_classes(summary: Mapping[str, Any]) -> list[str]:
    """Returns the names of the classes with the lowest IoU, worst first."""
    scored = {name: each["iou"] for name, each in summary["classes"].items() if each["iou"] is not None}
    return sorted(scored, key=lambda name: scored[name])[:WORST]


def _find_worst_drives(evaluation: Evaluation | None, split: str | None) -> list[dict[Hashable, Any]]:
    """Returns the rows of the drives with the lowest mean IoU, worst first."""
    if evaluation is None or evaluation.drive_scores is None:
        return []
    drives = evaluation.drive_scores
    drives = drives[(drives["split"] == split) & drives["mean_iou"].notna()]
    return drives.sort_values(["mean_iou", "drive"]).head(WORST).to_dict("records")
