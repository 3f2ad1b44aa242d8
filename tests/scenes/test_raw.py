from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.scenes.raw import RawScenes, Scene, SceneOptions, SceneRecord, select_scenes


def records(**frames):
    """Returns records of drives: name=(number of frames, published split)."""
    return {
        f"{drive}_{frame:03}": SceneRecord(drive, split, "")
        for drive, (count, split) in frames.items()
        for frame in range(count)
    }


def count_by(of, known, attribute):
    return Counter(getattr(known[scene], attribute) for scene in of)


@pytest.mark.parametrize("limit", [None, 6, 7, 1000])
def test_all_scenes_are_selected_sorted_where_the_limit_allows(limit):
    known = records(b=(3, None), a=(3, None))
    assert select_scenes(known, limit) == ["a_000", "a_001", "a_002", "b_000", "b_001", "b_002"]


@pytest.mark.parametrize("limit", range(1, 24))
def test_limit_is_met_exactly_and_no_scene_comes_twice(limit):
    known = records(a=(1, "train"), b=(9, "train"), c=(4, "validation"), d=(9, None))
    chosen = select_scenes(known, limit)
    assert len(set(chosen)) == len(chosen) == min(limit, 23)
    assert chosen == sorted(chosen)


def test_drives_share_evenly_and_frames_within_a_drive_are_evenly_spaced():
    chosen = select_scenes(records(a=(10, None), b=(10, None), c=(10, None)), 6)
    assert chosen == ["a_000", "a_005", "b_000", "b_005", "c_000", "c_005"]


def test_short_drive_gives_all_it_has_and_the_others_the_rest():
    # b gives 4 of 10: frames 0, 2.5, 5 and 7.5, rounded down
    assert select_scenes(records(a=(1, None), b=(10, None)), 5) == ["a_000", "b_000", "b_002", "b_005", "b_007"]


def test_every_published_split_gets_its_turn():
    known = records(a=(10, "train"), b=(10, "validation"), c=(10, "test"))
    assert count_by(select_scenes(known, 9), known, "published_split") == {"train": 3, "validation": 3, "test": 3}


def test_every_published_split_gets_its_turn_before_a_split_gets_its_second_drive():
    known = records(**{f"drive{n}": (5, "train") for n in range(8)}, v=(5, "validation"), w=(5, "test"))
    chosen = select_scenes(known, 3)
    assert count_by(chosen, known, "published_split") == {"train": 1, "validation": 1, "test": 1}
    assert set(count_by(select_scenes(known, 10), known, "drive").values()) == {1}


def test_drive_that_stands_in_two_splits_gets_a_turn_in_each():
    known = {f"{split}{n}": SceneRecord("a", split, "") for split in ("train", "test") for n in range(4)}
    assert select_scenes(known, 2) == ["test0", "train0"]


def test_selection_does_not_depend_on_the_order_of_the_records():
    known = records(a=(7, "train"), b=(3, "train"), c=(9, None))
    assert select_scenes(known, 8) == select_scenes(dict(reversed(known.items())), 8)


class OneColour(RawScenes):
    def __init__(self):
        self.records = records(a=(2, None))
        self.least = []

    def read(self, scene, least):
        self.least.append(least)
        return Scene(np.full((2, 2, 3), list(self.records).index(scene), np.uint8), None, {}, (2, 2))


def test_raw_scenes_are_a_mapping_in_the_order_of_their_records():
    scenes = OneColour()
    assert (list(scenes), len(scenes), "a_001" in scenes) == (["a_000", "a_001"], 2, True)
    assert [scene.image[0, 0, 0] for scene in scenes.values()] == [0, 1]
    assert scenes.least == [None, None]  # as large as they are


@pytest.mark.parametrize("limit", [0, -1, 2.0, "2", True])
def test_limit_is_a_positive_integer_or_none(limit):
    with pytest.raises(ValidationError):
        SceneOptions(limit=limit)
    assert SceneOptions(limit=None).limit is None
