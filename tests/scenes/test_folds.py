from collections import Counter

import numpy as np
import pandas as pd
import pytest

from roadseg.errors import InputError
from roadseg.scenes.folds import split_in_folds

TEN = [f"drive{number}" for number in range(10)]


def drives_by_split(drives, folds, fold, seed=0):
    """Returns the drives of each split, sorted."""
    scenes = pd.Series(drives, dtype="str")
    splits = split_in_folds(scenes, folds, fold, seed)
    return {split: sorted(set(scenes[splits == split])) for split in ("train", "validation", "test")}


@pytest.mark.parametrize("folds", [3, 4, 10])
def test_over_all_folds_each_drive_tests_once_and_validates_once(folds):
    found = [drives_by_split(TEN, folds, fold) for fold in range(folds)]
    for split in ("test", "validation"):
        assert Counter(drive for each in found for drive in each[split]) == dict.fromkeys(TEN, 1)
    for each in found:
        assert sorted(drive for drives in each.values() for drive in drives) == TEN


def test_the_next_fold_validates_and_after_the_last_the_first():
    found = [drives_by_split(TEN, 4, fold) for fold in range(4)]
    assert [each["validation"] for each in found] == [found[fold]["test"] for fold in (1, 2, 3, 0)]


def test_folds_hold_equally_many_drives_but_for_one():
    assert sorted(len(drives_by_split(TEN, 4, fold)["test"]) for fold in range(4)) == [2, 2, 3, 3]


def test_drives_are_dealt_as_numpy_shuffles_them():
    shuffled = np.random.RandomState(7).permutation(TEN).tolist()
    assert drives_by_split(TEN, 5, 2, seed=7)["test"] == sorted(shuffled[4:6])


def test_the_seed_alone_decides_the_folds():
    first = drives_by_split(TEN, 5, 0, seed=3)
    assert drives_by_split([*reversed(TEN), *TEN], 5, 0, seed=3) == first
    assert any(drives_by_split(TEN, 5, 0, seed=seed) != first for seed in range(3))


def test_all_scenes_of_a_drive_have_its_split():
    scenes = pd.Series(["a", "b", "a", "c", "b", "a"], index=[4, 2, 7, 1, 0, 9])
    splits = split_in_folds(scenes, 3, 1, 0)
    assert splits.index.tolist() == scenes.index.tolist()
    assert (splits.groupby(scenes).nunique() == 1).all()
    assert set(splits) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("drives", "advice"), [(["a", "b", "c", "d"], "split.folds from 3 to 4"), (["a", "b"], "split.method 'drives'")]
)
def test_more_folds_than_drives_are_refused(drives, advice):
    with pytest.raises(InputError, match=rf"at most {len(drives)} folds, .*, received 5; use {advice}$"):
        split_in_folds(pd.Series(drives), 5, 0, 0)
