from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from pydantic import ValidationError

from roadseg.scenes import preprocessing
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.labels import LabelSpace, SegmentationClass
from roadseg.scenes.preprocessing import (
    PrepareOptions,
    plan_preparation,
    prepare_scene,
    read_pair,
    read_truth,
    resize_image,
    resize_label_map,
)
from roadseg.scenes.raw import RawScenes, Scene, SceneRecord

CLASSES = [
    {"name": "ground", "colour": [128, 64, 18], "raw": ["road"]},
    {"name": "rest", "colour": [0, 0, 230], "raw": ["sky", "car"]},
]


def label_space(**changes):
    return LabelSpace.model_validate({"classes": CLASSES, "void": ["blur"]} | changes)


RAW_NAMES = {0: "road", 1: "sky", 2: "blur", 3: "moon"}


class Scenes(RawScenes):
    def __init__(self, scenes, fingerprints=None):
        self.scenes, self.asked = scenes, []
        fingerprints = fingerprints or dict.fromkeys(scenes, "1:1")
        self.records = {scene: SceneRecord("drive", None, fingerprints[scene]) for scene in scenes}

    def read(self, scene, least):
        self.asked.append((scene, least))
        return self.scenes[scene]


NOTE = Fault(FaultKind.EMPTY_POLYGON, "1 pole")


def scene(label_map, size=(2, 2), faults=()):
    label_map = None if label_map is None else np.array(label_map, np.uint8)
    return Scene(np.zeros((*size, 3), np.uint8), label_map, RAW_NAMES, size, faults)


def options(size=(1, 1), **changes):
    given = {"image_size": size, "unknown_label": "error", "unusable_share": 0.0, "workers": None}
    return PrepareOptions.model_validate(given | changes)


def plan(raw_scenes, space=None, size=(1, 1), **changes):
    return plan_preparation(raw_scenes, list(raw_scenes), space or label_space(), options(size, **changes))


def random_label_map(size):
    return np.random.default_rng(0).integers(0, 256, size, np.uint8)


def test_label_map_pixel_comes_from_the_nearest_centre():
    # Centres of 3 cells over 9 pixels lie at 1.5, 4.5 and 7.5: in pixels 1, 4 and 7, not at the cells' corners 0, 3, 6.
    row = np.arange(9, dtype=np.uint8)
    assert resize_label_map(row[None], (1, 3)).tolist() == [[1, 4, 7]]
    assert resize_label_map(row[:, None], (3, 1)).tolist() == [[1], [4], [7]]


def test_centre_between_two_pixels_takes_the_later_one():
    # Centres of 3 cells over 4 pixels: 0.67, 2.0 and 3.33; of 2 cells: 1.0 and 3.0.
    assert resize_label_map(np.array([[10, 11, 12, 13]], np.uint8), (1, 3)).tolist() == [[10, 12, 13]]
    assert resize_label_map(np.array([[10, 11, 12, 13]], np.uint8), (1, 2)).tolist() == [[11, 13]]


@pytest.mark.parametrize(
    ("raw_size", "size"),
    [
        ((1080, 1920), (240, 480)),
        ((720, 1280), (240, 480)),
        ((964, 1280), (240, 480)),
        ((227, 320), (97, 131)),
        ((360, 480), (101, 203)),
        ((97, 131), (227, 320)),
        ((5, 7), (5, 7)),
        ((1, 1), (3, 2)),
        ((13, 11), (1, 1)),
        ((3, 497), (497, 3)),
        ((8, 9), (1999, 1364)),
    ],
)
def test_label_map_is_resized_as_pillow_does(raw_size, size):
    label_map = random_label_map(raw_size)
    expected = Image.fromarray(label_map).resize(size[::-1], Image.Resampling.NEAREST)
    resized = resize_label_map(label_map, size)
    assert resized.dtype == np.uint8
    assert resized.shape == size
    # Where a centre lies between two pixels, Pillow's sum of floats takes this or that one.
    rows, columns = ((2 * np.arange(new) + 1) * raw % (2 * new) != 0 for raw, new in zip(raw_size, size, strict=True))
    certain = np.ix_(rows, columns)
    np.testing.assert_array_equal(resized[certain], np.asarray(expected)[certain])


@pytest.mark.parametrize("seed", range(40))
def test_no_pixel_centre_lies_nearer_than_the_one_taken(seed):
    raw, new = (int(size) for size in np.random.default_rng(seed).integers(1, 2100, 2))
    high, low = (np.arange(raw) >> shift & 255 for shift in (8, 0))  # a coordinate in two label maps
    taken = sum(
        resize_label_map(part[None].astype(np.uint8), (1, new))[0].astype(int) << shift
        for part, shift in ((high, 8), (low, 0))
    )
    wanted = (np.arange(new) + 0.5) * raw / new
    assert np.abs(taken + 0.5 - wanted).max() <= 0.5 + 1e-9


def test_shrunk_image_holds_block_means():
    block = np.array([[0, 10, 100, 200], [20, 30, 0, 20], [7, 7, 255, 255], [7, 7, 255, 255]], np.uint8)
    image = np.stack([block, 255 - block, np.zeros_like(block)], axis=-1)
    shrunk = resize_image(image, (2, 2))
    assert shrunk.dtype == np.uint8
    assert shrunk[..., 0].tolist() == [[15, 80], [7, 255]]
    assert shrunk[..., 1].tolist() == [[240, 175], [248, 0]]
    assert not shrunk[..., 2].any()


def test_shrunk_image_weighs_pixels_by_the_area_that_they_share():
    # 3 pixels to 2: (0 + 90 / 2) / 1.5 and (90 / 2 + 255) / 1.5
    image = np.repeat(np.array([[0, 90, 255]], np.uint8)[..., None], 3, axis=-1)
    assert resize_image(image, (1, 2)).tolist() == [[[30] * 3, [200] * 3]]


def shares(raw, new):
    """Returns which share of each new pixel each raw pixel has: (new, raw)."""
    edges = np.arange(new + 1) * raw / new
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(raw)
    return np.clip(np.minimum(ends, pixels + 1) - np.maximum(starts, pixels), 0, None) * new / raw


@pytest.mark.parametrize(
    ("raw_size", "error"),
    [
        ((48, 96), 1),
        ((49, 97), 1),
        ((96, 94), 1),
        ((30, 192), 1),
        ((50, 98), 4),
        ((108, 192), 4),
    ],  # the last two halved first
)
def test_image_that_shrinks_much_holds_the_means_of_areas(raw_size, error):
    noise = np.random.default_rng(0).integers(0, 256, (*raw_size, 3), np.uint8)
    image = np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)))
    expected = np.einsum("ir,jc,rck->ijk", shares(raw_size[0], 12), shares(raw_size[1], 24), image)
    assert np.abs(resize_image(image, (12, 24)) - expected).max() <= error


def test_enlarged_image_is_bilinear():
    # Centres of 4 cells over 2 pixels lie at -0.25, 0.25, 0.75 and 1.25 from the first centre.
    image = np.repeat(np.array([[0, 100]], np.uint8)[..., None], 3, axis=-1)
    assert resize_image(image, (1, 4)).tolist() == [[[0] * 3, [25] * 3, [75] * 3, [100] * 3]]


def test_image_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    np.testing.assert_array_equal(resize_image(image, (7, 5)), image)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (17, 31)])
def test_image_of_one_pixel_fills_any_size(size):
    image = np.array([[[1, 2, 3]]], np.uint8)
    assert resize_image(image, size).shape == (*size, 3)
    assert (resize_image(image, size) == image).all()


def test_scene_is_resized_and_remapped():
    label_map = np.tile(np.repeat([0, 1, 2], 3).astype(np.uint16), (3, 1))
    raw = Scene(np.full((3, 9, 3), (1, 2, 3), np.uint8), label_map, RAW_NAMES, (3, 9))
    prepared = prepare_scene(raw, label_space(), options((1, 3)))
    assert prepared.image.tolist() == [[[1, 2, 3]] * 3]
    assert prepared.label_map.tolist() == [[0, 1, 255]]
    assert prepared.label_map.dtype == np.uint8
    assert prepared.raw_size == (3, 9)
    assert prepared.faults == ()


def test_image_that_the_decoder_shrank_and_a_label_map_of_another_size_become_one_size():
    raw = Scene(np.full((2, 4, 3), 7, np.uint8), np.array([[0, 1]], np.uint8), RAW_NAMES, (16, 32), (NOTE,))
    prepared = prepare_scene(raw, label_space(), options((2, 4)))
    assert prepared.image.shape == (2, 4, 3)
    assert prepared.label_map.tolist() == [[0, 0, 1, 1]] * 2
    assert prepared.raw_size == (16, 32)
    assert prepared.faults == (NOTE,)


def test_scenes_are_read_at_the_size_that_is_needed():
    raw_scenes = Scenes({"a": scene(None)})
    plan(raw_scenes, size=(3, 5)).prepare("a")
    assert raw_scenes.asked == [("a", (3, 5))]


def test_scene_without_labels_stays_without_and_keeps_its_faults():
    prepared = plan(Scenes({"a": scene(None, faults=(NOTE,))})).prepare("a")
    assert prepared.label_map is None
    assert prepared.faults == (NOTE,)


def test_unknown_label_is_refused_with_the_scene():
    with pytest.raises(ValueError, match=r"scene 'drive/a': raw label 'moon' has no entry in the label space"):
        plan(Scenes({"drive/a": scene([[0, 0], [0, 3]])})).prepare("drive/a")


def test_unknown_label_becomes_void_and_is_noted_where_that_is_asked_for():
    raw_scenes = Scenes({"a": scene([[0, 1], [9, 3]], faults=(NOTE,))})
    prepared = plan(raw_scenes, size=(2, 2), unknown_label="void").prepare("a")
    assert prepared.label_map.tolist() == [[0, 1], [255, 255]]
    assert prepared.faults == (NOTE, Fault(FaultKind.UNKNOWN_LABEL, "moon, id 9"))


def test_label_map_without_any_class_is_noted():
    prepared = plan(Scenes({"a": scene([[2, 2], [2, 2]])})).prepare("a")
    assert prepared.label_map.tolist() == [[255]]
    assert [fault.kind for fault in prepared.faults] == [FaultKind.ONLY_VOID]


def test_scene_that_cannot_be_used_stays_an_error_of_its_own():
    class Broken(Scenes):
        def read(self, scene, least):
            raise UnusableSceneError(FaultKind.IMAGE_BROKEN, "cut off")

    with pytest.raises(UnusableSceneError, match="image broken: cut off"):
        plan(Broken({"a": None})).prepare("a")


def test_planning_reads_no_scene():
    raw_scenes = Scenes({"a": scene(None), "b": scene(None)})
    planned = plan_preparation(raw_scenes, ["b"], label_space(), options(unusable_share=0.25, workers=3))
    assert not raw_scenes.asked
    assert (planned.unusable_share, planned.workers) == (0.25, 3)
    assert list(planned.records) == list(planned.digests) == ["b"]
    assert [(each.name, each.colour) for each in planned.classes] == [("ground", (128, 64, 18)), ("rest", (0, 0, 230))]
    assert planned.image_size == (1, 1)


def digests(fingerprint="1:1", **changes):
    return plan(Scenes({"a": scene(None), "b": scene(None)}, {"a": fingerprint, "b": "1:1"}), **changes).digests


def test_digest_follows_what_shapes_the_pixels(monkeypatch):
    before = digests()
    assert digests() == before
    assert digests("1:2")["a"] != before["a"]
    assert digests("1:2")["b"] == before["b"]
    assert digests(size=(1, 2))["a"] != before["a"]
    assert digests(space=label_space(void=["blur", "moon"]))["a"] != before["a"]
    assert digests(unknown_label="void")["a"] != before["a"]
    assert digests(workers=2, unusable_share=1.0) == before
    monkeypatch.setattr(preprocessing, "PREPARATION_VERSION", preprocessing.PREPARATION_VERSION + 1)
    assert digests()["a"] != before["a"]


def test_digest_does_not_follow_colours():
    recoloured = [each | {"colour": [1, 2, 3]} for each in CLASSES]
    assert digests(space=label_space(classes=recoloured)) == digests()


@pytest.mark.parametrize("size", [[240], [240, 480, 3], [0, 480], [240, -1], 240, None])
def test_impossible_image_size_is_refused(size):
    with pytest.raises(ValidationError):
        options(size)


def test_image_size_from_yaml_is_a_list():
    assert options([15, 7]).image_size == (15, 7)


@pytest.mark.parametrize(
    "changes", [{"unknown_label": "warn"}, {"unusable_share": -0.1}, {"unusable_share": 1.1}, {"workers": 0}]
)
def test_impossible_options_are_refused(changes):
    with pytest.raises(ValidationError):
        options(**changes)


def truth(raw_scenes, name="a", space=None, classes=("ground", "rest")):
    space = space or label_space()
    given = [SegmentationClass(name=each, colour=(0, 0, 0)) for each in classes]
    return read_truth(name, raw_scenes, space, given)


def test_truth_is_as_large_as_it_was_annotated_and_in_class_ids():
    raw_scenes = Scenes({"a": scene([[0, 1, 2], [3, 99, 0]])})  # road, sky, blur; moon, no name, road
    np.testing.assert_array_equal(truth(raw_scenes), [[0, 1, 255], [255, 255, 0]])


def test_truth_of_a_scene_that_is_gone_or_has_no_labels_is_refused_by_name():
    with pytest.raises(ValueError, match="scene 'b' was prepared, but is no longer among the 1 raw scenes"):
        truth(Scenes({"a": scene(None)}), "b")
    with pytest.raises(ValueError, match="scene 'a' has no labels to score against"):
        truth(Scenes({"a": scene(None)}))


def test_label_space_that_has_changed_since_is_refused():
    with pytest.raises(ValueError, match=r"has the classes \['ground', 'rest'\], the prepared .*\['rest'\]"):
        truth(Scenes({"a": scene(None)}), classes=["rest"])


def test_a_scene_is_read_at_another_size_than_it_was_prepared():
    # Blocks of 2 x 2 equal pixels, so half the size is worked by hand.
    ids = np.repeat(np.repeat([[0, 1], [2, 3]], 2, axis=0), 2, axis=1)  # road, sky; blur, moon
    image = np.repeat(np.uint8(50 * ids)[:, :, None], 3, axis=2)
    raw_scenes = Scenes({"a": replace(scene(ids), image=image, size=(4, 4))})
    classes = [SegmentationClass(name=each, colour=(0, 0, 0)) for each in ("ground", "rest")]
    found, label_map = read_pair("a", raw_scenes, label_space(), classes, (2, 2))
    assert found[:, :, 0].tolist() == [[0, 50], [100, 150]]
    assert label_map.tolist() == [[0, 1], [255, 255]]
