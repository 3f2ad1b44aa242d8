import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from roadseg.segnet import layers
from roadseg.segnet.layers import BatchNormalization, MaxPoolingWithIndices2D, MaxUnpooling2D
from segnet.pooling import SIZES, images_with_ties, numpy_pool, numpy_unpool


def test_pooling_of_a_window_worked_by_hand():
    image = np.array([[-1, -2, 7, 7, 0], [-4, -1, 7, 9, 4], [0, 0, 3, 8, -6]], "float32")
    maxima, indices = MaxPoolingWithIndices2D()(image.reshape(1, 3, 5, 1))
    assert np.squeeze(maxima).tolist() == [[-1, 9, 4], [0, 8, -6]]
    assert np.squeeze(indices).tolist() == [[0, 3, 2], [0, 1, 0]]


@pytest.mark.parametrize("size", SIZES)
def test_pooling_agrees_with_numpy(size):
    x = images_with_ties(size)
    maxima, indices = MaxPoolingWithIndices2D()(x)
    expected_maxima, expected_indices = numpy_pool(x)
    np.testing.assert_array_equal(maxima, expected_maxima)
    np.testing.assert_array_equal(indices, expected_indices)
    assert keras.backend.standardize_dtype(indices.dtype) == "uint8"


@pytest.mark.parametrize("size", SIZES)
def test_unpooling_agrees_with_numpy(size):
    maxima, indices = numpy_pool(images_with_ties(size))
    unpooled = MaxUnpooling2D(size)(maxima, indices)
    np.testing.assert_array_equal(unpooled, numpy_unpool(maxima, indices, size))


@pytest.mark.parametrize("size", SIZES)
def test_pooling_an_unpooled_map_gives_it_back(size):
    values = np.random.default_rng(2).uniform(1, 2, (2, -(-size[0] // 2), -(-size[1] // 2), 4)).astype("float32")
    _, indices = numpy_pool(images_with_ties(size, batch=2, channels=4))
    maxima, found = MaxPoolingWithIndices2D()(MaxUnpooling2D(size)(values, indices))
    np.testing.assert_array_equal(maxima, values)
    np.testing.assert_array_equal(found, indices)


@pytest.mark.parametrize("size", SIZES)
def test_gradient_of_pooling_goes_to_the_first_maximum(size):
    x = tf.constant(images_with_ties(size))
    weights = np.random.default_rng(3).normal(size=numpy_pool(x.numpy())[0].shape).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weights * MaxPoolingWithIndices2D()(x)[0])
    expected = numpy_unpool(weights, numpy_pool(x.numpy())[1], size)
    np.testing.assert_array_equal(tape.gradient(loss, x), expected)


@pytest.mark.parametrize("size", SIZES)
def test_gradient_of_unpooling_comes_from_the_recorded_positions(size):
    maxima, indices = numpy_pool(images_with_ties(size))
    values = tf.constant(maxima)
    weights = np.random.default_rng(4).normal(size=(3, *size, 5)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(weights * MaxUnpooling2D(size)(values, indices))
    marked = numpy_unpool(np.ones_like(maxima), indices, size) * weights
    expected = np.add.reduceat(np.add.reduceat(marked, range(0, size[0], 2), 1), range(0, size[1], 2), 2)
    np.testing.assert_array_equal(tape.gradient(loss, values), expected)


def test_unpooling_refuses_a_map_of_another_size():
    with pytest.raises(ValueError, match=r"output_size \(15, 30\) is unpooled from \(8, 15\)"):
        MaxUnpooling2D((15, 30))(np.zeros((1, 7, 15, 1), "float32"), np.zeros((1, 7, 15, 1), "uint8"))


@pytest.mark.parametrize(
    "layer",
    [
        MaxPoolingWithIndices2D(name="pool"),
        MaxUnpooling2D((15, 30), name="unpool"),
        BatchNormalization(momentum=0.8, epsilon=0.01, name="norm"),
    ],
)
def test_layers_survive_their_configuration(layer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()


def pool_unpool_model():
    images = keras.Input((15, 6, 2))
    x = BatchNormalization()(images)
    x, indices = MaxPoolingWithIndices2D()(x)
    return keras.Model(images, MaxUnpooling2D((15, 6))(x, indices))


def test_model_predicts_the_same_in_another_process(tmp_path):
    model = pool_unpool_model()
    x = images_with_ties((15, 6), batch=3, channels=2)
    model.compile("sgd", "mse")
    model.train_on_batch(x, x)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    program = (
        "import sys, keras, numpy; import roadseg.segnet.layers; folder = sys.argv[1]; "
        "model = keras.saving.load_model(folder + '/model.keras'); "
        "numpy.save(folder + '/y.npy', model.predict(numpy.load(folder + '/x.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(x, verbose=0))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_model_trains_compiled_whole_and_not(jit_compile):
    model = pool_unpool_model()
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = images_with_ties((15, 6), batch=5, channels=2)
    losses = model.fit(x, x, batch_size=2, epochs=3, verbose=0).history["loss"]  # the last batch has one image
    assert losses[2] < losses[0]


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def norms(request):
    """Keras' layer and ours with the same weights, none of them at its initial value."""
    generator = np.random.default_rng(8)
    arguments = {"momentum": 0.7, "epsilon": 0.01, "dtype": request.param}
    layers = [keras.layers.BatchNormalization(**arguments), BatchNormalization(**arguments)]
    weights = [generator.uniform(0.5, 2, 4).astype("float32") for _ in range(4)]
    for layer in layers:
        layer.build((None, 5, 3, 4))
        layer.set_weights(weights)
    return layers


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_agrees_with_keras(norms, training):
    generator = np.random.default_rng(9)
    x = tf.constant(generator.normal(3, 2, (2, 5, 3, 4)).astype("float32"))
    weights = generator.normal(size=x.shape).astype("float32")
    results = []
    for layer in norms:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=training)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * weights)
        gradients = tape.gradient(loss, [x, layer.gamma, layer.beta])
        results.append([tf.cast(outputs, "float32"), *gradients, layer.moving_mean.value, layer.moving_variance.value])
    rough = norms[0].compute_dtype == "bfloat16"
    for number, (expected, received) in enumerate(zip(*results, strict=True)):
        statistics = number > 3
        tolerance = 0.05 if rough and not statistics else 1e-4
        np.testing.assert_allclose(received, expected, rtol=tolerance, atol=tolerance)
    assert keras.backend.standardize_dtype(outputs.dtype) == norms[0].compute_dtype


def test_frozen_batch_norm_uses_and_keeps_its_moving_statistics(norms):
    x = np.random.default_rng(10).normal(3, 2, (2, 5, 3, 4)).astype("float32")
    ours = norms[1]
    ours.trainable = False
    before = [np.array(weight) for weight in ours.get_weights()]
    np.testing.assert_array_equal(tf.cast(ours(x, training=True), "float32"), tf.cast(ours(x), "float32"))
    np.testing.assert_array_equal(before, ours.get_weights())


def test_moving_variance_is_the_biased_one():
    layer = BatchNormalization(momentum=0.0)
    layer(np.array([0.0, 2.0], "float32").reshape(1, 1, 2, 1), training=True)
    assert float(layer.moving_mean[0]) == 1
    assert float(layer.moving_variance[0]) == 1  # the unbiased one is 2


def test_batch_norm_is_synchronized_where_devices_share_a_batch_and_its_configuration_says_nothing_of_it(monkeypatch):
    monkeypatch.setattr(layers, "count_replicas", lambda: 2)
    layer = BatchNormalization()
    layer.build((None, 5, 3, 4))
    assert layer.synchronized
    assert layer.get_config() == BatchNormalization(name=layer.name).get_config()
    assert layer.get_config()["synchronized"] is False


def test_batch_norm_of_vectors_is_that_of_keras():
    x = np.random.default_rng(11).normal(3, 2, (6, 4)).astype("float32")
    expected = keras.layers.BatchNormalization()(x, training=True)
    np.testing.assert_array_equal(BatchNormalization()(x, training=True), expected)
