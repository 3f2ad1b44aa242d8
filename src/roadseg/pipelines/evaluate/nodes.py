"""Evaluate: a trained SegNet and the scenes of its split to scores, tables and pictures."""

import logging
from itertools import islice
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from roadseg.datasets.provenance import Provenance
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import digest_contents, group_by_split
from roadseg.scoring import figures
from roadseg.scoring.metrics import summarise_confusion
from roadseg.scoring.prediction import EvaluateOptions, predict_label_maps
from roadseg.scoring.prior import fit_class_prior
from roadseg.scoring.tables import (
    choose_examples,
    read_confusion,
    score_predictions,
    tabulate_confusion,
    tabulate_scores,
)
from roadseg.segnet.trained import TrainedSegNet, check_learnt_from, describe_record

Report = dict[str, Any]

logger = logging.getLogger(__name__)


def score_scenes(
    segnet_model: TrainedSegNet, prepared_scenes: PreparedScenes, split_table: pd.DataFrame, options: EvaluateOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the confusion table of each split that has scenes, and the scores of each scene."""
    check_learnt_from(segnet_model.record, digest_contents(prepared_scenes, split_table))
    names = [each.name for each in prepared_scenes.classes]
    splits = {split: ids for split, ids in group_by_split(split_table).items() if ids}
    everything = [scene for ids in splits.values() for scene in ids]
    predictions = predict_label_maps(segnet_model.network, prepared_scenes, everything, options.batch_size)
    matrices, rows = {}, []
    for split, ids in splits.items():
        matrices[split], scores = score_predictions(islice(predictions, len(ids)), len(names))
        rows.append(pd.DataFrame(scores).assign(split=split))
    scene_scores = pd.concat(rows, ignore_index=True).merge(split_table[["scene", "drive"]], on="scene")
    return tabulate_confusion(matrices, names), scene_scores


def score_prior(prepared_scenes: PreparedScenes, split_table: pd.DataFrame) -> pd.DataFrame:
    """Returns the confusion table of a guess that looks at no image: the most frequent class of each pixel in train."""
    names = [each.name for each in prepared_scenes.classes]
    ids = group_by_split(split_table)
    prior = fit_class_prior((prepared_scenes.read_pair(scene)[1] for scene in ids["train"]), len(names))
    matrices = {}
    for split in (split for split in ids if ids[split]):
        guesses = ((scene, prepared_scenes.read_pair(scene)[1], prior) for scene in ids[split])
        matrices[split], _ = score_predictions(guesses, len(names))
    return tabulate_confusion(matrices, names)


def summarise_scores(
    confusion_table: pd.DataFrame,
    prior_confusion: pd.DataFrame,
    scene_scores: pd.DataFrame,
    segnet_model: TrainedSegNet,
    provenance: Provenance,
) -> tuple[Report, pd.DataFrame]:
    """Returns all scores with where they come from, and the score table, which is logged too."""
    names = segnet_model.record["classes"]
    summaries, priors = (
        {split: summarise_confusion(matrix, names) for split, matrix in read_confusion(table).items()}
        for table in (confusion_table, prior_confusion)
    )
    prior_mean_iou = {split: summary["mean_iou"] for split, summary in priors.items()}
    scenes = {split: int((scene_scores["split"] == split).sum()) for split in summaries}
    table = tabulate_scores(summaries, scenes)
    table["prior_mean_iou"] = table["split"].map(prior_mean_iou)
    logger.info("Scores at the network's resolution\n%s", table.set_index("split").T.to_string(float_format="%.4f"))
    report = {
        "run": provenance.run,
        "resolution": "network",
        "splits": summaries,
        "prior_mean_iou": prior_mean_iou,
        "versions": provenance.versions,
        "parameters": provenance.parameters,
        "model": segnet_model.record,
    }
    return report, table.assign(**provenance.versions)


def draw_confusion(confusion_table: pd.DataFrame, prepared_scenes: PreparedScenes, scores: Report) -> Figure:
    """Returns the confusion matrices of the splits, in counts and row-normalised."""
    names = [each.name for each in prepared_scenes.classes]
    return figures.draw_confusion(read_confusion(confusion_table), names, describe_record(scores["model"]))


def draw_class_iou(confusion_table: pd.DataFrame, prepared_scenes: PreparedScenes, scores: Report) -> Figure:
    """Returns the IoU of each class as bars."""
    return figures.draw_class_iou(
        read_confusion(confusion_table), prepared_scenes.classes, describe_record(scores["model"])
    )


def draw_scores(score_table: pd.DataFrame, scores: Report) -> Figure:
    """Returns the performance table as a picture."""
    return figures.draw_score_table(score_table, describe_record(scores["model"]))


def draw_examples(
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    scene_scores: pd.DataFrame,
    options: EvaluateOptions,
) -> Figure:
    """Returns panels of the best, the median and the worst scene of each split."""
    chosen = choose_examples(scene_scores)
    predictions = predict_label_maps(segnet_model.network, prepared_scenes, list(chosen["scene"]), options.batch_size)
    examples = [
        figures.Example(
            title=f"{row.rank} of {row.split}: {row.scene}, mean IoU {row.mean_iou:.2f}",
            image=prepared_scenes[scene].image,
            truth=truth,
            prediction=prediction,
        )
        for row, (scene, truth, prediction) in zip(chosen.itertuples(), predictions, strict=True)
    ]
    return figures.draw_panels(examples, prepared_scenes.classes, describe_record(segnet_model.record))
