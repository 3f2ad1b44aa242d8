import math
import subprocess
import sys

import keras
import numpy as np
import pydantic
import pytest

from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.training.losses import MaskedCrossentropy
from roadseg.training.metric import RunningMeanIoU

PAPER = NetworkOptions(architecture="segnet", start="random", width=1.0, dropout=0.0, batch_norm_momentum=0.99)
NARROW = PAPER.model_copy(update={"width": 0.125, "batch_norm_momentum": 0.9})
BAYESIAN = NARROW.model_copy(update={"dropout": 0.5})


def basic(options):
    return options.model_copy(update={"architecture": "segnet_basic"})


both_architectures = pytest.mark.parametrize("options", [NARROW, basic(NARROW)], ids=["segnet", "segnet_basic"])


@pytest.fixture(scope="module")
def paper_network():
    return build_network((240, 480), 7, PAPER)


@pytest.fixture(scope="module")
def basic_network():
    return build_network((360, 480), 11, basic(PAPER))


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2, 33, 47, 3)).astype("uint8")
    return images, (images[..., 0] > 127).astype("uint8")


@pytest.mark.parametrize(("num_classes", "parameters"), [(7, 29_462_919), (11, 29_465_227), (12, 29_465_804)])
def test_network_has_the_parameters_of_the_paper(num_classes, parameters):
    assert build_network((32, 32), num_classes, PAPER).count_params() == parameters


@pytest.mark.parametrize(
    ("block", "convolutions"),
    [
        ("encoder1", [(3, 64), (64, 64)]),
        ("encoder2", [(64, 128), (128, 128)]),
        ("encoder3", [(128, 256), (256, 256), (256, 256)]),
        ("encoder4", [(256, 512), (512, 512), (512, 512)]),
        ("encoder5", [(512, 512), (512, 512), (512, 512)]),
        ("decoder5", [(512, 512), (512, 512), (512, 512)]),
        ("decoder4", [(512, 512), (512, 512), (512, 256)]),
        ("decoder3", [(256, 256), (256, 256), (256, 128)]),
        ("decoder2", [(128, 128), (128, 64)]),
        ("decoder1", [(64, 64)]),
    ],
)
def test_block_has_the_convolutions_of_the_paper(paper_network, block, convolutions):
    layers = [layer for layer in paper_network.layers if layer.name.startswith(block)]
    kernels = [layer.kernel.shape for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels == [(3, 3, *channels) for channels in convolutions]
    # weights and bias of the convolution, and the four vectors of batch norm
    assert sum(layer.count_params() for layer in layers) == sum(9 * a * b + b + 4 * b for a, b in convolutions)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("encoder1_pool", (120, 240, 64)),
        ("encoder2_pool", (60, 120, 128)),
        ("encoder3_pool", (30, 60, 256)),
        ("encoder4_pool", (15, 30, 512)),
        ("encoder5_pool", (8, 15, 512)),
        ("decoder5_unpool", (15, 30, 512)),
        ("decoder4_unpool", (30, 60, 512)),
        ("decoder3_unpool", (60, 120, 256)),
        ("decoder2_unpool", (120, 240, 128)),
        ("decoder1_unpool", (240, 480, 64)),
        ("classifier", (240, 480, 7)),
    ],
)
def test_block_has_the_output_size_of_the_paper(paper_network, layer, shape):
    output = paper_network.get_layer(layer).output
    maxima = output[0] if layer.endswith("_pool") else output
    assert maxima.shape == (None, *shape)


@pytest.mark.parametrize(("network", "blocks"), [("paper_network", 5), ("basic_network", 4)])
def test_each_unpooling_uses_the_positions_of_its_own_encoder(network, blocks, request):
    network = request.getfixturevalue(network)
    assert len([layer for layer in network.layers if layer.name.endswith("_unpool")]) == blocks
    for block in range(1, blocks + 1):
        _, indices = network.get_layer(f"decoder{block}_unpool").input
        assert indices is network.get_layer(f"encoder{block}_pool").output[1]


def test_basic_network_has_the_parameters_of_the_paper(basic_network):
    kernels = 7 * 7 * 3 * 64 + 7 * (7 * 7 * 64 * 64)
    classifier = 64 * 11 + 11
    assert kernels + classifier == 1_415_051
    batch_norms = 8 * 64
    assert basic_network.count_params() == 1_415_051 + 2 * batch_norms + 2 * batch_norms
    assert sum(weights.shape.num_elements() for weights in basic_network.trainable_weights) == 1_416_075


@pytest.mark.parametrize("block", [f"{half}{level}" for half in ("encoder", "decoder") for level in (1, 2, 3, 4)])
def test_basic_block_has_one_convolution_of_7x7_without_bias(basic_network, block):
    (convolution,) = (
        layer
        for layer in basic_network.layers
        if layer.name.startswith(block) and isinstance(layer, keras.layers.Conv2D)
    )
    assert convolution.name == f"{block}_conv1"
    assert [weights.shape for weights in convolution.weights] == [(7, 7, 3 if block == "encoder1" else 64, 64)]


def test_basic_network_has_the_layers_of_the_paper_in_order(basic_network):
    encoders = [f"encoder{level}_{part}" for level in (1, 2, 3, 4) for part in ("conv1", "norm1", "relu1", "pool")]
    decoders = [f"decoder{level}_{part}" for level in (4, 3, 2, 1) for part in ("unpool", "conv1", "norm1")]
    names = [layer.name for layer in basic_network.layers]
    assert names == ["images", "contrast", *encoders, *decoders, "classifier", "logits"]
    assert basic_network.name == "segnet_basic"
    classifier = basic_network.get_layer("classifier")
    assert [weights.shape for weights in classifier.weights] == [(1, 1, 64, 11), (11,)]


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("encoder1_pool", (180, 240)),
        ("encoder2_pool", (90, 120)),
        ("encoder3_pool", (45, 60)),
        ("encoder4_pool", (23, 30)),
        ("decoder4_unpool", (45, 60)),
        ("decoder3_unpool", (90, 120)),
        ("decoder2_unpool", (180, 240)),
        ("decoder1_unpool", (360, 480)),
    ],
)
def test_basic_block_has_the_output_size_of_the_paper(basic_network, layer, size):
    output = basic_network.get_layer(layer).output
    maxima = output[0] if layer.endswith("_pool") else output
    assert maxima.shape == (None, *size, 64)


def test_basic_network_sees_106_pixels_at_its_deepest():
    """Section 3.1 of the paper; pixel 4 of 10 sees the rows 16 * 4 - 45 to 16 * 4 + 60."""
    keras.utils.set_random_seed(0)
    network = build_network((160, 160), 2, basic(NARROW))
    down = keras.Model(network.get_layer("contrast").output, network.get_layer("encoder4_pool").output[0])
    images = np.random.default_rng(0).normal(size=(1, 160, 160, 3)).astype("float32")

    def deepest(row):
        changed = images.copy()
        changed[:, row] += 100
        return np.asarray(down(changed))[0, 4]

    unchanged = np.asarray(down(images))[0, 4]
    sees = {row: not np.array_equal(deepest(row), unchanged) for row in (18, 19, 124, 125)}
    assert sees == {18: False, 19: True, 124: True, 125: False}


def test_classifier_is_followed_by_nothing_but_a_cast(paper_network):
    after_unpooling = [layer.name for layer in paper_network.layers[-6:]]
    assert after_unpooling == [
        "decoder1_unpool",
        "decoder1_conv1",
        "decoder1_norm1",
        "decoder1_relu1",
        "classifier",
        "logits",
    ]
    assert paper_network.get_layer("classifier").activation is keras.activations.linear


@pytest.mark.parametrize(("width", "filters"), [(0.25, [16, 128]), (0.01, [8, 8]), (1.5, [96, 768])])
def test_width_multiplies_the_filters(width, filters):
    network = build_network((32, 32), 7, PAPER.model_copy(update={"width": width}))
    assert [network.get_layer(f"encoder{block}_conv1").filters for block in (1, 5)] == filters
    assert network.get_layer("classifier").filters == 7


@pytest.mark.parametrize(("width", "filters"), [(0.25, 16), (0.01, 8), (1.5, 96)])
def test_width_multiplies_the_filters_of_the_basic_network(width, filters):
    network = build_network((32, 32), 7, basic(PAPER).model_copy(update={"width": width}))
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == 8 * [filters] + [7]


def before_dropout(options):
    names = [layer.name for layer in build_network((32, 32), 7, options).layers]
    return {names[number - 1] for number, name in enumerate(names) if "dropout" in name}


def test_dropout_stands_at_the_six_places_of_bayesian_segnet():
    assert before_dropout(BAYESIAN) == {
        "encoder3_pool",
        "encoder4_pool",
        "encoder5_pool",
        "decoder5_relu3",
        "decoder4_relu3",
        "decoder3_relu3",
    }


def test_dropout_stands_at_the_four_places_of_bayesian_segnet_basic():
    places = {"encoder3_pool", "encoder4_pool", "decoder4_norm1", "decoder3_norm1"}
    assert before_dropout(basic(BAYESIAN)) == places


@both_architectures
def test_no_dropout_is_no_layer(options):
    assert before_dropout(options) == set()


@both_architectures
@pytest.mark.parametrize("size", [(97, 131), (1, 1), (32, 45)])
def test_any_image_size_goes_through(size, options):
    network = build_network(size, 3, options)
    logits = network.predict(np.zeros((2, *size, 3), "uint8"), verbose=0)
    assert logits.shape == (2, *size, 3)
    assert np.isfinite(logits).all()


def test_bytes_and_floats_of_the_same_values_have_the_same_logits(batch):
    network = build_network((33, 47), 2, NARROW)
    images, _ = batch
    from_bytes = network.predict(images, verbose=0)
    np.testing.assert_array_equal(from_bytes, network.predict(images.astype("float32"), verbose=0))


@pytest.mark.parametrize("network", ["paper_network", "basic_network"])
def test_each_colour_of_an_image_is_brought_to_mean_zero_and_deviation_one(network, batch, request):
    images = np.asarray(batch[0], "float32")
    contrast = np.asarray(request.getfixturevalue(network).get_layer("contrast")(images))
    expected = (images - images.mean(axis=(1, 2), keepdims=True)) / images.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(contrast, expected, atol=1e-4)


def test_image_of_one_colour_stays_plain(paper_network):
    contrast = np.asarray(paper_network.get_layer("contrast")(np.full((1, 240, 480, 3), 251, "float32")))
    assert np.ptp(contrast) == 0
    assert abs(contrast[0, 0, 0, 0]) < 2  # float32 sums are off in the fourth digit, and nothing is divided by zero


@pytest.mark.slow
def test_logits_are_float32_under_mixed_precision(batch):
    keras.utils.set_random_seed(0)
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        network = build_network((33, 47), 2, NARROW)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    network.compile(keras.optimizers.Adam(1e-2), MaskedCrossentropy())
    images, labels = batch
    losses = network.fit(images, labels, batch_size=2, epochs=4, verbose=0).history["loss"]
    assert network.get_layer("classifier").compute_dtype == "bfloat16"
    assert network.predict(images, verbose=0).dtype == "float32"
    assert losses[-1] < losses[0]


def train(batch, epochs):
    keras.utils.set_random_seed(3)
    network = build_network((33, 47), 2, BAYESIAN)
    network.compile(keras.optimizers.Adam(1e-2), MaskedCrossentropy(), metrics=[RunningMeanIoU(2)])
    return network, network.fit(*batch, batch_size=2, epochs=epochs, verbose=0).history


@pytest.mark.slow
def test_same_seed_repeats_the_training_to_the_bit(batch):
    (first, first_history), (second, second_history) = train(batch, 3), train(batch, 3)
    assert first_history == second_history
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@both_architectures
def test_loss_falls_when_one_batch_is_overfitted(batch, options):
    keras.utils.set_random_seed(4)
    network = build_network((33, 47), 2, options)
    network.compile(keras.optimizers.Adam(1e-2), MaskedCrossentropy(), metrics=[RunningMeanIoU(2)])
    history = network.fit(*batch, batch_size=2, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["mean_iou"][-1] > history["mean_iou"][0]


@pytest.mark.slow
def test_network_predicts_the_same_in_another_process(batch, tmp_path):
    images, _ = batch
    network, _ = train(batch, 1)
    network.save(tmp_path / "network.keras")
    np.save(tmp_path / "images.npy", images)
    program = (
        "import sys, keras, numpy; import roadseg.training.metric, roadseg.segnet.network, roadseg.training.losses; "
        "folder = sys.argv[1]; network = keras.saving.load_model(folder + '/network.keras'); "
        "numpy.save(folder + '/logits.npy', network.predict(numpy.load(folder + '/images.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "logits.npy"), network.predict(images, verbose=0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "segnet-basic"},
        {"start": None},
        {"width": 0.0},
        {"width": math.inf},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"batch_norm_momentum": 1.0},
        {"depth": 5},
    ],
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(pydantic.ValidationError):
        NetworkOptions(**{**PAPER.model_dump(), **wrong})
