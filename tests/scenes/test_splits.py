import re
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from roadseg.scenes.leakage import find_shared_drives
from roadseg.scenes.prepared import PreparedScene
from roadseg.scenes.raw import SceneRecord
from roadseg.scenes.splits import (
    SPLITS,
    SplitOptions,
    SplitShares,
    assign_splits,
    check_drives,
    count_unlabelled,
    digest_contents,
    find_absent_classes,
    find_classes,
    find_missing_classes,
    group_by_split,
)


def index(drives, *, published=None, labelled=True):
    """Returns a scene index of drives: name -> number of scenes; the column `held` says which classes a scene holds."""
    rows = [
        {"scene": f"{drive}_{frame}", "drive": drive, "published_split": published, "usable": True, "held": ""}
        for drive, count in drives.items()
        for frame in range(count)
    ]
    return pd.DataFrame(rows).assign(labelled=labelled)


def hold(held, *, published=None):
    """Returns a scene index of drives: name -> the classes it holds; each drive's second scene holds them."""
    scenes = index(dict.fromkeys(held, 2), published=published)
    return scenes.assign(held=scenes["drive"].map(held).where(scenes["scene"].str.endswith("_1"), ""))


def classes_of(scenes):
    """Returns what `find_classes` finds in an index that says which classes its scenes hold."""
    rows = [(scene, name, 9) for scene, held in zip(scenes["scene"], scenes["held"], strict=True) for name in held]
    pixels = pd.DataFrame(rows, columns=["scene", "class", "pixels"])
    return find_classes(scenes, pixels, sorted(set("".join(scenes["held"]))))


def split_scenes(scenes, chosen, seed):
    return assign_splits(scenes, classes_of(scenes), chosen, seed)


def place(*rows):
    """Returns a scene index of (published split, drive): one scene each."""
    return pd.concat([index({drive: 1}, published=split).assign(scene=str(n)) for n, (split, drive) in enumerate(rows)])


def options(method="drives", train=0.6, validation=0.2, test=0.2, *, test_share=0.286, drive=None, folds=3, fold=0):
    shares = SplitShares(train=train, validation=validation, test=test)
    return SplitOptions(method=method, shares=shares, test_share=test_share, drive=drive, folds=folds, fold=fold)


def shuffle(drives, seed, counts):
    """Returns the drives of each split: those of one shuffle by NumPy, in turn."""
    shuffled = np.random.default_rng(seed).permutation(sorted(drives)).tolist()
    ends = np.cumsum(counts)
    return {split: set(shuffled[end - n : end]) for split, end, n in zip(SPLITS, ends, counts, strict=True)}


def count_lacking(drives_of, held):
    """Returns how many pairs of split and class there are without a drive of the split that holds the class."""
    known = set("".join(held.values()))
    return sum(len(known - set("".join(held[drive] for drive in drives))) for drives in drives_of.values())


def drives_by_split(table):
    return {split: set(rows["drive"]) for split, rows in table.groupby("split")}


TEN = {f"drive{n}": 1 + n for n in range(10)}


@pytest.mark.parametrize("seed", range(10))
def test_no_drive_stands_in_two_splits(seed):
    table = split_scenes(index(TEN), options(), seed)
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
    table = split_scenes(known, options(train=train, validation=validation, test=test), 0)
    found = {split: len(each) for split, each in drives_by_split(table).items()}
    assert tuple(found.get(split, 0) for split in ("train", "validation", "test")) == counts


def test_split_repeats_by_seed_and_differs_between_seeds():
    first, again = (split_scenes(index(TEN), options(), 5) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert any(not split_scenes(index(TEN), options(), seed)["split"].equals(first["split"]) for seed in range(3))


def test_split_of_a_drive_does_not_depend_on_the_order_or_number_of_its_scenes():
    drives_first = drives_by_split(split_scenes(index(TEN), options(), 5))
    others = index(dict.fromkeys(reversed(TEN), 1))
    assert drives_by_split(split_scenes(others, options(), 5)) == drives_first


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("held", [dict.fromkeys(TEN, "ab"), dict.fromkeys(TEN, "ab") | {"drive3": "abc"}])
def test_first_shuffle_stays_where_no_other_holds_more(held, seed):
    table = split_scenes(hold(held), options(), seed)
    assert drives_by_split(table) == shuffle(TEN, seed, (6, 2, 2))


def test_every_class_is_in_every_split_where_the_drives_allow_it():
    held = {f"drive{n}": "a" for n in range(40)}
    held |= {"drive1": "ab", "drive2": "ab", "drive3": "ab", "drive4": "ac", "drive5": "ac", "drive6": "ac"}
    for seed in range(10):
        table = split_scenes(hold(held), options(train=0.7, validation=0.15, test=0.15), seed)
        assert [len(drives) for drives in drives_by_split(table).values()] == [6, 28, 6]  # test, train, validation
        assert count_lacking(drives_by_split(table), held) == 0
        assert find_missing_classes(classes_of(hold(held)), table) == {}


def test_no_assignment_of_the_drives_lacks_fewer_classes():
    generator = np.random.default_rng(0)
    improved = covered = 0
    for seed in range(60):
        names = [f"drive{n}" for n in range(generator.integers(5, 9))]
        held = dict.fromkeys(names, "a")
        for rare in "bcd":
            for drive in generator.permutation(names)[: generator.integers(2, 6)]:
                held[drive] += rare
        found = drives_by_split(split_scenes(hold(held), options(train=0.4, validation=0.3, test=0.3), seed))
        counts = [len(found[split]) for split in SPLITS]
        assignments = [
            {"train": set(names) - {*validation, *test}, "validation": validation, "test": test}
            for validation in combinations(names, counts[1])
            for test in combinations(sorted(set(names) - set(validation)), counts[2])
        ]
        fewest = min(count_lacking(each, held) for each in assignments)
        assert count_lacking(found, held) == fewest
        improved += count_lacking(shuffle(names, seed, counts), held) > fewest
        covered += fewest == 0
    assert improved > 20
    assert 20 < covered < 60


def test_class_of_two_drives_is_in_two_of_three_splits():
    held = dict.fromkeys(TEN, "a") | {"drive4": "ab", "drive7": "ab"}
    for seed in range(10):
        table = split_scenes(hold(held), options(), seed)
        (lacking,) = find_missing_classes(classes_of(hold(held)), table).items()
        assert lacking[1] == ["b"]


def test_scene_that_is_unusable_or_without_labels_holds_no_class():
    held = dict.fromkeys(TEN, "a") | {"drive0": "ab", "drive1": "ab", "drive2": "ab"}
    scenes = hold(held)
    blind = scenes.assign(scene="blind " + scenes["scene"], labelled=False, held="b")
    broken = scenes.assign(scene="broken " + scenes["scene"], usable=False, held="b")
    for seed in range(10):
        table = split_scenes(pd.concat([scenes, blind, broken]), options(), seed)
        assert set(table["scene"]) == set(scenes["scene"])
        assert find_missing_classes(classes_of(scenes), table) == {}


@pytest.mark.parametrize(
    ("drives", "advice"),
    [("ab", r"there are 2 \(a, b\); give 1 of the splits the share 0"), ("a", r"1 \(a\); give 2 of the splits the")],
)
def test_fewer_drives_than_splits_are_refused(drives, advice):
    with pytest.raises(ValueError, match=rf"can't be split 3 ways: .*{advice}"):
        split_scenes(index(dict.fromkeys(drives, 9)), options(), 0)


@pytest.mark.parametrize("drives", [TEN, {"a": 1}])
def test_all_scenes_test_where_the_others_have_the_share_0(drives):
    table = split_scenes(index(drives), options(train=0, validation=0, test=1), 0)
    assert table["scene"].tolist() == index(drives)["scene"].tolist()
    assert set(table["split"]) == {"test"}


def test_two_drives_do_where_a_split_has_the_share_0():
    table = split_scenes(index({"a": 9, "b": 9}), options(train=0.8, validation=0.2, test=0.0), 0)
    assert Counter(table["split"]) == {"train": 9, "validation": 9}


@pytest.mark.parametrize("method", ["drives", "published"])
def test_scenes_that_can_not_be_used_are_left_out(method):
    broken = index({"broken": 3}, published="train").assign(usable=False)
    table = split_scenes(pd.concat([index(TEN, published="train"), broken]), options(method), 0)
    assert "broken" not in set(table["drive"])
    assert len(table) == sum(TEN.values())


@pytest.mark.parametrize("method", ["drives", "published"])
def test_scenes_without_labels_are_left_out(method):
    known = pd.concat([index(TEN, published="train"), index({"blind": 3}, labelled=False)], ignore_index=True)
    table = split_scenes(known, options(method), 0)
    assert "blind" not in set(table["drive"])
    assert len(table) == sum(TEN.values())


@pytest.mark.parametrize("method", ["drives", "published", "notebook", "leave_one_drive_out", "k_fold"])
def test_data_set_without_labels_is_refused(method):
    with pytest.raises(ValueError, match="none of the 4 scenes has any"):
        split_scenes(index({"a": 4}, published="test", labelled=False), options(method), 0)


def follow(message, given):
    """Returns the options that a message advises."""
    if other := re.search(r"use split\.method '(\w+)'", message):
        return given.model_copy(update={"method": other[1]})
    if drive := re.search(r"expected one of the \d+ drives .*? \((\w+)", message):
        return given.model_copy(update={"drive": drive[1]})
    count = int(re.search(r"give (\d) of the splits the share 0 in split.shares$", message)[1])
    shares = {0: {"train": 1.0}, 1: {"train": 0.5, "validation": 0.5}}[2 - count]
    return given.model_copy(update={"shares": SplitShares(**dict.fromkeys(SPLITS, 0.0) | shares)})


@pytest.mark.parametrize("method", ["drives", "published", "notebook", "leave_one_drive_out", "k_fold"])
@pytest.mark.parametrize(
    "rows",
    [
        *([(split, "a")] for split in (None, "train", "test")),
        *([(split, "a"), (split, "b")] for split in (None, "train", "validation", "test")),
        *([(split, "a"), (None, "b"), (split, "c")] for split in (None, "train", "validation", "test")),
        [("train", "a"), ("validation", "a")],
        [("train", "a"), ("validation", "b"), ("test", "c")],
    ],
)
def test_advice_leads_to_a_split(rows, method):
    scenes, given = place(*rows), options(method)
    for _ in range(3):
        try:
            assert not split_scenes(scenes, given, 0).empty
            return
        except ValueError as fault:
            given = follow(str(fault), given)
    pytest.fail(f"advice leads round in a circle, last to {given}")


def test_published_split_is_kept():
    published = {"a": "validation", "b": "test", "c": "train"}
    known = pd.concat([index({drive: 2}, published=split) for drive, split in published.items()])
    table = split_scenes(known, options("published"), 0)
    assert table["scene"].tolist() == ["a_0", "a_1", "b_0", "b_1", "c_0", "c_1"]
    assert table["split"].tolist() == ["validation"] * 2 + ["test"] * 2 + ["train"] * 2


@pytest.mark.parametrize("method", ["published", "notebook"])
@pytest.mark.parametrize("published", [None, np.nan, "val"])
def test_scene_without_a_published_split_is_refused_by_name(published, method):
    known = pd.concat([index({"a": 2}, published="train"), index({"b": 3}, published=published)], ignore_index=True)
    with pytest.raises(ValueError, match=rf"'{method}' .* 3 have none \(first: 'b_0'\); use split.method 'drives'"):
        split_scenes(known, options(method), 0)


def test_notebook_keeps_validation_and_takes_whole_test_drives_from_train():
    seven = [("train", f"drive{n}") for n in range(7) for _ in range(n + 1)]
    scenes = place(*seven, ("validation", "v"), ("test", "t"), ("validation", "w"), ("test", "drive0"))
    table = split_scenes(scenes, options("notebook"), 3)
    assert table["scene"].tolist() == [str(n) for n in [*range(28), 28, 30]]
    found = drives_by_split(table)
    assert found["validation"] == {"v", "w"}
    assert (len(found["train"]), len(found["test"])) == (5, 2)
    assert found["train"] | found["test"] == {f"drive{n}" for n in range(7)}
    assert find_shared_drives(table) == {}


def test_notebook_leaves_out_training_scenes_of_a_validation_drive():
    rows = [("train", "a"), ("train", "shared"), ("validation", "shared"), ("train", "b"), ("train", "shared")]
    table = split_scenes(place(*rows), options("notebook"), 0)
    assert table["scene"].tolist() == ["0", "2", "3"]
    assert table.loc[1, "split"] == "validation"
    assert set(table.loc[[0, 2], "split"]) == {"train", "test"}


@pytest.mark.parametrize(("share", "counts"), [(0.01, (4, 1)), (0.5, (3, 2)), (0.99, (1, 4))])
def test_notebook_leaves_train_and_test_one_drive_at_least(share, counts):
    scenes = place(*(("train", f"drive{n}") for n in range(5)), ("validation", "v"))
    found = drives_by_split(split_scenes(scenes, options("notebook", test_share=share), 0))
    assert (len(found["train"]), len(found["test"])) == counts


def test_notebook_gives_every_class_to_train_and_test_where_the_drives_allow_it():
    held = dict.fromkeys(TEN, "a") | {"drive0": "ab", "drive1": "ab", "drive2": "ac", "drive3": "ac"}
    scenes = pd.concat([hold(held, published="train"), hold({"v": "abc"}, published="validation")])
    found = [split_scenes(scenes, options("notebook"), seed) for seed in range(10)]
    for table in found:
        assert find_missing_classes(classes_of(scenes), table) == {}
    assert any(not table.equals(found[0]) for table in found)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("train", "a"), ("train", "b"), ("test", "t")], "there are 2 of train and 0 of validation"),
        ([("validation", "a"), ("validation", "b")], "there are 0 of train and 2 of validation"),
        ([("train", "a"), ("validation", "v"), ("train", "a")], r"not in the published validation .* received \['a'\]"),
        ([("train", "a"), ("validation", "a")], r"received \[\]; use split.method 'drives'"),
    ],
)
def test_notebook_refuses_a_data_set_that_it_does_not_fit(rows, message):
    with pytest.raises(ValueError, match=message):
        split_scenes(place(*rows), options("notebook"), 0)


def test_one_drive_validates_all_others_train_and_published_validation_and_test_scenes_are_left_out():
    scenes = place(("train", "a"), ("validation", "b"), ("test", "b"), (None, "c"), ("test", "t"), ("train", "b"))
    table = split_scenes(scenes, options("leave_one_drive_out", drive="b"), 0)
    assert table["scene"].tolist() == ["0", "3", "5"]
    assert table["drive"].tolist() == ["a", "c", "b"]
    assert table["split"].tolist() == ["train", "train", "validation"]


@pytest.mark.parametrize("drive", [None, "c", "blind", "t", "v"])
def test_drive_to_leave_out_that_is_none_is_refused(drive):
    published = [index({"t": 1}, published="test"), index({"v": 1}, published="validation")]
    known = pd.concat([index({"b": 2, "a": 1}), index({"blind": 1}, labelled=False), *published])
    message = rf"expected one of the 2 drives .* \(a, b\), received {drive!r}"
    with pytest.raises(ValueError, match=message):
        split_scenes(known, options("leave_one_drive_out", drive=drive), 0)


def test_of_many_drives_to_leave_out_five_are_named():
    with pytest.raises(ValueError, match=r"10 drives .* \(drive0, drive1, drive2, drive3, drive4, \.\.\.\), received"):
        split_scenes(index(TEN), options("leave_one_drive_out"), 0)


@pytest.mark.parametrize(("published", "drives"), [("train", r"\['a'\]"), ("test", r"\[\]")])
def test_only_drive_is_not_left_out(published, drives):
    with pytest.raises(ValueError, match=rf"needs two or more drives .* received {drives}"):
        split_scenes(index({"a": 4}, published=published), options("leave_one_drive_out", drive="a"), 0)


@pytest.mark.parametrize("method", ["drives", "notebook", "leave_one_drive_out", "k_fold"])
def test_no_drive_stands_in_two_splits_wherever_it_was_published(method):
    generator = np.random.default_rng(0)
    for seed in range(20):
        rows = [(SPLITS[generator.integers(3)], f"drive{generator.integers(30):02}") for _ in range(40)]
        drive = next(drive for split, drive in rows if split == "train")
        table = split_scenes(place(*rows), options(method, drive=drive), seed)
        assert find_shared_drives(table) == {}
        assert table["scene"].astype(int).is_monotonic_increasing
        assert table.index.tolist() == list(range(len(table)))


def test_folds_are_of_all_labelled_scenes_wherever_they_were_published():
    scenes = place(("train", "a"), ("validation", "b"), ("test", "c"), (None, "d"), ("test", "a"))
    blind = index({"e": 1}, labelled=False)
    table = split_scenes(pd.concat([scenes, blind]), options("k_fold", folds=4, fold=3), 0)
    assert table["scene"].tolist() == ["0", "1", "2", "3", "4"]
    assert {split: len(drives) for split, drives in drives_by_split(table).items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert table.loc[0, "split"] == table.loc[4, "split"]


def test_more_folds_than_drives_lead_to_fewer():
    scenes = index(dict.fromkeys("abcd", 2))
    with pytest.raises(ValueError, match=r"use split\.folds from 3 to 4$"):
        split_scenes(scenes, options("k_fold", folds=5), 0)
    assert set(split_scenes(scenes, options("k_fold", folds=4), 0)["split"]) == set(SPLITS)


@pytest.mark.parametrize("fold", [3, 7])
def test_fold_that_is_none_is_refused(fold):
    with pytest.raises(ValidationError, match=rf"one of the 3 folds, expected 0 to 2, received {fold}"):
        options("k_fold", folds=3, fold=fold)


@pytest.mark.parametrize(("folds", "fold"), [(2, 0), (3, -1)])
def test_too_few_folds_and_a_negative_fold_are_refused(folds, fold):
    with pytest.raises(ValidationError):
        options("k_fold", folds=folds, fold=fold)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_share_of_the_test_drives_lies_between_nothing_and_all(share):
    with pytest.raises(ValidationError):
        options("notebook", test_share=share)


def test_drive_that_was_read_as_a_number_is_refused():
    with pytest.raises(ValidationError, match=r"drive\n.*valid string"):
        options("leave_one_drive_out", drive=201)


def test_missing_classes_are_those_of_labelled_scenes_that_a_split_lacks():
    scenes = hold({"one": "ab", "two": "a", "three": "c", "blind": "d", "left out": "e"})
    scenes["labelled"] = scenes["drive"] != "blind"
    used = scenes[~scenes["drive"].isin(["blind", "left out"])]
    table = used[["scene", "drive"]].assign(split=used["drive"].map({"one": "test", "two": "train", "three": "test"}))
    assert find_missing_classes(classes_of(scenes), table) == {"train": ["b", "c", "e"], "test": ["e"]}
    assert find_missing_classes(classes_of(scenes[scenes["drive"] != "left out"]), table) == {"train": ["b", "c"]}


def test_classes_are_found_in_labelled_scenes_alone_and_stand_in_the_order_of_their_ids():
    scenes = hold({"one": "ab", "two": "a"})
    scenes.loc[3, "labelled"] = False
    pixels = pd.DataFrame({"scene": ["one_1", "one_1", "two_1"], "class": ["a", "b", "a"], "pixels": [1, 2, 3]})
    held = find_classes(scenes, pixels, ["b", "never", "a"])
    assert held.index.tolist() == ["one_0", "one_1", "two_0"]
    assert held.columns.tolist() == ["b", "never", "a"]
    assert held.to_numpy().tolist() == [[False] * 3, [True, False, True], [False] * 3]
    with pytest.raises(ValueError, match=r"the classes are \['a'\], received a table that names \['b'\]"):
        find_classes(scenes, pixels, ["a"])


def test_absent_classes_are_those_of_no_labelled_scene():
    scenes = hold({"one": "ab", "two": "b", "blind": "c"})
    scenes["labelled"] = scenes["drive"] != "blind"
    assert find_absent_classes(classes_of(scenes)) == ["c"]
    assert find_absent_classes(classes_of(scenes.assign(labelled=True))) == []


def test_published_splits_without_labels_are_counted():
    rows = [("train", "a"), ("train", "b"), ("validation", "v"), ("test", "t"), ("test", "u"), ("test", "w")]
    scenes = place(*rows).assign(
        labelled=[False, True, False, False, False, False], usable=[True, True, False, True, True, False]
    )
    assert count_unlabelled(scenes) == {"test": 2}
    assert count_unlabelled(index(TEN, labelled=False)) == {}


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


@pytest.mark.parametrize("seed", range(5))
def test_classes_that_three_of_many_drives_hold_are_in_all_three_splits(seed):
    random = np.random.default_rng(seed)
    held = {f"drive{number:03}": "z" for number in range(300)}
    for name in "abcde":
        for drive in random.choice(list(held), 3, replace=False):
            held[drive] += name
    scenes = hold(held)
    table = split_scenes(scenes, options(), seed)
    assert find_missing_classes(classes_of(scenes), table) == {}
    assert {split: len(drives) for split, drives in drives_by_split(table).items()} == {
        "train": 180,
        "validation": 60,
        "test": 60,
    }


def records(drives, published=None):
    return {f"{drive}_{n}": SceneRecord(drive, published, "1") for drive, count in drives.items() for n in range(count)}


@pytest.mark.parametrize("drives", [{"a": 2}, {"a": 1, "b": 1}, dict.fromkeys("abcdefghij", 3)])
@pytest.mark.parametrize("method", ["drives", "k_fold", "leave_one_drive_out"])
def test_drives_are_refused_before_preparing_as_they_are_afterwards(drives, method):
    chosen = options(method).model_copy(update={"drive": "b"})
    listed, labelled = records(drives), index(drives)
    refused = []
    for split in (lambda: check_drives(listed, chosen), lambda: split_scenes(labelled, chosen, 0)):
        try:
            split()
        except ValueError as fault:
            refused.append(str(fault))
    assert len(refused) in (0, 2)
    assert len(set(refused)) <= 1
    assert bool(refused) == (len(drives) < {"drives": 3, "k_fold": 3, "leave_one_drive_out": 2}[method])


@pytest.mark.parametrize("method", ["published", "notebook"])
def test_drives_of_published_splits_are_not_refused_before_labels_are_known(method):
    check_drives(records({"a": 2}), options(method))
