import inspect
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from roadseg.training.fit import _class_weights
from roadseg.training.losses import LossOptions, MaskedCrossentropy, choose_loss, median_frequency_weights
from training.options import train_options

WEIGHTS = [1.0, 3.0, 0.5, 2.0]
OPTIONS = train_options().loss.model_dump()


def numpy_loss(labels, logits, gamma=0.0, weights=(1.0, 1.0, 1.0, 1.0)):
    """Focal loss in float64, pixel by pixel; cross-entropy where gamma is 0."""
    terms, total = [], 0
    for place in np.ndindex(*labels.shape):
        if labels[place] != 255:
            row = logits[place].astype("float64")
            crossentropy = np.log(np.exp(row - row.max()).sum()) + row.max() - row[labels[place]]
            weight = weights[labels[place]]
            terms.append(weight * crossentropy * (1 - np.exp(-crossentropy)) ** gamma)
            total += weight
    return np.sum(terms) / total


def numpy_dice_loss(labels, logits):
    """Mean soft Dice loss in float64 of the classes that occur, from lists of the pixels that are not void."""
    rows = logits[labels != 255].astype("float64")
    probabilities = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
    truth = labels[labels != 255]
    losses = []
    for each in np.unique(truth):
        overlap = probabilities[truth == each, each].sum()
        losses.append(1 - 2 * overlap / (probabilities[:, each].sum() + (truth == each).sum()))
    return np.mean(losses)


LOSSES = {
    "crossentropy": (MaskedCrossentropy(), numpy_loss),
    "weighted": (MaskedCrossentropy(WEIGHTS), lambda *pair: numpy_loss(*pair, weights=WEIGHTS)),
    "focal_0.5": (MaskedCrossentropy(focal_gamma=0.5), lambda *pair: numpy_loss(*pair, gamma=0.5)),
    "focal_2": (
        MaskedCrossentropy(WEIGHTS, focal_gamma=2.0),
        lambda *pair: numpy_loss(*pair, gamma=2, weights=WEIGHTS),
    ),
    "dice": (
        MaskedCrossentropy(WEIGHTS, with_dice=True),
        lambda *pair: numpy_loss(*pair, weights=WEIGHTS) + numpy_dice_loss(*pair),
    ),
    "focal_2_dice": (
        MaskedCrossentropy(focal_gamma=2.0, with_dice=True),
        lambda *pair: numpy_loss(*pair, gamma=2) + numpy_dice_loss(*pair),
    ),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


def gradient_of(loss, labels, logits):
    logits = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = loss(labels, logits)
    return tape.gradient(value, logits).numpy()


def logits_of(probabilities):
    return np.log(np.array(probabilities, "float32"))


@pytest.fixture
def batch():
    """Two images, one with three void pixels, the other without."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, (2, 3, 5)).astype("uint8")
    labels[0, 0, :3] = 255
    return labels, (5 * generator.normal(size=(2, 3, 5, 4))).astype("float32")


def test_loss_of_two_pixels_worked_by_hand():
    labels = np.array([[[0, 1]]], "uint8")
    logits = np.log(np.array([[[[0.25, 0.75], [0.5, 0.5]]]], "float32"))
    assert float(MaskedCrossentropy()(labels, logits)) == pytest.approx((np.log(4) + np.log(2)) / 2)


@each_loss
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_loss_agrees_with_numpy(batch, name, dtype):
    labels, logits = batch
    loss, reference = LOSSES[name]
    assert float(loss(labels.astype(dtype), logits)) == pytest.approx(reference(labels, logits))


@each_loss
def test_gradient_agrees_with_differences(batch, name):
    labels, logits = batch
    loss, reference = LOSSES[name]
    gradient = gradient_of(loss, labels, logits)
    for place in [(0, 0, 0, 1), (0, 0, 3, 2), (0, 2, 4, 0), (1, 0, 0, 3), (1, 1, 2, labels[1, 1, 2])]:
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        difference = (reference(labels, logits + step) - reference(labels, logits - step)) / 2e-5
        assert gradient[place] == pytest.approx(difference, rel=1e-3, abs=1e-7)


@each_loss
def test_loss_of_a_batch_of_any_size_is_the_same(batch, name):
    labels, logits = batch
    loss, reference = LOSSES[name]
    shapes = [tf.TensorSpec((None, 3, 5), "uint8"), tf.TensorSpec((None, 3, 5, 4))]
    assert float(tf.function(loss, shapes)(labels, logits)) == pytest.approx(reference(labels, logits))


@each_loss
def test_two_images_have_the_loss_of_one_that_shows_both(batch, name):
    labels, logits = batch
    loss, _ = LOSSES[name]
    joined = float(loss(labels.reshape(1, 6, 5), logits.reshape(1, 6, 5, 4)))
    assert float(loss(labels, logits)) == pytest.approx(joined)


def test_each_image_weighs_by_its_valid_pixels(batch):
    labels, logits = batch
    losses = np.array(MaskedCrossentropy(reduction=None)(labels, logits))
    pixels = (labels != 255).sum(axis=(1, 2))
    own_means = [numpy_loss(labels[:1], logits[:1]), numpy_loss(labels[1:], logits[1:])]
    np.testing.assert_allclose(losses, own_means * pixels / pixels.mean(), rtol=1e-5)


def test_gradient_of_crossentropy_is_probability_minus_truth(batch):
    labels, logits = batch
    probabilities = tf.nn.softmax(logits).numpy()
    expected = (probabilities - np.eye(4)[np.where(labels == 255, 0, labels)]) * (labels != 255)[..., None]
    gradient = gradient_of(MaskedCrossentropy(), labels, logits)
    np.testing.assert_allclose(gradient, expected / (labels != 255).sum(), atol=1e-6)


@each_loss
@pytest.mark.parametrize("value", [1000, -1000])
def test_logits_of_void_pixels_have_no_influence_and_no_gradient(batch, name, value):
    labels, logits = batch
    loss, _ = LOSSES[name]
    changed = np.where((labels == 255)[..., None], value, logits).astype("float32")
    assert float(loss(labels, changed)) == float(loss(labels, logits))
    gradient = gradient_of(loss, labels, changed)
    assert not gradient[labels == 255].any()
    np.testing.assert_array_equal(gradient, gradient_of(loss, labels, logits))


@each_loss
def test_batch_of_void_only_has_loss_and_gradient_zero(batch, name):
    loss, _ = LOSSES[name]
    labels, logits = np.full_like(batch[0], 255), batch[1]
    assert float(loss(labels, logits)) == 0
    assert not gradient_of(loss, labels, logits).any()


@each_loss
def test_certain_and_right_pixels_have_loss_and_gradient_zero(batch, name):
    labels, _ = batch
    loss, _ = LOSSES[name]
    logits = np.where(labels[..., None] == np.arange(4), 80, -80).astype("float32")
    assert float(loss(labels, logits)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(gradient_of(loss, labels, logits), 0, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_certain_and_wrong_pixels_have_the_focal_loss_of_crossentropy(gamma):
    labels, logits = np.array([[[1]]], "uint8"), np.array([[[[80.0, -80.0]]]], "float32")
    assert float(MaskedCrossentropy(focal_gamma=gamma)(labels, logits)) == 160
    np.testing.assert_array_equal(gradient_of(MaskedCrossentropy(focal_gamma=gamma), labels, logits), [[[[1, -1]]]])


def test_large_logits_do_not_overflow():
    labels = np.array([[[1]]], "uint8")
    assert float(MaskedCrossentropy()(labels, np.array([[[[1e4, -1e4]]]], "float32"))) == 2e4


@pytest.mark.parametrize(
    "loss",
    [
        MaskedCrossentropy(name="pixels"),
        MaskedCrossentropy(WEIGHTS, reduction="sum"),
        MaskedCrossentropy(WEIGHTS, focal_gamma=0.5),
        MaskedCrossentropy(WEIGHTS, with_dice=True),
    ],
)
def test_loss_survives_its_configuration(loss, batch):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(copy) is type(loss)
    assert copy.get_config() == loss.get_config()
    assert float(type(loss).from_config(loss.get_config())(*batch)) == float(loss(*batch))


def test_the_configuration_of_a_loss_has_all_that_it_is_made_with():
    parameters = inspect.signature(MaskedCrossentropy.__init__).parameters.values()
    named = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD} - {"self"}
    assert named <= set(MaskedCrossentropy(WEIGHTS).get_config())


CHANGES = {
    "kind": ({}, {"kind": "crossentropy_dice"}),
    "focal_gamma": ({"kind": "focal"}, {"focal_gamma": 1.5}),
    "class_weights": ({}, {"class_weights": "median_frequency"}),
    "class_weight_limit": ({"class_weights": "median_frequency"}, {"class_weight_limit": 1.25}),
}
"""Name of an option -> options with which it has an effect, and another value of it."""


@pytest.mark.parametrize("name", LossOptions.model_fields)
def test_every_option_of_the_loss_changes_it(name, batch):
    given, change = CHANGES[name]
    assert set(change) == {name}
    pixels = np.array([[8, 4, 2, 1]])
    scenes = SimpleNamespace(count_pixels=lambda _: pixels, classes=[SimpleNamespace(name=str(id)) for id in range(4)])
    data = SimpleNamespace(scenes=scenes, train=["a"])
    plain, changed = (LossOptions(**{**OPTIONS, **given, **more}) for more in ({}, change))
    values = [float(choose_loss(each, _class_weights(data, each))(*batch)) for each in (plain, changed)]
    assert values[0] != values[1]


def test_weighted_loss_of_two_pixels_worked_by_hand():
    labels = np.array([[[0, 1]]], "uint8")
    logits = np.log(np.array([[[[0.25, 0.75], [0.5, 0.5]]]], "float32"))
    loss = MaskedCrossentropy(class_weights=[3.0, 1.0])
    assert float(loss(labels, logits)) == pytest.approx((3 * np.log(4) + np.log(2)) / 4)
    assert float(MaskedCrossentropy.from_config(loss.get_config())(labels, logits)) == float(loss(labels, logits))


def test_focal_loss_of_two_pixels_worked_by_hand():
    labels, logits = np.array([[[0, 1]]], "uint8"), logits_of([[[[0.25, 0.75], [0.5, 0.5]]]])
    assert float(MaskedCrossentropy(focal_gamma=2.0)(labels, logits)) == pytest.approx(
        (9 / 16 * np.log(4) + 1 / 4 * np.log(2)) / 2
    )
    weighted = MaskedCrossentropy([3.0, 1.0], focal_gamma=1.0)
    assert float(weighted(labels, logits)) == pytest.approx((3 * 3 / 4 * np.log(4) + 1 / 2 * np.log(2)) / 4)


def test_focal_loss_with_gamma_zero_is_crossentropy(batch):
    focal, crossentropy = MaskedCrossentropy(WEIGHTS, focal_gamma=0.0), MaskedCrossentropy(WEIGHTS)
    assert float(focal(*batch)) == float(crossentropy(*batch))
    np.testing.assert_array_equal(gradient_of(focal, *batch), gradient_of(crossentropy, *batch))


def test_dice_loss_of_two_pixels_worked_by_hand():
    labels, logits = np.array([[[0, 1]]], "uint8"), logits_of([[[[0.25, 0.75], [0.5, 0.5]]]])
    dice_loss = ((1 - 2 * 0.25 / (0.75 + 1)) + (1 - 2 * 0.5 / (1.25 + 1))) / 2
    crossentropy = (np.log(4) + np.log(2)) / 2
    assert float(MaskedCrossentropy(with_dice=True)(labels, logits)) == pytest.approx(crossentropy + dice_loss)
    weighted = (3 * np.log(4) + np.log(2)) / 4
    assert float(MaskedCrossentropy([3.0, 1.0], with_dice=True)(labels, logits)) == pytest.approx(weighted + dice_loss)


def test_classes_that_are_predicted_but_do_not_occur_have_no_dice_loss():
    labels, logits = np.array([[[1, 1]]], "uint8"), logits_of([[[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]]])
    assert float(MaskedCrossentropy(with_dice=True)(labels, logits)) == pytest.approx(
        np.log(4) + 1 - 2 * 0.5 / (0.5 + 2)
    )


def test_dice_loss_counts_a_class_over_all_images_and_is_the_same_for_each(batch):
    labels, logits = batch
    labels[1] = 2  # so that the classes differ between the images
    with_dice = np.array(MaskedCrossentropy(with_dice=True, reduction=None)(labels, logits))
    crossentropies = np.array(MaskedCrossentropy(reduction=None)(labels, logits))
    np.testing.assert_allclose(with_dice - crossentropies, numpy_dice_loss(labels, logits), rtol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    ("kind", "parts"),
    [("crossentropy", {}), ("crossentropy_dice", {"with_dice": True}), ("focal", {"focal_gamma": 1.5})],
)
def test_loss_has_the_parts_of_the_chosen_kind(kind, parts, weights):
    options = LossOptions(**{**OPTIONS, "kind": kind, "focal_gamma": 1.5})
    plain = {"focal_gamma": 0.0, "with_dice": False, "class_weights": weights}
    assert plain | parts == {name: choose_loss(options, weights).get_config()[name] for name in plain}


@pytest.mark.parametrize("room", ["segnet", "training"])
@pytest.mark.parametrize(
    ("name", "config", "parts"),
    [
        ("MaskedCrossentropy", {}, {}),
        ("MaskedFocal", {"gamma": 0.5}, {"focal_gamma": 0.5}),
        ("CrossentropyWithDice", {}, {"with_dice": True}),
    ],
)
def test_models_compiled_with_other_classes_have_the_same_loss(room, name, config, parts, batch):
    saved = {
        "module": None,
        "class_name": name,
        "config": {"name": "mine", "reduction": "sum_over_batch_size", "class_weights": WEIGHTS, **config},
        "registered_name": f"install roadseg, then import roadseg.{room}>{name}",
    }
    loss = keras.saving.deserialize_keras_object(saved)
    assert float(loss(*batch)) == float(MaskedCrossentropy(WEIGHTS, **parts)(*batch))
    assert loss.name == "mine"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "dice"},
        {"focal_gamma": -0.1},
        {"focal_gamma": float("inf")},
        {"class_weights": "inverse_frequency"},
        {"class_weight_limit": 0.0},
        {"class_weight_limit": float("inf")},
        {"gamma": 2.0},
    ],
)
def test_options_that_mean_nothing_are_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        LossOptions(**{**OPTIONS, **change})


def test_median_frequency_weights_worked_by_hand():
    # frequencies: 60/100, 60/200 (both scenes), 80/200; the median is 0.4
    pixels = np.array([[60, 20, 20], [0, 40, 60]])
    assert median_frequency_weights(pixels, limit=9.0) == pytest.approx([2 / 3, 4 / 3, 1])
    assert median_frequency_weights(pixels, limit=1.2) == pytest.approx([2 / 3, 1.2, 1])
    assert median_frequency_weights(pixels, limit=None) == pytest.approx([2 / 3, 4 / 3, 1])


def test_weights_without_limit_are_as_large_as_they_come():
    # frequencies: 0.2, 0.7998, 0.0002; the median is 0.2
    expected = pytest.approx([1, 0.2 / 0.7998, 1000])
    assert median_frequency_weights(np.array([[2000, 7998, 2]]), limit=None) == expected


@pytest.mark.parametrize(("limit", "expected"), [(5.0, 5.0), (1.5, 1.5), (None, 1.0)])
def test_a_class_without_pixels_gets_the_limit_or_one(limit, expected):
    weights = [2 / 3, expected, min(2.0, limit or 2.0)]
    assert median_frequency_weights(np.array([[30, 0, 10]]), limit) == pytest.approx(weights)
