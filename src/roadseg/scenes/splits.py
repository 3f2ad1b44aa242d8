"""Which scenes train, validate and test: as published, or whole drives by seeded shares."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, model_validator

from roadseg.scenes.prepared import PreparedScenes, content_digest

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
        method: `published` keeps the data set's own split; `drives` gives whole drives to the splits.
        shares: Used by `drives` alone.
    """

    method: Literal["published", "drives"]
    shares: SplitShares


def assign_splits(scene_index: pd.DataFrame, options: SplitOptions, seed: int) -> pd.DataFrame:
    """Returns the split of each labelled scene: a table with the columns scene, drive and split.

    Args:
        scene_index: One row a scene, with `scene`, `drive`, `published_split` and `labelled`.
        options: How to split.
        seed: Decides which drives go where.

    Raises:
        ValueError: If no scene has labels, a scene has no published split, or there are fewer drives than splits.
    """
    table = scene_index.loc[scene_index["labelled"], ["scene", "drive", "published_split"]].reset_index(drop=True)
    if table.empty:
        raise ValueError(f"a split needs scenes with labels; none of the {len(scene_index)} scenes has any")
    if options.method == "published":
        table["split"] = _published_splits(table)
    else:
        table["split"] = table["drive"].map(_split_drives(sorted(table["drive"].unique()), options.shares, seed))
    return table[["scene", "drive", "split"]]


def group_by_split(split_table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the scene ids of train, validation and test, sorted; a split without scenes is an empty list."""
    return {split: sorted(split_table.loc[split_table["split"] == split, "scene"]) for split in SPLITS}


def digest_contents(scenes: PreparedScenes, split_table: pd.DataFrame) -> dict[str, str]:
    """Returns a hash of the content of `prepared_scenes` and of `split_table`: what a network learns from."""
    table = split_table[["scene", "drive", "split"]].to_dict("list")
    return {"prepared_scenes": scenes.digest, "split_table": content_digest(table)}


def find_shared_drives(split_table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the drives that stand in more than one split, with these splits.

    Frames of one drive are near-duplicates, so scores on a split that shares a drive with train flatter the network.
    """
    splits = split_table.groupby("drive")["split"].unique()
    return {str(drive): sorted(found) for drive, found in splits.items() if len(found) > 1}


def _published_splits(table: pd.DataFrame) -> pd.Series:
    homeless = table.loc[~table["published_split"].isin(SPLITS), "scene"]
    if not homeless.empty:
        raise ValueError(
            f"split.method 'published' needs a published split for each scene, {len(homeless)} have none "
            f"(first: {homeless.iloc[0]!r}); use split.method 'drives'"
        )
    return table["published_split"]


def _split_drives(drives: list[str], shares: SplitShares, seed: int) -> dict[str, str]:
    wanted = [(split, share) for split in SPLITS if (share := getattr(shares, split)) > 0]
    if len(drives) < len(wanted):
        raise ValueError(
            f"whole drives can't be split {len(wanted)} ways: there are {len(drives)} ({', '.join(drives)}); "
            f"give a split the share 0, or use split.method 'published'"
        )
    counts = _apportion(len(drives), [share for _, share in wanted])
    splits = np.repeat([split for split, _ in wanted], counts)
    shuffled = np.random.default_rng(seed).permutation(drives)
    return {str(drive): str(split) for drive, split in zip(shuffled, splits, strict=True)}


def _apportion(total: int, shares: list[float]) -> list[int]:
    """Returns counts that add up to `total`: one each, the rest to whoever lacks most of its share."""
    counts = [1] * len(shares)
    for _ in range(total - len(shares)):
        lacking = [share * total - count for share, count in zip(shares, counts, strict=True)]
        counts[lacking.index(max(lacking))] += 1
    return counts
