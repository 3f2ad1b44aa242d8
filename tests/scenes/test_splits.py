from collections import Counter

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from roadseg.scenes.prepared import PreparedScene
from roadseg.scenes.splits import (
    SplitOptions,
    SplitShares,
    assign_splits,
    digest_contents,
    find_shared_drives,
    group_by_split,
)


def index(drives, *, published=None, labelled=True):
    """Returns a scene index of drives: name -> number of scenes."""
    rows = [
        {"scene": f"{drive}_{frame}", "drive": drive, "published_split": published, "labelled": labelled}
        for drive, count in drives.items()
        for frame in range(count)
    ]
    return pd.DataFrame(rows)


def options(method="drives", train=0.6, validation=0.2, test=0.2):
    return SplitOptions(method=method, shares=SplitShares(train=train, validation=validation, test=test))


def drives_by_split(table):
    return {split: set(rows["drive"]) for split, rows in table.groupby("split")}


TEN = {f"drive{n}": 1 + n for n in range(10)}


@pytest.mark.parametrize("seed", range(10))
def test_no_drive_stands_in_two_splits(seed):
    table = assign_splits(index(TEN), options(), seed)
    assert list(table.columns) == ["scene", "drive", "split"]
    assert (table.groupby("drive")["split"].nunique() == 1).all()
    assert find_shared_drives(table) == {}
    assert sorted(table["scene"]) == sorted(index(TEN)["scene"])


@pytest.mark.parametrize(
    ("drives", "shares", "counts"),
    [
        (10, (0.6, 0.2, 0.2), (6, 2, 2)),
        (3, (0.6, 0.2, 0.2), (1, 1, 1)),
        (4, (0.6, 0.2, 0.2), (2, 1, 1)),
        (3, (0.98, 0.01, 0.01), (1, 1, 1)),
        (7, (0.5, 0.5, 0.0), (4, 3, 0)),
        (2, (0.0, 0.5, 0.5), (0, 1, 1)),
        (5, (1.0, 0.0, 0.0), (5, 0, 0)),
        (1, (0.0, 0.0, 1.0), (0, 0, 1)),
        (100, (0.7, 0.1, 0.2), (70, 10, 20)),
    ],
)
def test_drives_are_shared_out_and_every_split_with_a_share_gets_one(drives, shares, counts):
    train, validation, test = shares
    known = index({f"drive{n}": 2 for n in range(drives)})
    table = assign_splits(known, options(train=train, validation=validation, test=test), 0)
    found = {split: len(each) for split, each in drives_by_split(table).items()}
    assert tuple(found.get(split, 0) for split in ("train", "validation", "test")) == counts


def test_split_repeats_by_seed_and_differs_between_seeds():
    first, again = (assign_splits(index(TEN), options(), 5) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert any(not assign_splits(index(TEN), options(), seed)["split"].equals(first["split"]) for seed in range(3))


def test_split_of_a_drive_does_not_depend_on_the_order_or_number_of_its_scenes():
    drives_first = drives_by_split(assign_splits(index(TEN), options(), 5))
    others = index(dict.fromkeys(reversed(TEN), 1))
    assert drives_by_split(assign_splits(others, options(), 5)) == drives_first


def test_fewer_drives_than_splits_are_refused():
    with pytest.raises(ValueError, match=r"can't be split 3 ways: there are 2 \(a, b\); give a split the share 0"):
        assign_splits(index({"a": 9, "b": 9}), options(), 0)


def test_two_drives_do_where_a_split_has_the_share_0():
    table = assign_splits(index({"a": 9, "b": 9}), options(train=0.8, validation=0.2, test=0.0), 0)
    assert Counter(table["split"]) == {"train": 9, "validation": 9}


@pytest.mark.parametrize("method", ["drives", "published"])
def test_scenes_without_labels_are_left_out(method):
    known = pd.concat([index(TEN, published="train"), index({"blind": 3}, labelled=False)], ignore_index=True)
    table = assign_splits(known, options(method), 0)
    assert "blind" not in set(table["drive"])
    assert len(table) == sum(TEN.values())


@pytest.mark.parametrize("method", ["drives", "published"])
def test_data_set_without_labels_is_refused(method):
    with pytest.raises(ValueError, match="none of the 4 scenes has any"):
        assign_splits(index({"a": 4}, published="test", labelled=False), options(method), 0)


def test_published_split_is_kept():
    published = {"a": "validation", "b": "test", "c": "train"}
    known = pd.concat([index({drive: 2}, published=split) for drive, split in published.items()])
    table = assign_splits(known, options("published"), 0)
    assert table["scene"].tolist() == ["a_0", "a_1", "b_0", "b_1", "c_0", "c_1"]
    assert table["split"].tolist() == ["validation"] * 2 + ["test"] * 2 + ["train"] * 2


@pytest.mark.parametrize("published", [None, np.nan, "val"])
def test_scene_without_a_published_split_is_refused_by_name(published):
    known = pd.concat([index({"a": 2}, published="train"), index({"b": 3}, published=published)], ignore_index=True)
    with pytest.raises(ValueError, match=r"3 have none \(first: 'b_0'\); use split.method 'drives'"):
        assign_splits(known, options("published"), 0)


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.1), (1.2, -0.1, -0.1), (0.0, 0.0, 0.0)])
def test_shares_add_up_to_one(shares):
    with pytest.raises(ValidationError):
        options(train=shares[0], validation=shares[1], test=shares[2])


def test_sum_of_the_shares_stands_in_the_message():
    with pytest.raises(ValidationError, match=r"must add up to 1, they add up to 0\.9"):
        options(test=0.1)


def test_scenes_are_grouped_by_split_and_a_missing_split_is_empty():
    table = pd.DataFrame({"scene": ["b", "c", "a"], "drive": "d", "split": ["train", "test", "train"]})
    assert group_by_split(table) == {"train": ["a", "b"], "validation": [], "test": ["c"]}


def test_drives_in_more_than_one_split_are_found():
    table = pd.DataFrame(
        {
            "scene": list("uvwxyz"),
            "drive": ["one", "two", "one", "three", "two", "one"],
            "split": ["train", "test", "train", "test", "validation", "test"],
        }
    )
    assert find_shared_drives(table) == {"one": ["test", "train"], "two": ["test", "validation"]}


def test_digest_follows_the_rows_of_the_split_alone(in_memory):
    def digest(table):
        return digest_contents(scenes, table)

    scenes = in_memory({"a": PreparedScene(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), (1, 1))})
    table = pd.DataFrame({"scene": ["a"], "drive": ["d"], "split": ["train"]})
    assert set(digest(table)) == {"prepared_scenes", "split_table"}
    assert digest(table)["prepared_scenes"] == scenes.digest
    assert digest(table.assign(note="other")) == digest(table)
    moved = digest(table.assign(split="test"))
    assert moved["split_table"] != digest(table)["split_table"]
    assert moved["prepared_scenes"] == scenes.digest


def test_split_survives_a_csv_file(tmp_path, in_memory):
    table = assign_splits(index(TEN), options(), 0)
    table.to_csv(tmp_path / "split.csv", index=False)
    again = pd.read_csv(tmp_path / "split.csv", dtype=str)
    scenes = in_memory({"a": PreparedScene(np.zeros((1, 1, 3), np.uint8), None, (1, 1))})
    assert digest_contents(scenes, again) == digest_contents(scenes, table)
