"""Which scenes train, validate and test: as published, or whole drives in one of four ways."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, model_validator

from roadseg.errors import InputError
from roadseg.scenes.drive_shares import share_out_drives
from roadseg.scenes.folds import FEWEST_FOLDS, split_in_folds
from roadseg.scenes.labels import find_class_ids
from roadseg.scenes.prepared import PreparedScenes, content_digest
from roadseg.scenes.raw import SceneRecord

SPLITS = ("train", "validation", "test")

Share = Annotated[float, Field(ge=0, le=1)]


class SplitShares(BaseModel, frozen=True, extra="forbid", strict=True):
    """Share of the drives that each split gets; the three add up to 1."""

    train: Share
    validation: Share
    test: Share

    @model_validator(mode="after")
    def _add_up(self) -> "SplitShares":
        total = self.train + self.validation + self.test
        if not np.isclose(total, 1):
            raise ValueError(f"the shares of train, validation and test must add up to 1, they add up to {total:g}")
        return self


class SplitOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How scenes are split.

    Attributes:
        method: `published` keeps the data set's own split; `drives` gives whole drives to the splits; `notebook` keeps
            the published validation split and takes test drives from those that train; `leave_one_drive_out` validates
            on one drive, trains on all others and tests nothing; `k_fold` divides the drives into folds: one
            tests, the next one validates (the first follows the last), the others train.
        shares: Used by `drives` alone.
        test_share: Share of the training drives that become test; used by `notebook` alone.
        drive: The drive that validates; used by `leave_one_drive_out` alone.
        folds: Number of folds; used by `k_fold` alone.
        fold: The one that tests, from 0; used by `k_fold` alone.
    """

    method: Literal["published", "drives", "notebook", "leave_one_drive_out", "k_fold"]
    shares: SplitShares
    test_share: Annotated[float, Field(gt=0, lt=1)]
    drive: str | None
    folds: Annotated[int, Field(ge=FEWEST_FOLDS)]
    fold: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _name_a_fold(self) -> "SplitOptions":
        if self.fold >= self.folds:
            raise ValueError(
                f"fold must be one of the {self.folds} folds, expected 0 to {self.folds - 1}, received {self.fold}"
            )
        return self


def find_classes(scene_index: pd.DataFrame, class_pixels: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Returns whether each labelled scene holds each class: a row per scene, by its id, and a column per class.

    Args:
        scene_index: One row per scene, with `scene`, `drive`, `published_split`, `usable` and `labelled`.
        class_pixels: One row for each scene and class that it holds, with `scene` and `class`.
        class_names: Names in the order of the ids.

    Raises:
        InputError: If a class is not among these names.
    """
    scenes = pd.Index(_labelled_scenes(scene_index)["scene"])
    cells = class_pixels[class_pixels["scene"].isin(scenes)]
    held = np.zeros((len(scenes), len(class_names)), bool)
    held[scenes.get_indexer(pd.Index(cells["scene"])), find_class_ids(cells["class"], class_names)] = True
    return pd.DataFrame(held, scenes, list(class_names))


def assign_splits(scene_index: pd.DataFrame, held: pd.DataFrame, options: SplitOptions, seed: int) -> pd.DataFrame:
    """Returns the split of each labelled scene: a table with the columns scene, drive and split.

    Its rows are in the order of the index. Scenes that the method gives to no split are not among them.

    Args:
        scene_index: As in `find_classes`.
        held: As `find_classes` returns it.
        options: How to split.
        seed: Decides which drives go where.

    Raises:
        InputError: If no scene has labels, or the scenes or their drives don't allow the method.
    """
    scenes = _labelled_scenes(scene_index)
    if scenes.empty:
        raise InputError(f"a split needs scenes with labels; none of the {len(scene_index)} scenes has any")
    match options.method:
        case "published":
            splits = _published_splits(scenes, options.method)
        case "drives":
            splits = _split_drives(scenes, held, options.shares, seed)
        case "notebook":
            splits = _split_as_notebook(scenes, held, options.test_share, seed)
        case "leave_one_drive_out":
            splits = _leave_one_drive_out(scenes, options.drive)
        case "k_fold":
            splits = split_in_folds(scenes["drive"], options.folds, options.fold, seed)
    table = scenes.assign(split=splits).dropna(subset="split")
    return table[["scene", "drive", "split"]].astype("str").reset_index(drop=True)


def check_drives(records: Mapping[str, SceneRecord], options: SplitOptions) -> None:
    """Refuses a split for which the drives are too few, even if all their scenes are usable and labelled.

    So nothing is prepared in vain. Methods that need published splits are not checked: a scene without one may turn
    out to have no labels, and then needs none.

    Args:
        records: Of the scenes that are to be prepared.
        options: How to split.

    Raises:
        InputError: If the drives do not allow the method.
    """
    if options.method in ("published", "notebook") or not records:
        return
    rows = [(scene, each.drive, each.published_split) for scene, each in records.items()]
    index = pd.DataFrame(rows, columns=["scene", "drive", "published_split"]).assign(usable=True, labelled=True)
    assign_splits(index, pd.DataFrame(index=pd.Index(index["scene"])), options, seed=0)


def group_by_split(split_table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the scene ids of train, validation and test, sorted; a split without scenes is an empty list."""
    return {split: sorted(split_table.loc[split_table["split"] == split, "scene"]) for split in SPLITS}


def digest_contents(scenes: PreparedScenes, split_table: pd.DataFrame) -> dict[str, str]:
    """Returns a hash of the content of `prepared_scenes` and of `split_table`: what a network learns from."""
    table = split_table[["scene", "drive", "split"]].to_dict("list")
    return {"prepared_scenes": scenes.digest, "split_table": content_digest(table)}


def find_missing_classes(held: pd.DataFrame, split_table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the classes of the labelled scenes that a split lacks; a split that is empty or lacks none is left out.

    Args:
        held: As `find_classes` returns it.
        split_table: As `assign_splits` returns it.
    """
    missing = {}
    for split, ids in group_by_split(split_table).items():
        lacking = held.any() & ~held.loc[ids].any()
        missing[split] = lacking.index[lacking].tolist() if ids else []
    return {split: names for split, names in missing.items() if names}


def find_absent_classes(held: pd.DataFrame) -> list[str]:
    """Returns the classes that no labelled scene has, in the order of their ids.

    Args:
        held: As `find_classes` returns it.
    """
    occurs = held.any()
    return occurs.index[~occurs].tolist()


def count_unlabelled(scene_index: pd.DataFrame) -> dict[str, int]:
    """Returns the number of usable scenes of each published split in which no usable scene has labels.

    Args:
        scene_index: As in `find_classes`.
    """
    labelled = scene_index[scene_index["usable"]].groupby("published_split")["labelled"]
    return {str(split): len(each) for split, each in labelled if not each.any()}


def _labelled_scenes(scene_index: pd.DataFrame) -> pd.DataFrame:
    return scene_index[scene_index["usable"] & scene_index["labelled"]].reset_index(drop=True)


def _published_splits(scenes: pd.DataFrame, method: str) -> pd.Series:
    homeless = scenes.loc[~scenes["published_split"].isin(SPLITS), "scene"]
    if not homeless.empty:
        raise InputError(
            f"split.method '{method}' needs a published split for each scene, {len(homeless)} have none "
            f"(first: {homeless.iloc[0]!r}); use split.method 'drives'"
        )
    return scenes["published_split"]


def _split_drives(scenes: pd.DataFrame, held: pd.DataFrame, shares: SplitShares, seed: int) -> pd.Series:
    wanted = {split: share for split in SPLITS if (share := getattr(shares, split)) > 0}
    drives = sorted(scenes["drive"].unique())
    if len(drives) < len(wanted):
        other = ", or use split.method 'published'" if scenes["published_split"].isin(SPLITS).all() else ""
        raise InputError(
            f"whole drives can't be split {len(wanted)} ways: there are {len(drives)} ({', '.join(drives)}); "
            f"give {len(wanted) - len(drives)} of the splits the share 0 in split.shares{other}"
        )
    return share_out_drives(scenes, held, wanted, seed)


def _split_as_notebook(scenes: pd.DataFrame, held: pd.DataFrame, test_share: float, seed: int) -> pd.Series:
    published = _published_splits(scenes, "notebook")
    validation, train = published == "validation", published == "train"
    if not validation.any() or not train.any():
        raise InputError(
            f"split.method 'notebook' needs labelled scenes published as train and as validation, there are "
            f"{train.sum()} of train and {validation.sum()} of validation; use split.method 'drives'"
        )
    unshared = scenes[train & ~scenes["drive"].isin(scenes.loc[validation, "drive"])]
    drives = sorted(unshared["drive"].unique())
    if len(drives) < 2:
        raise InputError(
            f"split.method 'notebook' needs two or more training drives that are not in the published validation "
            f"split too, received {drives}; use split.method 'drives'"
        )
    shared_out = share_out_drives(unshared, held, {"train": 1 - test_share, "test": test_share}, seed)
    return shared_out.combine_first(published.loc[validation])


def _leave_one_drive_out(scenes: pd.DataFrame, drive: str | None) -> pd.Series:
    # Recipes are not chosen on scenes that they are scored on: of published splits, only train makes folds.
    others = scenes[~scenes["published_split"].isin(["validation", "test"])]
    drives = sorted(others["drive"].unique())
    if len(drives) < 2:
        other = "published" if scenes["published_split"].isin(SPLITS).all() else "drives"
        raise InputError(
            f"split.method 'leave_one_drive_out' needs two or more drives with labelled scenes that are not "
            f"published as validation or test, received {drives}; use split.method '{other}'"
        )
    if drive not in drives:
        some = ", ".join(drives[:5]) + (", ..." if len(drives) > 5 else "")
        raise InputError(
            f"split.drive names the drive that split.method 'leave_one_drive_out' validates on, expected one of the "
            f"{len(drives)} drives with labelled scenes not published as validation or test ({some}), "
            f"received {drive!r}"
        )
    return others["drive"].map(dict.fromkeys(drives, "train") | {drive: "validation"})
