import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from scipy.special import softmax

from model_records import model_record
from roadseg.errors import InputError
from roadseg.segnet.dropout_samples import DropoutSamples
from roadseg.segnet.layers import BatchNormalization, MaxPoolingWithIndices2D, MaxUnpooling2D
from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

SIZE = (18, 24)
CLASSES = ["red", "green", "blue"]
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3), np.uint8)


def train(dropout, temperature=None):
    """Returns a small SegNet whose norm has seen something."""
    keras.utils.set_random_seed(3)
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 256)(images)
    x = BatchNormalization()(keras.layers.Conv2D(8, 3, padding="same")(x))
    x, indices = MaxPoolingWithIndices2D()(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = keras.layers.Dropout(dropout)(MaxUnpooling2D(SIZE)(x, indices))
    network = keras.Model(images, keras.layers.Conv2D(3, 3, padding="same", dtype="float32", name="logits")(x))
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            layer.set_weights([np.random.default_rng(0).uniform(0.5, 2, each.shape) for each in layer.get_weights()])
    return TrainedSegNet(network, model_record(classes=CLASSES, image_size=SIZE, temperature=temperature))


@pytest.fixture(scope="module")
def trained():
    return train(0.5)


def sample(trained, images=IMAGES, batch_size=5, **options):
    return list(Predictor(trained, batch_size=batch_size, **options).predict_each(images))


@pytest.fixture(scope="module")
def found(trained):
    return sample(trained, samples=4, seed=7)


def stack(found, name):
    return np.stack([getattr(each, name) for each in found])


def one_layer(rate, then=None):
    """Returns a network whose logits are its images, of which it drops some, times 1 / 256."""
    images = keras.Input((*SIZE, 3))
    dropped = keras.layers.Dropout(rate)(keras.layers.Rescaling(1 / 256)(images))
    return keras.Model(images, then(dropped) if then else dropped)


def test_mean_and_variance_are_those_of_the_softmaxes_of_the_draws(monkeypatch):
    draws = []
    samples = DropoutSamples(one_layer(0.5), 6, 1, temperature=2.0)
    draw = samples._draw
    monkeypatch.setattr(samples, "_draw", lambda *given: draws.append(draw(*given)) or draws[-1])
    logits, variance = samples.predict(IMAGES)
    assert len(draws) == 6
    for each in draws:
        assert {*np.unique(np.round(np.log(each[..., :1] / each) * 2 * 256) % 2)} == {0}  # dropped, or doubled
    drawn = np.stack(draws).astype(np.float64)
    np.testing.assert_allclose(softmax(logits, axis=-1), drawn.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, drawn.var(axis=0).mean(axis=-1), rtol=1e-4, atol=1e-8)
    assert (logits.dtype, variance.dtype) == (np.float32, np.float32)


def test_half_of_the_activations_are_dropped_and_the_others_doubled():
    samples = DropoutSamples(one_layer(0.5), 1, 1, temperature=1.0)
    white = np.full((2, *SIZE, 3), 128, np.uint8)
    logits, variance = samples.predict(white)
    ratios = np.exp(logits[..., 0] - logits[..., 1])  # of e^0 and e^1
    seen = np.unique(np.round(ratios, 3))
    np.testing.assert_allclose(seen, np.round([np.exp(-1), 1, np.e], 3))
    assert 0.4 < (ratios == 1).mean() < 0.6
    assert not variance.any()
    np.testing.assert_array_equal(logits[0], logits[1])


def test_more_samples_come_closer_to_the_mean_over_all():
    white = np.full((1, *SIZE, 3), 128, np.uint8)
    each = softmax(np.array([[first, second, third] for first in (0, 1) for second in (0, 1) for third in (0, 1)]), 1)
    logits, variance = DropoutSamples(one_layer(0.5), 200, 1, temperature=1.0).predict(white)
    np.testing.assert_allclose(softmax(logits, axis=-1).mean(axis=(0, 1, 2)), each.mean(axis=0), atol=5e-3)
    np.testing.assert_allclose(variance.mean(), each.var(axis=0).mean(), rtol=0.02)


def test_equal_seeds_give_equal_maps_and_others_do_not(trained, found):
    again, other = sample(trained, samples=4, seed=7), sample(trained, samples=4, seed=8)
    for name in ("logits", "variance", "label_map", "entropy"):
        np.testing.assert_array_equal(stack(again, name), stack(found, name))
    assert np.abs(stack(other, "logits") - stack(found, "logits")).max() > 1e-3
    assert stack(found, "variance").mean() > 1e-5


def test_what_is_said_of_an_image_does_not_depend_on_its_batch(trained, found):
    for batch_size, order in ((5, [4, 2, 0, 1, 3]), (2, [0, 1, 2, 3, 4])):
        others = sample(trained, IMAGES[order], batch_size, samples=4, seed=7)
        np.testing.assert_allclose(stack(others, "logits"), stack(found, "logits")[order], atol=1e-5)
        np.testing.assert_allclose(stack(others, "variance"), stack(found, "variance")[order], atol=1e-7)


def test_batch_norms_do_not_measure_the_batch_while_dropout_drops():
    """Without folding: no convolution stands before this norm."""
    norm = BatchNormalization()
    network = one_layer(1e-9, norm)
    norm.set_weights([np.full(3, 2.0), np.full(3, 1.0), np.full(3, 0.25), np.full(3, 4.0)])
    logits, _ = DropoutSamples(network, 2, 0, temperature=1.0).predict(IMAGES)
    expected = (IMAGES / 256 - 0.25) / np.sqrt(4 + norm.epsilon) * 2 + 1
    np.testing.assert_allclose(softmax(logits, axis=-1), softmax(expected, axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(norm.get_weights()[2], np.full(3, 0.25))


def test_what_comes_before_the_first_dropout_is_computed_once():
    options = NetworkOptions(
        architecture="segnet_basic", start="random", width=0.125, dropout=0.5, batch_norm_momentum=0.9
    )
    network = build_network(SIZE, 3, options)
    samples = DropoutSamples(network, 3, 0, temperature=1.0)
    once, often = ({layer.name for layer in each.layers} for each in (samples._once, samples._often))
    assert {"encoder1_conv1", "encoder3_conv1", "encoder3_pool"} <= once
    assert {"encoder3_dropout", "encoder4_conv1", "decoder3_dropout", "classifier"} <= often
    assert not once & often & {layer.name for layer in network.layers if layer.weights}


def test_with_next_to_no_dropout_samples_say_what_the_network_says_without():
    trained = train(1e-7, temperature=3.0)
    for plain, found in zip(sample(trained), sample(trained, samples=3), strict=True):
        np.testing.assert_allclose(found.confidence, plain.confidence, rtol=1e-4)
        np.testing.assert_allclose(found.entropy, plain.entropy, rtol=1e-4)
        np.testing.assert_allclose(found.variance, 0, atol=1e-9)
        assert plain.variance is None


def test_the_network_of_the_model_predicts_as_before(trained):
    before = trained.network.predict_on_batch(IMAGES)
    DropoutSamples(trained.network, 2, 0, temperature=1.0).predict(IMAGES)
    np.testing.assert_array_equal(trained.network.predict_on_batch(IMAGES), before)


def test_bfloat16_drops_the_same_as_float32(trained, found):
    rough = sample(trained, samples=4, seed=7, precision="bfloat16")
    assert np.abs(stack(rough, "confidence") - stack(found, "confidence")).mean() < 0.005


@pytest.mark.parametrize("network", [one_layer(0.0), train(0.0).network])
def test_a_network_without_dropout_is_refused(network):
    model = TrainedSegNet(network, model_record(classes=CLASSES, image_size=SIZE))
    sentence = (
        r"^samples: expected 0, as the model was trained without dropout \(network.dropout is 0\) .* received 20$"
    )
    with pytest.raises(InputError, match=sentence):
        Predictor(model, samples=20)


@pytest.mark.slow
def test_on_jax_too_seeds_repeat_maps():
    names = ["equal_seeds_give", "mean_and_variance", "half_of"]
    command = [sys.executable, "-m", "pytest", "-n0", "-q", __file__, "-k", " or ".join(names)]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout
