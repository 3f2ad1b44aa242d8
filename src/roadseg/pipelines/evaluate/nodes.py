"""Evaluate: a trained SegNet and the scenes of its split to scores, tables and pictures."""

import logging
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from roadseg.datasets.model_history import ModelHistory
from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.pipelines.advice import evaluate_on_own_data, fit_scenes, spare_memory
from roadseg.pipelines.evaluate.scene_scoring import SceneScoring
from roadseg.pipelines.evaluate.scored_network import describe_runtime, make_predictor
from roadseg.reading.cluster import sharing_out
from roadseg.reading.in_flight import map_in_flight
from roadseg.reading.work_options import WorkOptions
from roadseg.reporting import figures, model_card
from roadseg.reporting.caption import describe_model, name_export
from roadseg.reporting.detection_figure import draw_detection
from roadseg.reporting.evaluation_report import Suspects, write_evaluation_report
from roadseg.reporting.gallery import choose_gallery, picture_scene
from roadseg.reporting.panels import Example, draw_panels
from roadseg.reporting.score_text import describe_scores
from roadseg.reporting.suspect_crops import SHOWN, draw_crops, frame_suspect, picture_suspect
from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.palette import PictureOptions, make_palette
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.preprocessing import read_truth
from roadseg.scenes.raw import RawScenes
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import digest_contents
from roadseg.scoring import summary
from roadseg.scoring.disagreement import tabulate_suspect_regions, tabulate_suspect_scenes
from roadseg.scoring.error_detection import tabulate_detection, tabulate_doubts
from roadseg.scoring.measures import EvaluateOptions
from roadseg.scoring.metrics import count_classes, count_confusion, mean_iou
from roadseg.scoring.prediction import predict_scenes
from roadseg.scoring.prior import fit_class_prior
from roadseg.scoring.resolution import guess_at
from roadseg.scoring.tables import (
    ScoredScenes,
    choose_examples,
    list_scenes,
    sum_splits,
    tabulate_calibration,
    tabulate_confusion,
    tabulate_scene_classes,
    tabulate_scenes,
)
from roadseg.segnet.model_record import ModelRecord
from roadseg.segnet.out_of_memory import BatchMemoryError
from roadseg.segnet.trained import TrainedSegNet, check_classes, check_image_size, check_learnt_from

Report = dict[str, Any]

logger = logging.getLogger(__name__)


def score_scenes(
    *,
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    provenance: Provenance,
    options: EvaluateOptions,
    seed: Seed,
    work_options: WorkOptions,
) -> tuple[pd.DataFrame, ...]:
    """Returns the tables of confusion, calibration and doubts, of scenes, of their classes, and of suspects (two)."""
    names = [each.name for each in prepared_scenes.classes]
    scenes = list_scenes(split_table, options.resolution)
    if not _check_model(segnet_model.record, prepared_scenes, split_table, scenes, provenance):
        logger.info("The model of %s was trained on other data and on none of these drives", segnet_model.record.run)
    read = partial(read_truth, raw_scenes=raw_scenes, label_space=label_space, classes=prepared_scenes.classes)
    in_flight = work_options.choose_in_flight(prepared_scenes.is_remote)
    scoring = SceneScoring(segnet_model, prepared_scenes, read, provenance, options, seed, in_flight)
    if options.prediction_files.written:
        logger.info("Predictions are written to %s", provenance.folders["predictions_folder"] / provenance.run)
    with advising(spare_memory("evaluate"), BatchMemoryError), sharing_out(work_options) as share:
        ids = list(scenes["scene"])
        measures = scoring.have_measured(ids, share) if share else scoring.measure(ids)
    disagreements = [each.disagreement for each in measures]
    return (
        tabulate_confusion(scenes, (each.confusion for each in measures), names),
        tabulate_calibration(scenes, measures),
        tabulate_doubts(scenes, [each.doubts for each in measures]),
        tabulate_scenes(scenes, measures),
        tabulate_scene_classes(scenes, measures, names),
        tabulate_suspect_scenes(scenes, disagreements),
        tabulate_suspect_regions(scenes, disagreements, names, options.suspects),
    )


def _check_model(
    record: ModelRecord,
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    scenes: pd.DataFrame,
    provenance: Provenance,
) -> bool:
    """Returns whether a model was trained on this data; refuses data on which it can't be scored."""
    check_classes(record, [each.name for each in prepared_scenes.classes])
    with advising(fit_scenes(record, provenance)):
        check_image_size(record, prepared_scenes.image_size)
    with advising(f", else {evaluate_on_own_data(record)}"):
        return check_learnt_from(record, digest_contents(prepared_scenes, split_table), set(scenes["drive"]))


def score_prior(
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    options: EvaluateOptions,
    work_options: WorkOptions,
) -> pd.DataFrame:
    """Returns the confusion table of a guess without looking at images: each pixel's most frequent class in train.

    Without training scenes there is no such guess, and the table has no rows: its scores are undefined.
    """
    names = [each.name for each in prepared_scenes.classes]
    scenes = list_scenes(split_table, options.resolution)
    training = scenes.loc[scenes["split"] == "train", "scene"]
    if training.empty:
        logger.info("There are no scenes in the split train, so there is no prior to compare with")
        return tabulate_confusion(scenes.head(0), [], names)
    in_flight = work_options.choose_in_flight(prepared_scenes.is_remote)
    pairs = map_in_flight(prepared_scenes.read_pair, training, in_flight)
    prior = fit_class_prior((label_map for _, label_map in pairs), len(names))
    read = partial(read_truth, raw_scenes=raw_scenes, label_space=label_space, classes=prepared_scenes.classes)
    guesses = guess_at(prior, prepared_scenes, list(scenes["scene"]), options, read, in_flight=in_flight)
    return tabulate_confusion(scenes, (count_confusion(*each, len(names)) for each in guesses), names)


def summarise_scores(
    *,
    scene_scores: pd.DataFrame,
    scene_class_scores: pd.DataFrame,
    calibration_table: pd.DataFrame,
    prior_confusion: pd.DataFrame,
    model_record: ModelRecord,
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    provenance: Provenance,
    options: EvaluateOptions,
    seed: Seed,
) -> tuple[Report, pd.DataFrame]:
    """Returns all scores with where they come from, and the scores of drives."""
    names = model_record.class_names
    scored = ScoredScenes(names, scene_scores, scene_class_scores)
    statistics = summary.read_statistics(scored, calibration_table)
    splits = {split: summary.summarise_split(each, names, seed.root) for split, each in statistics.items()}
    guesses = sum_splits(prior_confusion, names, splits)
    prior = {split: summary.score_or_none(mean_iou(count_classes(each))) for split, each in guesses.items()}
    runtime = describe_runtime(model_record, options, provenance)
    exported = runtime.get("exported_model")
    scores = {
        **provenance.model_dump(mode="json"),
        "versions": {**provenance.versions, **({"exported_model": exported} if exported else {})},
        "runtime": runtime,
        "resolution": options.resolution,
        "splits": splits,
        "prior_mean_iou": prior,
        "batch_averaged_mean_iou": summary.average_over_batches(scored, options.batch_size),
        "digests": digest_contents(prepared_scenes, split_table),
        "model": model_record.model_dump(mode="json"),
    }
    return scores, summary.tabulate_drives(statistics, options.resolution)


def tabulate_scores(scores: Report) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the scores of splits and those of classes as tables, and logs them."""
    table, class_scores = summary.tabulate_scores(scores["splits"]), summary.tabulate_class_scores(scores["splits"])
    for name in ("prior_mean_iou", "batch_averaged_mean_iou"):
        table[name] = table["split"].map(scores[name]).astype("float64")
    table, class_scores = (each.assign(resolution=scores["resolution"]) for each in (table, class_scores))
    logger.info("Scores %s\n%s", _describe_scoring(scores), describe_scores(table, class_scores))
    return table.assign(**scores["versions"]), class_scores


def detect_errors(doubt_table: pd.DataFrame, scores: Report) -> tuple[pd.DataFrame, Figure]:
    """Returns how well each doubt finds the errors of each split, which is logged too, and its curves."""
    detection = tabulate_detection(doubt_table)
    logger.info("Errors found by doubt\n%s", detection.to_string(index=False, float_format="%.4f"))
    return detection, draw_detection(doubt_table, _caption(scores))


def draw_confusion(confusion_table: pd.DataFrame, prepared_scenes: PreparedScenes, scores: Report) -> Figure:
    """Returns the confusion matrices of the splits, in counts and row-normalised."""
    names = [each.name for each in prepared_scenes.classes]
    return figures.draw_confusion(sum_splits(confusion_table, names, scores["splits"]), names, _caption(scores))


def draw_class_iou(
    confusion_table: pd.DataFrame, prepared_scenes: PreparedScenes, scores: Report, picture_options: PictureOptions
) -> Figure:
    """Returns the IoU of each class as bars."""
    names = [each.name for each in prepared_scenes.classes]
    matrices = sum_splits(confusion_table, names, scores["splits"])
    palette = make_palette(prepared_scenes.classes, picture_options)
    return figures.draw_class_iou(matrices, palette, _caption(scores))


def draw_scores(scores: Report) -> Figure:
    """Returns the performance table as a picture."""
    return figures.draw_score_table(summary.tabulate_scores(scores["splits"]), _caption(scores))


def draw_examples(
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    scene_scores: pd.DataFrame,
    provenance: Provenance,
    options: EvaluateOptions,
    picture_options: PictureOptions,
    seed: Seed,
) -> Figure:
    """Returns panels of the best, the median and the worst scene of each split."""
    chosen = choose_examples(scene_scores)
    predictor = make_predictor(segnet_model, options, seed, provenance)
    predictions = predict_scenes(predictor, prepared_scenes, list(chosen["scene"]))
    with advising(spare_memory("evaluate"), BatchMemoryError):
        examples = [
            Example(
                title=f"{row.rank} of {row.split}: {row.scene}, mean IoU {row.mean_iou:.2f}",
                image=prepared_scenes[each.scene].image,
                truth=each.truth,
                prediction=each.label_map,
            )
            for row, each in zip(chosen.itertuples(), predictions, strict=True)
        ]
    sizes = f"Pictures and errors are at network resolution, mean IoU is at {options.resolution} resolution."
    palette = make_palette(prepared_scenes.classes, picture_options)
    origin = _describe_origin(segnet_model.record, options, provenance)
    return draw_panels(examples, palette, f"{sizes} {origin}")


def draw_suspects(
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    suspect_regions: pd.DataFrame,
    provenance: Provenance,
    options: EvaluateOptions,
    picture_options: PictureOptions,
    seed: Seed,
) -> Figure:
    """Returns panels of the regions whose annotation is the most suspect."""
    shown = suspect_regions.head(SHOWN)
    predictor = make_predictor(segnet_model, options, seed, provenance)
    predictions = predict_scenes(predictor, prepared_scenes, list(dict.fromkeys(shown["scene"])))
    palette = make_palette(prepared_scenes.classes, picture_options)
    with advising(spare_memory("evaluate"), BatchMemoryError):
        examples = draw_crops(shown, predictions, prepared_scenes, partial(frame_suspect, palette=palette))
    caption = f"At network resolution. {_describe_origin(segnet_model.record, options, provenance)}"
    return draw_panels(examples, palette, caption, title="Where a sure network and the annotation disagree most")


def write_report(
    *,
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    confusion_table: pd.DataFrame,
    scene_scores: pd.DataFrame,
    scene_class_scores: pd.DataFrame,
    doubt_table: pd.DataFrame,
    error_detection: pd.DataFrame,
    suspect_scenes: pd.DataFrame,
    suspect_regions: pd.DataFrame,
    scores: Report,
    provenance: Provenance,
    options: EvaluateOptions,
    picture_options: PictureOptions,
    seed: Seed,
) -> str:
    """Returns the report as one HTML page; only encoded pictures of its scenes are kept in memory."""
    palette = make_palette(prepared_scenes.classes, picture_options)
    gallery = choose_gallery(scene_scores, options.gallery_scenes)
    cut_out = suspect_regions if options.gallery_scenes else suspect_regions.head(0)
    predictor = make_predictor(segnet_model, options, seed, provenance)
    of_gallery, of_suspects = (
        predict_scenes(predictor, prepared_scenes, list(dict.fromkeys(each["scene"]))) for each in (gallery, cut_out)
    )
    with advising(spare_memory("evaluate"), BatchMemoryError):
        pictures = [picture_scene(each, prepared_scenes[each.scene].image, palette) for each in of_gallery]
        crops = draw_crops(cut_out, of_suspects, prepared_scenes, partial(picture_suspect, palette=palette))
    scored = ScoredScenes([each.name for each in palette.classes], scene_scores, scene_class_scores)
    return write_evaluation_report(
        scores=scores,
        matrices=sum_splits(confusion_table, scored.class_names, scores["splits"]),
        scored=scored,
        palette=palette,
        gallery=gallery,
        pictures=pictures,
        doubt_table=doubt_table,
        detection=error_detection,
        suspects=Suspects(suspect_scenes, suspect_regions, crops),
    )


def write_model_card(
    scores: Report, drive_scores: pd.DataFrame, model_history: ModelHistory, options: model_card.CardOptions
) -> str:
    """Returns the card of the model, in Markdown."""
    record = ModelRecord.model_validate({**scores["model"], **options.model_dump()})
    evaluation = model_card.Evaluation(
        run=scores["run"],
        data_set=scores["data_set"],
        data_name=scores.get("data_name"),
        digests=scores["digests"],
        resolution=scores["resolution"],
        options=scores["parameters"]["evaluate"],
        runtime=scores.get("runtime"),
        splits=scores["splits"],
        drive_scores=drive_scores,
    )
    return model_card.write_model_card(record, model_history.find_command(), evaluation)


def _caption(scores: Report) -> str:
    how = _describe_scoring(scores)
    return f"{how[0].upper()}{how[1:]}. {describe_model(ModelRecord.model_validate(scores['model']))}"


def _describe_origin(record: ModelRecord, options: EvaluateOptions, provenance: Provenance) -> str:
    exported = name_export(describe_runtime(record, options, provenance))
    return f"{f'Predicted in {exported}. ' if exported else ''}{describe_model(record)}"


def _describe_scoring(scores: Report) -> str:
    exported = name_export(scores.get("runtime"))
    return f"at {scores['resolution']} resolution{f', in {exported}' if exported else ''}"
