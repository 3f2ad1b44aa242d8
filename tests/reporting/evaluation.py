"""An evaluation of label maps at hand: all that the report is written from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import numpy as np
import pandas as pd

from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.reporting.evaluation_report import write_evaluation_report
from roadseg.reporting.gallery import choose_gallery, picture_scene
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scoring.disagreement import SuspectOptions
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

COLOURS = [(128, 64, 18), (0, 0, 230), (70, 130, 180)]
HISTORY = [
    {"epoch": 1, "loss": 2.0, "mean_iou": 0.1, "val_loss": 1.5, "val_mean_iou": 0.2, "learning_rate": 0.01},
    {"epoch": 2, "loss": 1.0, "mean_iou": 0.3, "val_loss": 1.25, "val_mean_iou": 0.4, "learning_rate": 0.001},
]
HISTORY = [{**row, "seconds": 30.8} for row in HISTORY]


@dataclass(frozen=True)
class Scored:
    """A scene with what was annotated and what was predicted, (height, width) class ids each."""

    scene: str
    split: str
    drive: str
    truth: Sequence[Sequence[int]]
    prediction: Sequence[Sequence[int]]


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
) -> str:
    """Returns the report of some scenes; `training`, `started_from` and `training_drives` are what the record says.

    `digests` are those of scored data that are not what the model learnt from.
    """
    classes = (SegmentationClass(name=name, colour=colour) for name, colour in zip(names, cycle(COLOURS)))
    palette = Palette(tuple(classes))
    scenes = pd.DataFrame([(each.split, each.drive, each.scene, resolution) for each in scored], columns=KEYS)
    predictions = {each.scene: _prediction(each) for each in scored}
    options = EvaluateOptions(
        batch_size=8,
        further_measures=["boundary_f1", "calibration_error"],
        samples=0,
        gallery_scenes=gallery_scenes,
        suspects=SuspectOptions(regions=60, confidence=0.9),
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
        "splits": {split: summarise_split(each, names, 1) for split, each in statistics.items()},
        "prior_mean_iou": dict.fromkeys(statistics, prior_mean_iou),
        "batch_averaged_mean_iou": average_over_batches(scored_scenes, 8),
        "versions": versions,
        "digests": digests or dict.fromkeys(list(versions)[:2], "aa"),
        "parameters": {**parameters, "evaluate": {"batch_size": 8, "protocol_size": [720, 1280]}},
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
        },
    }
    pictures = [picture_scene(predictions[scene], _image(scene, predictions), palette) for scene in gallery["scene"]]
    matrices = sum_splits(confusion, names, statistics)
    return write_evaluation_report(scores, matrices, scored_scenes, palette, gallery, pictures)


def _prediction(scored: Scored) -> Prediction:
    truth, label_map = np.array(scored.truth, np.uint8), np.array(scored.prediction, np.uint8)
    return Prediction(scored.scene, truth, label_map, np.ones(truth.shape, np.float32))


def _image(scene: str, predictions: Mapping[str, Prediction]) -> np.ndarray:
    return np.full((*predictions[scene].truth.shape, 3), 200, np.uint8)
