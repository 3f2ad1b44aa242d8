import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import tensorflow as tf

from roadseg.segnet import class_borders
from roadseg.segnet.class_borders import choose_label_map
from roadseg.segnet.segmentation import Segmentation


def choose_plainly(logits, size):
    """Returns the classes of TensorFlow's resized logits, with the ties that NumPy gives to the first."""
    return tf.image.resize(logits[None], size).numpy()[0].argmax(axis=-1)


def noise(size, classes, seed=0):
    return np.random.default_rng(seed).normal(size=(*size, classes)).astype(np.float32)


def smooth(size, classes):
    return np.stack([cv2.GaussianBlur(each, (0, 0), 2) for each in np.moveaxis(noise(size, classes), -1, 0)], axis=-1)


def tied(size, classes):
    """Blocks of few values, so that classes are equal at corners, along edges and in whole cells."""
    values = np.random.default_rng(0).integers(0, 3, (*(-(-each // 3) for each in size), classes))
    return np.repeat(np.repeat(values, 3, 0), 3, 1)[: size[0], : size[1]].astype(np.float32) / 3


def nearly_tied(size, classes):
    """The same, but for the last bits."""
    return tied(size, classes) + noise(size, classes) * np.float32(1e-7)


def bits_apart(size, classes):
    """Each class is higher than the one before by the last bit, at every pixel: rounding gives ties and more."""
    lowest = noise(size, 1)
    return (lowest.view(np.int32) + np.arange(classes, dtype=np.int32) * np.sign(lowest).astype(np.int32)).view("f4")


def constant(size, classes):
    return np.broadcast_to(np.arange(classes, dtype=np.float32), (*size, classes))


def one_value(size, classes):
    return np.full((*size, classes), 0.3, np.float32)


SIZES = [
    ((9, 12), (37, 50)),  # no whole factor
    ((9, 12), (27, 36)),  # every third pixel lies on one of the network
    ((9, 12), (36, 48)),
    ((9, 12), (9, 13)),
    ((9, 12), (10, 12)),
    ((7, 5), (301, 11)),
    ((1, 1), (20, 31)),
    ((1, 9), (50, 60)),
    ((15, 20), (16, 21)),  # some cells have no pixel
    ((33, 57), (271, 481)),
]


@pytest.fixture
def only_fast(monkeypatch):
    """Looks at candidates however many there are, and nowhere at all logits."""
    monkeypatch.setattr(class_borders, "MOST", 1.0)
    monkeypatch.setattr(class_borders, "choose_class", None)


@pytest.mark.usefixtures("only_fast")
@pytest.mark.parametrize("classes", [2, 7, 66])
@pytest.mark.parametrize("draw", [noise, smooth, tied, nearly_tied, bits_apart, constant, one_value])
def test_classes_are_those_of_the_resized_logits(draw, classes):
    for network_size, size in SIZES:
        logits = draw(network_size, classes)
        chosen = choose_label_map(logits, size)
        np.testing.assert_array_equal(chosen, choose_plainly(logits, size), err_msg=f"{network_size} {size}")
        assert (chosen.dtype, chosen.shape) == (np.uint8, size)


@pytest.mark.usefixtures("only_fast")
@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_small_and_large_logits_are_compared_as_others(factor):
    logits = noise((9, 12), 5) * np.float32(factor)
    np.testing.assert_array_equal(choose_label_map(logits, (50, 70)), choose_plainly(logits, (50, 70)))


@pytest.mark.usefixtures("only_fast")
def test_a_class_that_is_nowhere_first_on_the_network_s_pixels_can_be_between_them():
    logits = np.float32([[[5, 0, 3.5], [0, 5, 3.5]]])
    assert choose_label_map(logits, (1, 8)).tolist() == [[0, 0, 0, 2, 2, 1, 1, 1]]


@pytest.mark.usefixtures("only_fast")
def test_pixels_are_resized_chunk_by_chunk(monkeypatch):
    logits = smooth((20, 30), 7)
    for chunk in (1, 100, 1000):
        monkeypatch.setattr(class_borders, "CHUNK", chunk)
        np.testing.assert_array_equal(choose_label_map(logits, (97, 201)), choose_plainly(logits, (97, 201)))


@pytest.mark.usefixtures("only_fast")
@pytest.mark.parametrize("size", [(8, 30), (30, 11), (4, 5), (1, 1)])
def test_where_the_image_is_smaller_all_logits_are_resized_and_nothing_is_compiled_for_the_size(size):
    logits = smooth((9, 12), 7)
    np.testing.assert_array_equal(choose_label_map(logits, size), choose_plainly(logits, size))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_left_to_the_plain_way(monkeypatch, value):
    logits = smooth((9, 12), 7)
    logits[4, 4, 3] = value
    monkeypatch.setattr(class_borders, "choose_class", lambda *_: ["plain"])
    assert choose_label_map(logits, (40, 50)) == "plain"


def test_where_classes_meet_everywhere_all_logits_are_resized(monkeypatch):
    monkeypatch.setattr(class_borders, "choose_class", lambda *_: ["plain"])
    assert choose_label_map(noise((30, 40), 7), (120, 160)) == "plain"
    assert choose_label_map(smooth((30, 40), 7), (120, 160)).shape == (120, 160)


def test_a_large_picture_takes_no_copy_of_its_logits():
    logits, size = smooth((135, 240), 7), (1080, 1920)
    tracemalloc.start()
    choose_label_map(logits, size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 7 * 1080 * 1920 / 4


def test_several_threads_choose_at_once():
    found = [Segmentation(smooth((30, 40), 7) + noise((30, 40), 7, seed) / 9, (211, 333)) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        label_maps = list(pool.map(lambda each: each.label_map, found))
    for each, label_map in zip(found, label_maps, strict=True):
        np.testing.assert_array_equal(label_map, choose_plainly(each.logits, each.size))


@pytest.mark.parametrize("confidence_first", [True, False])
def test_a_segmentation_has_the_same_classes_with_and_without_confidences(confidence_first):
    found = Segmentation(smooth((30, 40), 7), (211, 333))
    assert not confidence_first or found.confidence.shape == found.size
    np.testing.assert_array_equal(found.label_map, choose_plainly(found.logits, found.size))
