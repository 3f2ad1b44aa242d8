"""Prepare: raw scenes to prepared ones, their index, and their split."""

import logging

import pandas as pd

from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.prepared import PreparationPlan, PreparedScenes
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation
from roadseg.scenes.raw import RawScenes, SceneOptions, select_scenes
from roadseg.scenes.splits import SplitOptions, assign_splits, find_shared_drives

logger = logging.getLogger(__name__)


def prepare_scenes(
    raw_scenes: RawScenes, label_space: LabelSpace, options: PrepareOptions, scene_options: SceneOptions
) -> PreparationPlan:
    """Returns the plan of the preparation; the catalog carries it out while it saves."""
    ids = select_scenes(raw_scenes.records, scene_options.limit)
    return plan_preparation(raw_scenes, ids, label_space, options)


def index_scenes(prepared_scenes: PreparedScenes) -> pd.DataFrame:
    """Returns one row a scene: what it is, the size of its raw image, and its pixels of each class."""
    return prepared_scenes.tabulate()


def split_scenes(scene_index: pd.DataFrame, options: SplitOptions, seed: int) -> pd.DataFrame:
    """Returns the split of each labelled scene, and warns of drives that stand in more than one."""
    split_table = assign_splits(scene_index, options, seed)
    for split, rows in split_table.groupby("split", sort=False):
        logger.info("Split %s: %d scenes of %d drives", split, len(rows), rows["drive"].nunique())
    for drive, splits in find_shared_drives(split_table).items():
        logger.warning("Drive %s stands in %s: scores there flatter the network", drive, " and ".join(splits))
    return split_table
