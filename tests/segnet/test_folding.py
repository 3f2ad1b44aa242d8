import keras
import numpy as np
import pytest

from roadseg.segnet.folding import fold_batch_norms
from segnet.small_networks import small_segnet

SIZE = (35, 50)


@pytest.fixture
def float64():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(before)


def batch():
    return np.random.default_rng(1).integers(0, 256, (2, *SIZE, 3), dtype="uint8")


def one_convolution(*, use_bias):
    pixels = keras.Input((1, 1, 1))
    x = keras.layers.Conv2D(1, 1, use_bias=use_bias, name="conv")(pixels)
    x = keras.layers.BatchNormalization(epsilon=0.25, name="norm")(x)
    network = keras.Model(pixels, keras.layers.ReLU()(x))
    network.get_layer("conv").set_weights([np.array([[[[2.0]]]]), *([np.array([1.0])] if use_bias else [])])
    network.get_layer("norm").set_weights([np.array([each]) for each in (3.0, 0.5, 4.0, 0.75)])
    return network


@pytest.mark.parametrize(("use_bias", "bias"), [(True, -8.5), (False, -11.5)])
def test_weights_worked_by_hand(use_bias, bias):
    # gamma 3 over the root of 0.75 + 0.25 is 3; 2 * 3 = 6; (1 - 4) * 3 + 0.5 = -8.5, without the bias (0 - 4) * 3 + 0.5
    folded = fold_batch_norms(one_convolution(use_bias=use_bias))
    assert [float(np.squeeze(each)) for each in folded.get_layer("conv").get_weights()] == [6, bias]


@pytest.mark.parametrize(("architecture", "dropout"), [("segnet", 0.0), ("segnet", 0.5), ("segnet_basic", 0.0)])
def test_logits_are_those_of_the_network(float64, architecture, dropout):
    network = small_segnet(SIZE, architecture, dropout=dropout)
    expected = network.predict_on_batch(batch())
    assert np.ptp(expected) > 1
    folded = fold_batch_norms(network)
    np.testing.assert_allclose(folded.predict_on_batch(batch()), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(network.predict_on_batch(batch()), expected)


def test_no_batch_norm_is_left_and_nothing_else_is_lost():
    network = small_segnet(SIZE)
    folded = fold_batch_norms(network)
    kept = [each.name for each in network.layers if not isinstance(each, keras.layers.BatchNormalization)]
    assert [each.name for each in folded.layers] == kept
    assert folded.get_layer("encoder1_conv1").dtype_policy == network.get_layer("encoder1_conv1").dtype_policy


def test_bfloat16_is_as_near_to_float32_as_without_folding():
    exact = small_segnet(SIZE)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = small_segnet(SIZE)
    finally:
        keras.config.set_dtype_policy("float32")
    expected = exact.predict_on_batch(batch())
    errors = [np.abs(each.predict_on_batch(batch()) - expected).mean() for each in (network, fold_batch_norms(network))]
    assert 0 < errors[1] < 1.5 * errors[0]


def test_a_batch_norm_that_follows_no_convolution_stays():
    pixels = keras.Input((2, 2, 1))
    network = keras.Model(pixels, keras.layers.BatchNormalization()(keras.layers.ReLU()(pixels)))
    assert fold_batch_norms(network) is network


def small_convolution(name, **options):
    return keras.layers.Conv2D(3, 1, name=name, bias_initializer="ones", **options)


def norm(name, **options):
    return keras.layers.BatchNormalization(
        beta_initializer="ones", moving_mean_initializer="ones", epsilon=0.25, name=name, **options
    )


def followed_by_a_branch(x):
    x = small_convolution("conv")(x)
    return norm("norm")(x) + keras.layers.ReLU()(x)


def followed_by_a_branch_of_operations(x):
    x = small_convolution("conv")(x)
    return norm("norm")(x) * keras.ops.abs(x)


def returned_as_well(x):
    x = small_convolution("conv")(x)
    return [norm("norm")(x), x]


def followed_by_two_norms(x):
    x = small_convolution("conv")(x)
    return norm("norm")(x) + norm("other_norm")(x)


def followed_by_something_else(x):
    return norm("norm")(keras.layers.ReLU()(small_convolution("conv")(x)))


def beside_in_the_list_alone(x):
    return small_convolution("conv")(x) + norm("norm")(x)


def with_an_activation(x):
    return norm("norm")(small_convolution("conv", activation="relu")(x))


def without_a_scale(x):
    return norm("norm", scale=False)(small_convolution("conv")(x))


def shared_convolution(x):
    shared = small_convolution("conv")
    return norm("norm")(shared(x)) + norm("other_norm")(shared(2 * x))


def shared_norm(x):
    shared = norm("norm")
    return shared(small_convolution("conv")(x)) + shared(small_convolution("other_conv")(x))


@pytest.mark.parametrize(
    "branches",
    [
        followed_by_a_branch,
        followed_by_a_branch_of_operations,
        returned_as_well,
        followed_by_two_norms,
        followed_by_something_else,
        beside_in_the_list_alone,
        with_an_activation,
        without_a_scale,
        shared_convolution,
        shared_norm,
    ],
)
@pytest.mark.parametrize("policy", [None, "float32"])
def test_norm_that_does_not_alone_follow_its_own_convolution_stays(branches, policy):
    keras.utils.set_random_seed(0)
    images = keras.Input((4, 5, 3), name="images")
    x = norm("folded_norm")(small_convolution("folded_conv")(images))
    network = keras.Model(images, branches(x))
    folded = fold_batch_norms(network, policy)
    assert {each.name for each in network.layers} - {each.name for each in folded.layers} == {"folded_norm"}
    pixels = np.random.default_rng(0).normal(size=(2, 4, 5, 3))
    expected, received = (keras.tree.flatten(each.predict_on_batch(pixels)) for each in (network, folded))
    for a, b in zip(expected, received, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


def test_two_convolutions_with_norms_in_two_branches_are_folded():
    images = keras.Input((4, 5, 3))
    branches = [norm(f"norm{each}")(small_convolution(f"conv{each}")(images)) for each in (1, 2)]
    folded = fold_batch_norms(keras.Model(images, keras.layers.Add(name="sum")(branches)))
    assert [each.name for each in folded.layers[1:]] == ["conv1", "conv2", "sum"]


def test_network_of_one_policy_predicts_with_another():
    exact = small_segnet(SIZE)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        rough = small_segnet(SIZE)
    finally:
        keras.config.set_dtype_policy("float32")
    for network, policy, equal in ((rough, "float32", exact), (exact, "mixed_bfloat16", rough)):
        folded = fold_batch_norms(network, policy)
        expected = fold_batch_norms(equal)
        assert [each.dtype_policy.name for each in folded.layers] == [
            each.dtype_policy.name for each in expected.layers
        ]
        np.testing.assert_array_equal(folded.predict_on_batch(batch()), expected.predict_on_batch(batch()))
