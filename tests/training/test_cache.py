import shutil
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from roadseg.training.cache import CachedPairs

SIZE = (3, 5)


class CountedReader:
    """Random scenes, and how often each was read."""

    def __init__(self):
        self.reads = Counter()

    def read_pair(self, scene):
        self.reads[scene] += 1
        random = np.random.default_rng(ord(scene))
        return random.integers(0, 256, (*SIZE, 3), np.uint8), random.integers(0, 256, SIZE, np.uint8)


def test_scene_is_decoded_once_and_always_the_same(tmp_path):
    reader = CountedReader()
    cached = CachedPairs(reader, "abc", SIZE, tmp_path / "cache.npy")
    for scene in "acacca":
        image, label_map = cached.read_pair(scene)
        expected_image, expected_map = CountedReader().read_pair(scene)
        np.testing.assert_array_equal(image, expected_image)
        np.testing.assert_array_equal(label_map, expected_map)
        image[:], label_map[:] = 0, 0  # what is handed out is the caller's own
    assert reader.reads == {"a": 1, "c": 1}


def test_what_an_earlier_training_left_does_not_count(tmp_path):
    reader = CountedReader()
    for _ in range(2):
        CachedPairs(reader, "ab", SIZE, tmp_path / "cache.npy").read_pair("a")
    assert reader.reads == {"a": 2}


def test_disk_that_is_too_small_is_refused_before_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(ValueError, match=r"train.cache needs 4 MB in '.*', but the disk has 1 MB left"):
        CachedPairs(CountedReader(), "ab", (700, 700), tmp_path / "cache.npy")
