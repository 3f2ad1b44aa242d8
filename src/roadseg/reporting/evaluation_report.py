"""The page that shows how good a network is and where it fails, to be opened without a network and printed."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.reporting.caption import name_export
from roadseg.reporting.curves import write_curves
from roadseg.reporting.detection_figure import write_detection_curves
from roadseg.reporting.gallery import ScenePictures
from roadseg.reporting.page import render_page
from roadseg.reporting.suspect_crops import FramedPictures
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.leakage import find_shared_drives
from roadseg.scenes.palette import Palette
from roadseg.scoring.bootstrap import MIN_DRIVES
from roadseg.scoring.differences import flatten_values
from roadseg.scoring.most_confused import gather_others
from roadseg.scoring.scores import SCORES
from roadseg.scoring.summary import find_interval
from roadseg.scoring.tables import ScoredScenes

MATRIX_CLASSES = 30
"""How many classes have rows and columns of their own in a confusion matrix; more would make a page of megabytes."""

SCENE_COLUMNS: Mapping[str, Any] = {
    "things": "scenes",
    "columns": [
        {"title": "split", "kind": "text"},
        {"title": "drive", "kind": "text"},
        {"title": "scene", "kind": "name"},
        {"title": "pixels", "kind": "count"},
        {"title": "mean IoU", "kind": "score"},
        {"title": "pixel accuracy", "kind": "score"},
    ],
    "class_scores": ["IoU", "boundary F1"],
    "sorted_by": 4,
    "most_first": False,
}
"""What the script of a page must know of the table of scenes: the columns of all scenes and those of each class, the
column that it is sorted by at first, and whether the score of a class that is chosen is sorted downwards."""


@dataclass(frozen=True)
class Suspects:
    """Annotations that may be wrong.

    Attributes:
        scenes: As `tabulate_suspect_scenes` returns them.
        regions: As `tabulate_suspect_regions` returns them.
        pictures: Of these regions, in their order; of none where a page has no pictures.
    """

    scenes: pd.DataFrame
    regions: pd.DataFrame
    pictures: Sequence[FramedPictures]


def write_evaluation_report(
    *,
    scores: Mapping[str, Any],
    matrices: Mapping[str, NDArray[np.int64]],
    scored: ScoredScenes,
    palette: Palette,
    gallery: pd.DataFrame,
    pictures: Sequence[ScenePictures],
    doubt_table: pd.DataFrame,
    detection: pd.DataFrame,
    suspects: Suspects,
) -> str:
    """Returns the report as one HTML page that needs no other file.

    Args:
        scores: Of the evaluation: `run`, `data_set`, `environment`, `commit`, `resolution`, `runtime`, `splits` (split
            -> what `summarise_split` returns; the last one is the headline), `prior_mean_iou` and
            `batch_averaged_mean_iou` (of each split), `versions` and `digests` of what was scored, `parameters`,
            `packages`, `machine`, and `model`, the record of the network; one that holds no history has no curves.
        matrices: Split -> (K, K) int64, true classes along the rows.
        scored: The scenes of these splits.
        palette: Of the K classes.
        gallery: As `choose_gallery` returns it.
        pictures: Of the rows of the gallery, in their order.
        doubt_table: As `tabulate_doubts` returns it.
        detection: As `tabulate_detection` returns it.
        suspects: Annotations that may be wrong.
    """
    classes = palette.classes
    training, started_from = scores["model"]["training"], scores["model"]["started_from"] or {"training_drives": []}
    headline = list(scores["splits"])[-1]
    scenes = scored.scene_scores
    regions = suspects.regions.to_dict("records")
    protocol_size = scores["parameters"]["evaluate"]["protocol_size"]
    resolution = describe_resolution(scores["resolution"], scores["model"]["image_size"], protocol_size)
    held_out = scenes.loc[scenes["split"] == headline, "drive"]
    return render_page(
        "report.html.jinja",
        scores=scores,
        exported=name_export(scores.get("runtime")),
        measures=SCORES,
        find_interval=find_interval,
        record=scores["model"],
        headline=headline,
        min_drives=MIN_DRIVES,
        shared_drives=find_shared_drives(scenes),
        is_foreign=set(scenes["drive"]).isdisjoint(scores["model"]["training_drives"]),
        at=f"at {resolution}",
        seen_before=sorted(set(started_from["training_drives"]) & set(held_out)),
        classes=classes,
        confusion={split: show_confusion(matrix, classes) for split, matrix in matrices.items()},
        matrix_classes=MATRIX_CLASSES,
        detection=group_detection(detection),
        detection_curves=write_detection_curves(doubt_table),
        scene_table=list_scene_scores(scored, gallery, suspects.scenes),
        gallery=list(zip(gallery.to_dict("records"), pictures, strict=True)),
        colours={"void": palette.void, "wrong": palette.wrong},
        regions=regions,
        suspects=list(zip(regions, suspects.pictures, strict=True)) if suspects.pictures else [],
        has_suspects=not suspects.scenes.empty,
        colour_of={each.name: each.colour for each in classes},
        curves=write_curves(training["history"]) if training.get("history") else None,
        parameters=compare_parameters(scores["model"]["parameters"], scores["parameters"]),
    )


def describe_resolution(resolution: str, image_size: Sequence[int], protocol_size: Sequence[int]) -> str:
    """Returns at which size scores compare prediction and truth, in a few words.

    Args:
        resolution: As `EvaluateOptions` names it.
        image_size: (height, width) in pixels of the images that the network takes.
        protocol_size: (height, width) in pixels; used by the resolution `idd_protocol` alone.
    """
    match resolution:
        case "network":
            return "the network's {} x {} pixels".format(*image_size)
        case "native":
            return "the size of each annotation"
        case _:
            return "the {} x {} pixels of IDD's protocol".format(*protocol_size)


def show_confusion(matrix: NDArray[np.int64], classes: Sequence[SegmentationClass]) -> dict[str, Any]:
    """Returns what a page shows of a confusion matrix: `names`, the `colours` of single classes, and its shades.

    Args:
        matrix: (K, K) int64, true classes along the rows.
        classes: K classes in the order of the ids; all but `MATRIX_CLASSES` of them share the last row and column.
    """
    gathered, names = gather_others(matrix, [each.name for each in classes], MATRIX_CLASSES)
    colour_of = {each.name: each.colour for each in classes}
    colours = [colour_of[name] for name in names[:MATRIX_CLASSES]]
    return {"names": names, "colours": colours, **shade_confusion(gathered)}


def shade_confusion(matrix: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Returns a confusion matrix as `counts`, their logarithms from 0 to 1, and as `rows` and `columns`, its shares.

    Args:
        matrix: (K, K) int64, true classes along the rows.

    Returns:
        (K, K) float64 each, 0..1: of `rows` each row adds up to 1, of `columns` each column; NaN where there is none.
        And `pixels`, the matrix.
    """
    logarithms = np.log1p(matrix)
    views = {"counts": logarithms / max(logarithms.max(), 1)}
    for name, axis in (("rows", 1), ("columns", 0)):
        totals = matrix.sum(axis=axis, keepdims=True)
        views[name] = np.divide(matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)
    return views | {"pixels": matrix}


def group_detection(detection: pd.DataFrame) -> dict[str, dict[Hashable, dict[Hashable, float]]]:
    """Returns what each doubt finds in each split: name of the doubt -> split -> column of the table -> value.

    Args:
        detection: As `tabulate_detection` returns it.
    """
    doubts = detection.groupby("doubt", sort=False)
    return {str(doubt): rows.set_index("split").to_dict("index") for doubt, rows in doubts}


def list_scene_scores(scored: ScoredScenes, gallery: pd.DataFrame, suspect_scenes: pd.DataFrame) -> dict[str, Any]:
    """Returns the scores of all scenes, worst first and those without a score last, as a page's script reads them.

    Args:
        scored: The scenes.
        gallery: As `choose_gallery` returns it.
        suspect_scenes: As `tabulate_suspect_scenes` returns them.

    Returns:
        `classes`: the names. `rows`: a list per scene of its split, drive, name, pixels, mean IoU, pixel accuracy, the
        label quality if there are such scenes,
        and a mapping from the id of each class that occurs to its IoU and boundary F1; scores are rounded to four
        digits, None where one is undefined. `pictured`: the scenes of the gallery in its order. And `SCENE_COLUMNS`.
    """
    id_of = {name: index for index, name in enumerate(scored.class_names)}
    of_classes: dict[str, dict[int, list[float | None]]] = {scene: {} for scene in scored.scene_scores["scene"]}
    columns = ["scene", "class", "iou", "boundary_f1"]
    for scene, name, *scores in scored.scene_class_scores[columns].itertuples(index=False, name=None):
        of_classes[scene][id_of[name]] = [round_or_none(score) for score in scores]
    columns = ["split", "drive", "scene", "pixels", "mean_iou", "pixel_accuracy"]
    ordered = scored.scene_scores.sort_values(["mean_iou", "scene"])[columns]
    shown = list(SCENE_COLUMNS["columns"])
    if len(suspect_scenes):
        ordered = ordered.merge(suspect_scenes[["scene", "label_quality"]], "left", "scene")
        shown.append({"title": "label quality", "kind": "score"})
    rows = [
        [split, drive, scene, pixels, *map(round_or_none, scores), of_classes[scene]]
        for split, drive, scene, pixels, *scores in ordered.itertuples(index=False, name=None)
    ]
    return {
        **SCENE_COLUMNS,
        "columns": shown,
        "classes": list(scored.class_names),
        "rows": rows,
        "pictured": gallery["scene"].tolist(),
    }


def compare_parameters(training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns name, value in the training and value in the evaluation of each parameter; an empty text where it is not.

    Args:
        training: Nested parameters.
        evaluation: Nested parameters.
    """
    trained, evaluated = (
        {name: str(value) for name, value in flatten_values(each).items()} for each in (training, evaluation)
    )
    return [(name, trained.get(name, ""), evaluated.get(name, "")) for name in trained | evaluated]


def round_or_none(score: float) -> float | None:
    """Returns a score in four digits, as a page's script reads it; None where it is NaN."""
    return None if math.isnan(score) else round(score, 4)
