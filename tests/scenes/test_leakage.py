import pandas as pd

from roadseg.scenes.leakage import find_duplicates, find_shared_drives


def table(**scenes):
    """Returns a split table of scene -> drive and split."""
    return pd.DataFrame([(scene, *each) for scene, each in scenes.items()], columns=["scene", "drive", "split"])


def hashes(**scenes):
    return pd.DataFrame({"scene": list(scenes), "image_hash": list(scenes.values())})


def test_drives_in_more_than_one_split_are_found():
    splits = pd.DataFrame(
        {
            "scene": list("uvwxyz"),
            "drive": ["one", "two", "one", "three", "two", "one"],
            "split": ["train", "test", "train", "test", "validation", "test"],
        }
    )
    assert find_shared_drives(splits) == {"one": ["test", "train"], "two": ["test", "validation"]}


def test_scenes_with_the_same_pixels_in_two_splits_are_found():
    splits = table(
        z=("one", "train"),
        y=("two", "test"),
        x=("one", "train"),
        w=("one", "train"),
        v=("one", "train"),
        u=("two", "test"),
    )
    # z, y and x are one image; w and v too, but in one split; u is alone.
    found = find_duplicates(hashes(u="5", v="4", w="4", x="9", y="9", z="9"), splits)
    assert found.to_dict("list") == {
        "image_hash": ["9", "9", "9"],
        "scene": ["x", "y", "z"],
        "drive": ["one", "two", "one"],
        "split": ["train", "test", "train"],
    }
    assert found.index.tolist() == [0, 1, 2]


def test_duplicates_are_sorted_by_hash_and_then_by_scene():
    splits = table(a=("d", "test"), b=("d", "train"), c=("d", "train"), e=("d", "validation"))
    found = find_duplicates(hashes(a="ff", b="ff", c="0a", e="0a"), splits)
    assert found["image_hash"].tolist() == ["0a", "0a", "ff", "ff"]
    assert found["scene"].tolist() == ["c", "e", "a", "b"]


def test_scenes_outside_the_split_table_are_no_duplicates():
    splits = table(a=("d", "test"))
    index = hashes(a="1", left_out="1", broken=None, also_broken=None)
    assert find_duplicates(index, splits).empty


def test_without_duplicates_the_table_is_empty_and_has_its_columns():
    for splits in (table(), table(a=("d", "test"), b=("e", "train"))):
        found = find_duplicates(hashes(a="1", b="2"), splits)
        assert list(found.columns) == ["image_hash", "scene", "drive", "split"]
        assert found.empty
