"""Prepare: raw scenes to prepared ones, their index, their faults, their split, and a page that shows them."""

import logging

import pandas as pd

from roadseg.errors import advising
from roadseg.pipelines.advice import NAME_RAW_LABELS
from roadseg.reading.cluster import sharing_out
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.work_options import WorkOptions
from roadseg.reporting.data_report import count_faults, write_data_report
from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.leakage import find_duplicates, find_shared_drives
from roadseg.scenes.palette import PictureOptions, make_palette
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.preprocessing import NamelessLabelError, PrepareOptions, plan_preparation
from roadseg.scenes.raw import RawScenes, SceneOptions, select_scenes
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import (
    SplitOptions,
    assign_splits,
    check_drives,
    count_unlabelled,
    find_absent_classes,
    find_classes,
    find_missing_classes,
)

logger = logging.getLogger(__name__)


def prepare_scenes(
    raw_scenes: RawScenes,
    label_space: LabelSpace,
    scene_store: SceneStore,
    options: PrepareOptions,
    scene_options: SceneOptions,
    split_options: SplitOptions,
    work_options: WorkOptions,
) -> PreparedScenes:
    """Prepares the scenes that the store lacks, if their drives allow the split; returns all of them."""
    ids = select_scenes(raw_scenes.records, scene_options.limit)
    check_drives({scene: raw_scenes.records[scene] for scene in ids}, split_options)
    with advising(NAME_RAW_LABELS, NamelessLabelError), sharing_out(work_options) as share:
        plan = plan_preparation(raw_scenes, ids, label_space, options)
        return carry_out(plan, scene_store, share, in_flight=work_options.in_flight)


def index_scenes(prepared_scenes: PreparedScenes) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Returns tables: one row per scene with its facts, one per class in a scene with its pixels, one per fault."""
    faults = prepared_scenes.tabulate_faults()
    for kind, counts in count_faults(faults).iterrows():
        logger.warning("Fault '%s': %d scenes used anyway, %d left out", kind, counts["used"], counts["left out"])
    return prepared_scenes.tabulate(), prepared_scenes.tabulate_pixels(), faults


def split_scenes(
    prepared_scenes: PreparedScenes,
    scene_index: pd.DataFrame,
    class_pixels: pd.DataFrame,
    options: SplitOptions,
    seed: Seed,
) -> pd.DataFrame:
    """Returns the split of each labelled scene, and warns of what makes its scores less reliable."""
    held = find_classes(scene_index, class_pixels, [each.name for each in prepared_scenes.classes])
    split_table = assign_splits(scene_index, held, options, seed.root)
    for split, rows in split_table.groupby("split", sort=False):
        logger.info("Split %s: %d scenes of %d drives", split, len(rows), rows["drive"].nunique())
    for split, count in count_unlabelled(scene_index).items():
        logger.info("None of the %d scenes published as %s has labels: they are in no split", count, split)
    if absent := find_absent_classes(held):
        logger.warning("No scene has a pixel of %s: no network can learn it from these scenes", ", ".join(absent))
    for split, names in find_missing_classes(held, split_table).items():
        logger.warning("Split %s has no pixel of %s", split, ", ".join(names))
    for drive, splits in find_shared_drives(split_table).items():
        logger.warning("Drive %s is in %s, so scores on it are too high", drive, " and ".join(splits))
    if not (duplicates := find_duplicates(scene_index, split_table)).empty:
        logger.warning(
            "%d scenes have the same pixels as one of another split; data_report names them", len(duplicates)
        )
    return split_table


def report_data(
    prepared_scenes: PreparedScenes,
    scene_index: pd.DataFrame,
    class_pixels: pd.DataFrame,
    split_table: pd.DataFrame,
    picture_options: PictureOptions,
) -> str:
    """Returns the page that shows the data set."""
    palette = make_palette(prepared_scenes.classes, picture_options)
    return write_data_report(prepared_scenes, scene_index, class_pixels, split_table, palette)
