"""Scenes of noise to prepare, for tests of what prepares, stores and lists them."""

import numpy as np

from roadseg.errors import InputError
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.prepared import PreparationPlan, PreparedScene
from roadseg.scenes.raw import SceneRecord

CLASSES = (SegmentationClass(name="road", colour=(128, 64, 18)), SegmentationClass(name="sky", colour=(70, 130, 180)))
IDS = [f"a_{number:02}" for number in range(12)]
SIZE = (6, 8)
NOTED = "a_03"
"""A scene with a fault, though it can be used."""


class Work:
    """Plans scenes of noise, and notes which of them are prepared."""

    def __init__(self):
        self.prepared = []
        self.broken = set()
        self.unlabelled = set()
        self.unusable = set()
        self.unusable_share = 0.0

    def scene(self, scene, size=SIZE):
        random = np.random.default_rng(list(scene.encode()))
        image = random.integers(0, 256, (*size, 3), np.uint8)
        label_map = random.choice(np.array([0, 1, 255], np.uint8), size)
        faults = (Fault(FaultKind.EMPTY_POLYGON, "1 pole"),) if scene == NOTED else ()
        return PreparedScene(image, None if scene in self.unlabelled else label_map, (60, 80), faults)

    def prepare(self, scene, size):
        if scene in self.broken:
            raise InputError(f"scene '{scene}': raw label 7 (moon) has no entry")
        self.prepared.append(scene)
        if scene in self.unusable:
            raise UnusableSceneError(FaultKind.IMAGE_BROKEN, f"{scene} is cut off")
        return self.scene(scene, size)

    def plan(self, ids=IDS, *, size=SIZE, changed=()):
        return PreparationPlan(
            classes=CLASSES,
            image_size=size,
            records={scene: SceneRecord("drive a", "train", "1:1") for scene in ids},
            digests={scene: f"{'1' if scene in changed else '0'}{size[0]:03}{size[1]:03}" for scene in ids},
            prepare=lambda scene: self.prepare(scene, size),
            unusable_share=self.unusable_share,
            workers=None,
        )

    def take(self):
        """Returns what was prepared since the last call."""
        prepared, self.prepared = sorted(self.prepared), []
        return prepared


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def half_written(folder):
    return [str(path) for path in folder.rglob("*.part")]


def assert_equal_scenes(loaded, work, ids=IDS, size=SIZE):
    assert list(loaded) == list(ids)
    for scene in ids:
        expected = work.scene(scene, size)
        np.testing.assert_array_equal(loaded[scene].image, expected.image)
        np.testing.assert_array_equal(loaded[scene].label_map, expected.label_map)
        assert loaded[scene].raw_size == (60, 80)
        assert loaded[scene].faults == expected.faults
