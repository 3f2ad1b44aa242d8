"""An evaluation of label maps at hand: all that the report is written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import numpy as np
import pandas as pd

from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.reporting.evaluation_report import Suspects, write_evaluation_report
from roadseg.reporting.gallery import choose_gallery, picture_scene
from roadseg.reporting.suspect_crops import crop_suspect, picture_suspect
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scoring.disagreement import SuspectOptions, tabulate_suspect_regions, tabulate_suspect_scenes
from roadseg.scoring.error_detection import tabulate_detection, tabulate_doubts
from roadseg.scoring.measures import EvaluateOptions, measure_scene
from roadseg.scoring.prediction import Prediction
from roadseg.scoring.summary import average_over_batches, read_statistics, summarise_split
from roadseg.scoring.tables import (
    KEYS,
    ScoredScenes,
    sum_splits,
    tabulate_calibration,
    tabulate_confusion,
    tabulate_scene_classes,
    tabulate_scenes,
)
from roadseg.segnet.segmentation import Segmentation

COLOURS = [(128, 64, 18), (0, 0, 230), (70, 130, 180)]
HISTORY = [
    {"epoch": 1, "loss": 2.0, "mean_iou": 0.1, "val_loss": 1.5, "val_mean_iou": 0.2, "learning_rate": 0.01},
    {"epoch": 2, "loss": 1.0, "mean_iou": 0.3, "val_loss": 1.25, "val_mean_iou": 0.4, "learning_rate": 0.001},
]
HISTORY = [{**row, "seconds": 30.8} for row in HISTORY]


@dataclass(frozen=True)
class Scored:
    """A scene with what was annotated and what was predicted, (height, width) class ids each.

    With the confidence of each pixel, of which all other classes share the rest, and the variance of dropout samples.
    """

    scene: str
    split: str
    drive: str
    truth: Sequence[Sequence[int]]
    prediction: Sequence[Sequence[int]]
    confidence: Sequence[Sequence[float]] | None = None
    variance: Sequence[Sequence[float]] | None = None


def write_page(
    scored: Sequence[Scored],
    names: Sequence[str],
    *,
    gallery_scenes: int = 60,
    training: Mapping[str, Any] | None = None,
    started_from: Mapping[str, Any] | None = None,
    training_drives: Sequence[str] | None = None,
    resolution: Literal["network", "native", "idd_protocol"] = "network",
    digests: Mapping[str, str] | None = None,
    prior_mean_iou: float = 0.125,
    temperature: float | None = 1.5,
    runtime: Mapping[str, str] | None = None,
    num_regions: int = 60,
    further_measures: Sequence[str] = ("boundary_f1", "calibration_error", "error_detection", "suspects"),
) -> str:
    """Returns the report of some scenes; `training`, `started_from` and so on are what the record says.

    `digests` are those of scored data that are not what the model learnt from.
    """
    classes = (SegmentationClass(name=name, colour=colour) for name, colour in zip(names, cycle(COLOURS)))
    palette = Palette(tuple(classes))
    scenes = pd.DataFrame([(each.split, each.drive, each.scene, resolution) for each in scored], columns=KEYS)
    predictions = {each.scene: _prediction(each, len(names)) for each in scored}
    options = EvaluateOptions(
        runtime="keras",
        batch_size=8,
        further_measures=further_measures,
        samples=0,
        gallery_scenes=gallery_scenes,
        suspects=SuspectOptions(regions=num_regions, confidence=0.9),
        resolution=resolution,
        protocol_size=(720, 1280),
        prediction_files=PredictionFileOptions(written=False, name="{scene}.png", ids=None),
    )
    measures = [measure_scene(each, len(names), options) for each in predictions.values()]
    confusion = tabulate_confusion(scenes, [each.confusion for each in measures], names)
    scored_scenes = ScoredScenes(
        names, tabulate_scenes(scenes, measures), tabulate_scene_classes(scenes, measures, names)
    )
    statistics = read_statistics(scored_scenes, tabulate_calibration(scenes, measures))
    gallery = choose_gallery(scored_scenes.scene_scores, gallery_scenes)
    trained = sorted({each.drive for each in scored if each.split == "train"} or {scored[0].drive})
    parameters = {"seed": 1, "network": {"architecture": "segnet", "width": 0.25, "start": "random"}}
    versions = {"prepared_scenes": "v1", "split_table": "v2", "segnet_model": "v3"}
    scores = {
        "run": "v4",
        "data_set": "mine",
        "environment": "",
        "commit": "0123+",
        "resolution": resolution,
        "runtime": runtime or {"name": "keras", "version": "3.15.1"},
        "splits": {split: summarise_split(each, names, 1) for split, each in statistics.items()},
        "prior_mean_iou": dict.fromkeys(statistics, prior_mean_iou),
        "batch_averaged_mean_iou": average_over_batches(scored_scenes, 8),
        "versions": versions,
        "digests": digests or dict.fromkeys(list(versions)[:2], "aa"),
        "parameters": {**parameters, "evaluate": options.model_dump(mode="json")},
        "packages": {"keras": "3.15.1"},
        "machine": {"platform": "Linux", "processor": "Z80", "cores": 2, "python": "3.11.7"},
        "model": {
            "run": "v3",
            "data_set": "theirs" if digests else "mine",
            "environment": "",
            "commit": None,
            "learnt_from": {name: {"version": versions[name], "digest": "aa"} for name in list(versions)[:2]},
            "classes": list(names),
            "image_size": list(np.shape(scored[0].truth)),
            "training_drives": trained if training_drives is None else training_drives,
            "parameters": parameters,
            "packages": {"keras": "3.15.0"},
            "training": training
            or {"epochs": 2, "best_epoch": 2, "seconds": 61.6, "is_interrupted": False, "history": HISTORY},
            "started_from": started_from,
            "temperature": temperature,
        },
    }
    doubt_table = tabulate_doubts(scenes, [each.doubts for each in measures])
    disagreements = [each.disagreement for each in measures]
    regions = tabulate_suspect_regions(scenes, disagreements, names, options.suspects)
    crops = [
        crop_suspect(row, predictions[row["scene"]], _image(row["scene"], predictions))
        for row in regions.to_dict("records")
    ]
    return write_evaluation_report(
        scores=scores,
        matrices=sum_splits(confusion, names, statistics),
        scored=scored_scenes,
        palette=palette,
        gallery=gallery,
        pictures=[picture_scene(predictions[scene], _image(scene, predictions), palette) for scene in gallery["scene"]],
        doubt_table=doubt_table,
        detection=tabulate_detection(doubt_table),
        suspects=Suspects(
            tabulate_suspect_scenes(scenes, disagreements),
            regions,
            [picture_suspect(each, palette) for each in crops] if gallery_scenes else [],
        ),
    )


def _prediction(scored: Scored, num_classes: int) -> Prediction:
    truth, label_map = np.array(scored.truth, np.uint8), np.array(scored.prediction, np.uint8)
    found = None if scored.confidence is None else _find(scored, label_map, num_classes)
    return Prediction(scored.scene, truth, label_map, np.ones(truth.shape, np.float32), found)


def _find(scored: Scored, label_map: np.ndarray, num_classes: int) -> Segmentation:
    confidence = np.array(scored.confidence, np.float32)[..., None]
    chosen = np.eye(num_classes, dtype=np.float32)[label_map]
    logits = np.log(np.where(chosen, confidence, (1 - confidence) / (num_classes - 1)))
    variance = None if scored.variance is None else np.array(scored.variance, np.float32)
    return Segmentation(logits, label_map.shape, variance=variance)


def _image(scene: str, predictions: Mapping[str, Prediction]) -> np.ndarray:
    return np.full((*predictions[scene].truth.shape, 3), 200, np.uint8)
