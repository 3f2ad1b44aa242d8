import keras
import numpy as np
import pytest
import tensorflow as tf

from roadseg.segnet.backend import without_xla
from roadseg.segnet.kernels import PLAIN_KERNELS, choose_kernels
from roadseg.segnet.layers import MaxPoolingWithIndices2D, MaxUnpooling2D
from segnet.pooling import SIZES, images_with_ties, numpy_pool


def pool_unpool_model():
    images = keras.Input((15, 6, 2))
    x, indices = MaxPoolingWithIndices2D()(images)
    return keras.Model(images, MaxUnpooling2D((15, 6))(x * 2, indices))


def count_xla_calls(function):
    """Returns how many calls of functions that XLA compiles a graph holds, those within its functions included."""
    graph = tf.function(function).get_concrete_function(tf.TensorSpec((None, 15, 6, 2))).graph.as_graph_def()
    inner = graph.library.function
    nodes = [*graph.node, *(node for each in inner for node in each.node_def)]
    return sum(each.attr["_XlaMustCompile"].b for each in [*nodes, *inner])


def test_one_process_computes_by_xla_and_without():
    model = pool_unpool_model()
    x = images_with_ties((15, 6), channels=2)
    compiled_by_xla = model.predict_on_batch(x)
    with without_xla():
        assert choose_kernels() is PLAIN_KERNELS
        plain = keras.Model(model.input, model.output).predict_on_batch(x)
        assert count_xla_calls(model) == 0
    np.testing.assert_array_equal(compiled_by_xla, plain)
    assert count_xla_calls(model) >= 2
    np.testing.assert_array_equal(pool_unpool_model().predict_on_batch(x), plain)


def test_kernels_are_made_once():
    kernels = choose_kernels()
    with without_xla():
        pass
    assert choose_kernels() is kernels is not PLAIN_KERNELS


@pytest.mark.parametrize("kernels", [choose_kernels(), PLAIN_KERNELS])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("value", [-1.0, "lowest", -np.inf])
def test_odd_edges_keep_the_position_of_a_pixel(kernels, dtype, value):
    lowest = tf.as_dtype(dtype).min
    x = np.full((1, 3, 5, 2), lowest if value == "lowest" else value, "float32")
    x[0, 2, 1, 1] = x[0, 0, 4, 1] = 0  # the second position of the last row, the first of the last column
    maxima, indices = kernels.pool(tf.cast(x, dtype))
    expected_maxima, expected_indices = numpy_pool(x)
    np.testing.assert_array_equal(tf.cast(maxima, "float32"), expected_maxima)
    np.testing.assert_array_equal(indices, expected_indices)
    assert expected_indices[0, 1].tolist() == [[0, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("size", SIZES)
def test_plain_pooling_makes_no_infinity_that_a_map_has_not(size):
    """Exported graphs multiply values by masks, and zero times infinity is NaN."""
    traced = tf.function(PLAIN_KERNELS.pool).get_concrete_function(tf.TensorSpec((1, *size, 2)))
    constants = [each.get_attr("value") for each in traced.graph.get_operations() if each.type == "Const"]
    floats = [tf.make_ndarray(each) for each in constants if each.dtype == tf.float32.as_datatype_enum]
    assert np.isfinite(np.concatenate([np.ravel(each) for each in [0.0, *floats]])).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_pooling_is_bit_equal_to_tensorflow(size, dtype):
    x = tf.cast(tf.nn.relu(np.random.default_rng(1).normal(size=(2, *size, 3))), dtype)
    height, width = size
    maxima, indices = choose_kernels().pool(x)
    # TensorFlow's kernel serves no bfloat16, and float32 holds all of its values.
    expected_maxima, flat = tf.nn.max_pool_with_argmax(tf.cast(x, "float32"), 2, 2, "SAME")
    y, z = flat.numpy() // 3 // width, flat.numpy() // 3 % width
    assert y.max() < height
    np.testing.assert_array_equal(tf.cast(maxima, "float32"), expected_maxima)
    np.testing.assert_array_equal(indices, 2 * (y % 2) + z % 2)


def test_gradients_agree_with_finite_differences():
    x = np.random.default_rng(5).permutation(2 * 5 * 3 * 2).reshape(2, 5, 3, 2).astype("float32")  # no ties
    weights = np.random.default_rng(6).normal(size=x.shape).astype("float32")

    def loss(x):
        maxima, indices = choose_kernels().pool(x)
        return tf.reduce_sum(weights * choose_kernels().unpool(maxima**2, indices, (5, 3)))

    theoretical, numerical = tf.test.compute_gradient(loss, [tf.constant(x / 10)], delta=2**-6)
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=0.05)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fast_kernels_equal_the_plain_ones(size, dtype):
    x = tf.cast(images_with_ties(size), dtype)
    weights = tf.cast(np.random.default_rng(7).normal(size=x.shape), dtype)
    results = []
    for kernels in (choose_kernels(), PLAIN_KERNELS):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            maxima, indices = kernels.pool(x)
            unpooled = kernels.unpool(maxima * maxima, indices, size)
            gathered = kernels.gather(unpooled * weights, indices)
            loss = tf.reduce_sum(tf.cast(gathered, "float32"))
        results.append([maxima, indices, unpooled, gathered, tape.gradient(loss, x)])
    for fast, plain in zip(*results, strict=True):
        np.testing.assert_array_equal(tf.cast(fast, "float32"), tf.cast(plain, "float32"))
