"""What the splits of a split table share, so that scores on one of them are too high."""

import pandas as pd


def find_shared_drives(split_table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the drives that are in more than one split, with these splits.

    Frames of one drive are almost equal, so scores on a split that shares a drive with train are too high.
    """
    splits = split_table.groupby("drive")["split"].unique()
    return {str(drive): sorted(found) for drive, found in splits.items() if len(found) > 1}


def find_duplicates(scene_index: pd.DataFrame, split_table: pd.DataFrame) -> pd.DataFrame:
    """Returns the scenes whose pixels are also in another split: image_hash, scene, drive and split, sorted.

    Args:
        scene_index: One row per scene, with `scene` and `image_hash` (equal for equal pixels).
        split_table: As `assign_splits` returns it.

    Returns:
        One row per scene, ordered by hash, then by scene; no row if no image is in two splits.
    """
    hashes = scene_index.set_index("scene")["image_hash"]
    table = split_table.assign(image_hash=split_table["scene"].map(hashes))
    repeated = table.groupby("image_hash")["split"].transform("nunique") > 1
    columns = ["image_hash", "scene", "drive", "split"]
    return table.loc[repeated, columns].sort_values(["image_hash", "scene"], ignore_index=True)
