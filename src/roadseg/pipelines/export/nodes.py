"""Export: a trained SegNet to files for other runtimes, proved on validation scenes."""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from roadseg.datasets.model_history import EarlierEvaluation, ModelHistory
from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.exporting.exported_model import CARD, ExportedModel, export_model
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.proof import prove_export
from roadseg.exporting.scene_choice import ReadPair, read_calibration_images, read_proving_scenes
from roadseg.pipelines.advice import export_on_own_data
from roadseg.reporting import export_page
from roadseg.reporting.model_card import CardOptions, Evaluation, write_model_card
from roadseg.reporting.proof_table import describe_proof
from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.preprocessing import read_pair
from roadseg.scenes.raw import RawScenes
from roadseg.segnet.model_record import ModelRecord
from roadseg.segnet.trained import TrainedSegNet, check_classes, check_image_size

Report = dict[str, Any]

logger = logging.getLogger(__name__)


def export_segnet(
    *,
    segnet_model: TrainedSegNet,
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    model_history: ModelHistory,
    provenance: Provenance,
    options: ExportOptions,
    card_options: CardOptions,
) -> tuple[ExportedModel, Report]:
    """Returns the exported model with its card, and what was found when it ran in other runtimes.

    One that does not predict there what Keras predicts is refused.
    """
    with advising(export_on_own_data(segnet_model.record, provenance)):
        check_classes(segnet_model.record, [each.name for each in prepared_scenes.classes])
        check_image_size(segnet_model.record, prepared_scenes.image_size)
    facts = {**card_options.model_dump(), "num_parameters": segnet_model.network.count_params()}
    model = replace(segnet_model, record=segnet_model.record.model_copy(update=facts))
    size = options.image_size or model.record.image_size
    read = _choose_reader(prepared_scenes, raw_scenes, label_space, size)
    scenes = read_proving_scenes(read, split_table, options.scenes)
    count = options.calibration_scenes if options.precision == "int8" else 0
    calibration = read_calibration_images(read, split_table, count)
    exported = export_model(model, options, calibration)
    proof = prove_export(exported, model, *scenes, options.runtimes)
    report = proof.model_dump(mode="json")
    for line in describe_proof(report):
        logger.info("%s", line)
    evaluation = _describe_evaluation(model_history.find_evaluation(), provenance)
    card = write_model_card(model.record, model_history.find_command(), evaluation, report)
    return ExportedModel({**exported.files, CARD: card.encode()}), report


def _choose_reader(
    prepared_scenes: PreparedScenes, raw_scenes: RawScenes, label_space: LabelSpace, size: tuple[int, int]
) -> ReadPair:
    """Returns what reads a scene at a size: the prepared one, or for another size the pixels of the camera."""
    if size == prepared_scenes.image_size:
        return prepared_scenes.read_pair
    classes = prepared_scenes.classes
    return partial(read_pair, raw_scenes=raw_scenes, label_space=label_space, classes=classes, size=size)


def _describe_evaluation(earlier: EarlierEvaluation | None, provenance: Provenance) -> Evaluation | None:
    if earlier is None:
        return None
    record = earlier.record
    return Evaluation(
        run=record.run,
        data_set=provenance.data_set,  # whose run records were read
        data_name=provenance.data_name,
        digests=record.digests or {},
        resolution=str(record.resolution),
        options=record.parameters["evaluate"],
        runtime=record.runtime,
        splits=record.scores or {},
        drive_scores=earlier.drive_scores,
    )


def write_page(export_report: Report, model_record: ModelRecord, provenance: Provenance) -> str:
    """Returns the report as one HTML page."""
    return export_page.write_export_page(export_report, model_record, provenance.model_dump(mode="json"))
