import keras
import numpy as np
import pytest
import tensorflow as tf

from roadseg.segnet.losses import MaskedCrossentropy, median_frequency_weights


def numpy_loss(labels, logits):
    terms = []
    for place in np.ndindex(*labels.shape):
        if labels[place] != 255:
            row = logits[place].astype("float64")
            terms.append(np.log(np.exp(row - row.max()).sum()) + row.max() - row[labels[place]])
    return np.mean(terms)


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


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_loss_agrees_with_numpy(batch, dtype):
    labels, logits = batch
    assert float(MaskedCrossentropy()(labels.astype(dtype), logits)) == pytest.approx(numpy_loss(labels, logits))


def test_each_image_weighs_by_its_valid_pixels(batch):
    labels, logits = batch
    losses = np.array(MaskedCrossentropy(reduction=None)(labels, logits))
    pixels = (labels != 255).sum(axis=(1, 2))
    own_means = [numpy_loss(labels[:1], logits[:1]), numpy_loss(labels[1:], logits[1:])]
    np.testing.assert_allclose(losses, own_means * pixels / pixels.mean(), rtol=1e-5)


def test_logits_of_void_pixels_have_no_influence_and_no_gradient(batch):
    labels, logits = batch
    logits = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = MaskedCrossentropy()(labels, logits)
    gradient = tape.gradient(loss, logits).numpy()
    probabilities = tf.nn.softmax(logits).numpy()
    expected = (probabilities - np.eye(4)[np.where(labels == 255, 0, labels)]) * (labels != 255)[..., None]
    np.testing.assert_allclose(gradient, expected / (labels != 255).sum(), atol=1e-6)
    changed = np.where((labels == 255)[..., None], 1000, logits).astype("float32")
    assert float(MaskedCrossentropy()(labels, changed)) == float(loss)


def test_batch_of_void_only_has_loss_and_gradient_zero():
    logits = tf.Variable(np.ones((1, 2, 2, 3), "float32"))
    with tf.GradientTape() as tape:
        loss = MaskedCrossentropy()(np.full((1, 2, 2), 255, "uint8"), logits)
    assert float(loss) == 0
    assert not tape.gradient(loss, logits).numpy().any()


def test_large_logits_do_not_overflow():
    labels = np.array([[[1]]], "uint8")
    assert float(MaskedCrossentropy()(labels, np.array([[[[1e4, -1e4]]]], "float32"))) == 2e4


def test_loss_survives_its_configuration():
    loss = MaskedCrossentropy(name="pixels")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert isinstance(copy, MaskedCrossentropy)
    assert copy.get_config() == loss.get_config()


def test_weighted_loss_of_two_pixels_worked_by_hand():
    labels = np.array([[[0, 1]]], "uint8")
    logits = np.log(np.array([[[[0.25, 0.75], [0.5, 0.5]]]], "float32"))
    loss = MaskedCrossentropy(class_weights=[3.0, 1.0])
    assert float(loss(labels, logits)) == pytest.approx((3 * np.log(4) + np.log(2)) / 4)
    assert float(MaskedCrossentropy.from_config(loss.get_config())(labels, logits)) == float(loss(labels, logits))


def test_median_frequency_weights_worked_by_hand():
    # frequencies: 60/100, 60/200 (both scenes), 80/200; the median is 0.4
    pixels = np.array([[60, 20, 20], [0, 40, 60]])
    assert median_frequency_weights(pixels, limit=9.0) == [0.6667, 1.3333, 1.0]
    assert median_frequency_weights(pixels, limit=1.2) == [0.6667, 1.2, 1.0]


def test_a_class_without_pixels_gets_the_largest_weight():
    assert median_frequency_weights(np.array([[30, 0, 10]]), limit=5.0) == [0.6667, 5.0, 2.0]
