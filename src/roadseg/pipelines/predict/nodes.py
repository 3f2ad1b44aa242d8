"""Predict: a trained SegNet and pictures that nobody annotated to label maps, overlays, tables and a page."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.pipelines.advice import leave_out_samples, spare_memory
from roadseg.predicting.entry import tabulate_pictures, tabulate_shares
from roadseg.predicting.layout import stack_layouts
from roadseg.predicting.options import PredictOptions
from roadseg.predicting.predicted_pictures import PredictedPictures, predict_source
from roadseg.reading.cluster import sharing_out
from roadseg.reading.picture import Picture
from roadseg.reading.video import Video
from roadseg.reading.work_options import WorkOptions
from roadseg.reporting.annotation_strip import PICTURES, draw_annotation_strip
from roadseg.reporting.prediction_page import choose_pictures, write_prediction_page
from roadseg.scenes.palette import PictureOptions, make_palette
from roadseg.scenes.seed import Seed
from roadseg.scoring.annotation_order import order_for_annotation
from roadseg.segnet.dropout_samples import NoDropoutError
from roadseg.segnet.model_record import ModelRecord
from roadseg.segnet.out_of_memory import BatchMemoryError
from roadseg.segnet.trained import TrainedSegNet


def predict_pictures(
    pictures: Sequence[Picture | Video],
    segnet_model: TrainedSegNet,
    provenance: Provenance,
    options: PredictOptions,
    picture_options: PictureOptions,
    seed: Seed,
    work_options: WorkOptions,
) -> tuple[PredictedPictures, pd.DataFrame, pd.DataFrame]:
    """Returns the folder with the files of all pictures, the table of pictures, and the shares of their classes."""
    record = segnet_model.record
    half_done = provenance.folders["half_done_pictures"].on_disk
    versions = provenance.folders["predicted_pictures_folder"]
    palette = make_palette(record.classes, picture_options)
    with (
        advising(spare_memory("predict"), BatchMemoryError),
        advising(leave_out_samples("predict"), NoDropoutError),
        sharing_out(work_options) as share,
    ):
        predicted = predict_source(pictures, segnet_model, half_done, versions, palette, options, seed.root, share)
    entries = predicted.entries
    return predicted, tabulate_pictures(entries), tabulate_shares(entries, record.class_names)


def write_page(
    predicted_pictures: PredictedPictures,
    prediction_table: pd.DataFrame,
    picture_class_shares: pd.DataFrame,
    model_record: ModelRecord,
    provenance: Provenance,
    options: PredictOptions,
    picture_options: PictureOptions,
) -> str:
    """Returns the predicted pictures as one HTML page."""
    gallery = choose_pictures(prediction_table, options.page_pictures)
    return write_prediction_page(
        table=prediction_table,
        shares=picture_class_shares,
        palette=make_palette(model_record.classes, picture_options),
        record=model_record.model_dump(mode="json"),
        origin=provenance.model_dump(mode="json"),
        gallery=gallery,
        thumbnails=[predicted_pictures.read_thumbnail(name) for name in gallery["picture"]],
    )


def rank_for_annotation(predicted_pictures: PredictedPictures, options: PredictOptions) -> tuple[pd.DataFrame, Figure]:
    """Returns which pictures to annotate next, as a table and as a figure of the first ones."""
    entries = [each for each in predicted_pictures.entries if not each.fault]
    layouts = stack_layouts([each.layout for each in entries])
    order = order_for_annotation(tabulate_pictures(entries), layouts, options.annotation_pictures)
    first = order.head(PICTURES)
    return order, draw_annotation_strip(first, [predicted_pictures.read_thumbnail(name) for name in first["picture"]])
