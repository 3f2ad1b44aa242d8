import hashlib
import logging
import zipfile
from urllib.error import URLError

import h5py
import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from model_records import model_record
from roadseg.errors import FileError
from roadseg.segnet.model_record import write_record
from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.training.start import digest_start, read_start_record, start_weights

PAPER = NetworkOptions(architecture="segnet", start="random", width=1.0, dropout=0.0, batch_norm_momentum=0.9)
NARROW = PAPER.model_copy(update={"width": 0.125})
BASIC = NARROW.model_copy(update={"architecture": "segnet_basic"})
CLASSES = ["road", "car", "sky"]
CONVOLUTIONS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]
CONVOLUTIONS += [(4, 1), (4, 2), (4, 3), (5, 1), (5, 2), (5, 3)]


def network(options=NARROW, *, seed=0, size=(32, 48), classes=CLASSES):
    keras.utils.set_random_seed(seed)
    return build_network(size, len(classes), options)


def weights_of(network, *, without=()):
    return {layer.name: layer.get_weights() for layer in network.layers if layer.weights and layer.name not in without}


def assert_same_weights(received, expected):
    assert received.keys() == expected.keys()
    for name, arrays in expected.items():
        for one, other in zip(received[name], arrays, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def save_model(path, network, classes=CLASSES):
    network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        write_record(model_record(classes=classes), archive)
    return str(path)


@pytest.fixture(scope="module")
def vgg16():
    """VGG16 with random weights, biases too."""
    keras.utils.set_random_seed(1)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    generator = np.random.default_rng(1)
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, generator.normal(size=bias.shape).astype("float32")])
    return network


@pytest.fixture(scope="module")
def vgg16_file(vgg16, tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg16") / "vgg16.weights.h5"
    vgg16.save_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def legacy_vgg16_file(vgg16, tmp_path_factory):
    """The layout of the file that Keras downloads: a group a layer, its arrays named by attributes."""
    path = tmp_path_factory.mktemp("legacy") / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in vgg16.layers]
        for layer in vgg16.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{letter}_1:0" for letter in "Wb"[: len(layer.weights)]]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name] = array
    return str(path)


@pytest.fixture(scope="module")
def trained():
    """A network whose moving statistics are not those of a fresh one."""
    trained = network(seed=2)
    generator = np.random.default_rng(2)
    for layer in trained.layers:
        if layer.weights:
            layer.set_weights([generator.uniform(0.5, 1, array.shape) for array in layer.get_weights()])
    return trained


@pytest.fixture
def model_file(trained, tmp_path):
    return save_model(tmp_path / "model.keras", trained)


def assert_starts_from_vgg16(started, vgg16):
    fresh = weights_of(network(PAPER, seed=3))
    received = weights_of(started)
    for block, number in CONVOLUTIONS:
        kernel, bias = vgg16.get_layer(f"block{block}_conv{number}").get_weights()
        received_kernel, received_bias = received.pop(f"encoder{block}_conv{number}")
        del fresh[f"encoder{block}_conv{number}"]
        np.testing.assert_array_equal(received_bias, bias)
        if (block, number) == (1, 1):
            for colour, opposite in ((0, 2), (1, 1), (2, 0)):
                np.testing.assert_array_equal(received_kernel[:, :, colour], kernel[:, :, opposite])
        else:
            np.testing.assert_array_equal(received_kernel, kernel)
    assert_same_weights(received, fresh)


@pytest.mark.parametrize("file", ["vgg16_file", "legacy_vgg16_file"])
def test_vgg16_is_copied_into_the_encoder_and_nothing_else(file, vgg16, request, caplog):
    caplog.set_level(logging.INFO)
    file = request.getfixturevalue(file)
    started = network(PAPER, seed=3)
    start_weights(started, file, CLASSES)
    assert_starts_from_vgg16(started, vgg16)
    assert caplog.messages == [f"Starts from VGG16 ('{file}'): weights of 13 convolutions copied"]


def test_imagenet_that_no_network_reaches_is_told_with_what_to_give_instead(monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(file_utils, "urlretrieve", no_network)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    with pytest.raises(OSError, match=r"could not be downloaded: .*no route to host; give the path of an .h5 file"):
        start_weights(network(PAPER, seed=3), "imagenet", CLASSES)


def test_imagenet_asks_keras_for_its_vgg16(vgg16, vgg16_file, monkeypatch):
    """Keras' own VGG16, but with a local file where it would download one."""
    build = keras.applications.VGG16
    asked_for = []

    def without_download(*, include_top, weights):
        asked_for.append((include_top, weights))
        return build(include_top=include_top, weights=vgg16_file)

    monkeypatch.setattr(keras.applications, "VGG16", without_download)
    started = network(PAPER, seed=3)
    start_weights(started, "imagenet", CLASSES)
    assert asked_for == [(False, "imagenet")]
    assert_starts_from_vgg16(started, vgg16)


def test_first_convolution_on_rgb_is_that_of_vgg16_on_bgr(vgg16, vgg16_file):
    started = network(PAPER)
    start_weights(started, vgg16_file, CLASSES)
    rgb = np.random.default_rng(4).normal(size=(2, 32, 32, 3)).astype("float32")
    first = vgg16.get_layer("block1_conv1")
    expected = keras.ops.relu(started.get_layer("encoder1_conv1")(rgb))
    np.testing.assert_allclose(first(rgb[..., ::-1]), expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(first(rgb), expected, atol=0.1)


@pytest.mark.parametrize(
    ("options", "received"), [(NARROW, "'segnet' with at most 64"), (BASIC, "'segnet_basic' with at most 8")]
)
@pytest.mark.parametrize("start", ["imagenet", "file"])
def test_vgg16_fits_segnet_of_width_one_alone(start, options, received, vgg16_file):
    start = vgg16_file if start == "file" else start
    message = (
        rf"network.start: .*\('{start}'\) fit network.architecture 'segnet' at network.width 1.* received {received}"
    )
    with pytest.raises(ValueError, match=message):
        start_weights(network(options), start, CLASSES)


def cut_off(path, _):
    path.write_bytes(path.read_bytes()[:5000])


def replace_by_text(path, _):
    path.write_text("kernel\n")


@pytest.mark.parametrize("name", ["broken.h5", "broken.weights.h5"])
@pytest.mark.parametrize("damage", [cut_off, replace_by_text])
def test_damaged_vgg16_file_is_named_in_one_line(name, damage, tmp_path):
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        file["layers"] = np.zeros(5000)
    damage(path, None)
    with pytest.raises(ValueError, match=rf"network.start: expected the weights of VGG16 .* '{path}': ") as fault:
        start_weights(network(PAPER), str(path), CLASSES)
    assert "\n" not in str(fault.value)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
@pytest.mark.parametrize("name", [pytest.param("other.h5", marks=pytest.mark.slow), "other.weights.h5"])
def test_file_of_other_weights_is_no_vgg16(name, tmp_path):
    path = tmp_path / name
    if name == "other.h5":
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [b"fc1"]
            file.create_group("fc1").attrs["weight_names"] = [b"fc1_W_1:0"]
    else:
        keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]).save_weights(path)
    started, fresh = network(PAPER), network(PAPER)
    with pytest.raises(ValueError, match=rf"network.start: expected the weights of VGG16 .* '{path}': ") as fault:
        start_weights(started, str(path), CLASSES)
    assert "\n" not in str(fault.value)
    assert_same_weights(weights_of(started), weights_of(fresh))


def test_weights_of_a_segnet_are_not_taken_for_those_of_vgg16(tmp_path):
    path = tmp_path / "epoch0001.weights.h5"
    started = network(PAPER)
    started.save_weights(path)
    with pytest.raises(ValueError, match=rf"network.start: .* VGG16 in '{path}', found those of a SegNet"):
        start_weights(started, str(path), CLASSES)


def test_random_keeps_the_weights(caplog):
    caplog.set_level(logging.INFO)
    started, fresh = network(), network()
    start_weights(started, "random", CLASSES)
    assert_same_weights(weights_of(started), weights_of(fresh))
    assert caplog.messages == []


def test_earlier_model_is_copied_with_its_moving_statistics(trained, model_file, caplog):
    caplog.set_level(logging.INFO)
    started = network()
    start_weights(started, model_file, CLASSES)
    assert_same_weights(weights_of(started), weights_of(trained))
    assert float(np.min(started.get_layer("encoder1_norm1").moving_mean)) >= 0.5  # 0 in a fresh network
    # 25 convolutions with a batch norm each, and the classifier
    assert caplog.messages == [f"Starts from the model '{model_file}': weights of 51 layers copied"]


def test_earlier_model_may_have_another_image_size_and_dropout(trained, model_file):
    started = network(NARROW.model_copy(update={"dropout": 0.5}), size=(45, 31))
    start_weights(started, model_file, CLASSES)
    assert_same_weights(weights_of(started), weights_of(trained))
    assert started.predict(np.zeros((1, 45, 31, 3), "uint8"), verbose=0).shape == (1, 45, 31, 3)


def test_earlier_basic_network_is_copied(tmp_path):
    earlier, started = network(BASIC, seed=5), network(BASIC, seed=6)
    start_weights(started, save_model(tmp_path / "basic.keras", earlier), CLASSES)
    assert_same_weights(weights_of(started), weights_of(earlier))


@pytest.mark.parametrize("classes", [["road", "sky"], ["road", "car", "tree"], ["car", "road", "sky"]])
def test_classifier_stays_fresh_where_classes_differ(classes, trained, model_file, caplog):
    caplog.set_level(logging.INFO)
    started, fresh = network(classes=classes), network(classes=classes)
    start_weights(started, model_file, classes)
    assert_same_weights(weights_of(started, without=["classifier"]), weights_of(trained, without=["classifier"]))
    kernel, bias = started.get_layer("classifier").get_weights()
    np.testing.assert_array_equal(kernel, fresh.get_layer("classifier").get_weights()[0])
    np.testing.assert_array_equal(bias, np.zeros(len(classes)))
    assert caplog.messages == [
        f"Starts from the model '{model_file}': weights of 50 layers copied; "
        f"the classifier starts at random, as the model's classes are ['road', 'car', 'sky']"
    ]


def test_model_of_mixed_precision_starts_one_of_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        earlier = network(seed=5)
    finally:
        keras.config.set_dtype_policy("float32")
    started = network(seed=6)
    start_weights(started, save_model(tmp_path / "mixed.keras", earlier), CLASSES)
    assert_same_weights(weights_of(started), weights_of(earlier))
    assert started.get_layer("encoder1_conv1").compute_dtype == "float32"


def test_other_width_is_refused_by_layer_shapes_and_file(model_file):
    started, fresh = (network(NARROW.model_copy(update={"width": 0.25})) for _ in range(2))
    with pytest.raises(ValueError, match=r"network.start: expected weights of the shapes") as fault:
        start_weights(started, model_file, CLASSES)
    assert str(fault.value) == (
        "network.start: expected weights of the shapes [(3, 3, 3, 16), (16,)] for layer 'encoder1_conv1', "
        f"received [(3, 3, 3, 8), (8,)] from '{model_file}'; network.width may differ"
    )
    assert_same_weights(weights_of(started), weights_of(fresh))


@pytest.mark.parametrize(("options", "name"), [(BASIC, "segnet_basic"), (NARROW, "segnet")])
def test_other_architecture_is_refused_by_name(options, name, tmp_path):
    other = {"segnet": BASIC, "segnet_basic": NARROW}[name]
    path = save_model(tmp_path / "other.keras", network(other))
    message = rf"network.start: .* network.architecture '{name}' in '{path}', found one of '{other.architecture}'"
    with pytest.raises(ValueError, match=message):
        start_weights(network(options), path, CLASSES)


def test_model_of_others_is_refused(trained, tmp_path):
    path = tmp_path / "foreign.keras"
    trained.save(path)
    message = rf"network.start: '{path}' contains no record.json: it was not saved by this project"
    with pytest.raises(ValueError, match=message):
        start_weights(network(), str(path), CLASSES)
    with pytest.raises(ValueError, match=message):
        read_start_record(str(path))


def leave_out_the_weights(path, model_file):
    with zipfile.ZipFile(model_file) as source, zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            if name != "model.weights.h5":
                archive.writestr(name, source.read(name))


def flip_the_bytes_of_the_weights(path, model_file):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(model_file) as archive:
        start = archive.getinfo("model.weights.h5").header_offset
    content[start + 100 : start + 5000] = bytes(255 - byte for byte in content[start + 100 : start + 5000])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_off, "is not a zip archive, as a .keras file must be: cut off or damaged"),
        (replace_by_text, "is not a zip archive, as a .keras file must be: cut off or damaged"),
        (leave_out_the_weights, "can't be loaded: Expected a model.weights.h5"),
        (flip_the_bytes_of_the_weights, "can't be loaded: "),
    ],
)
def test_damaged_model_is_named_in_one_line(damage, message, model_file, tmp_path):
    path = tmp_path / "damaged.keras"
    path.write_bytes((tmp_path / "model.keras").read_bytes())
    damage(path, model_file)
    with pytest.raises(ValueError, match=rf"network.start: .*'{path}' {message}") as fault:
        start_weights(network(), str(path), CLASSES)
    assert "\n" not in str(fault.value)


VERBS = [lambda start: start_weights(network(), start, CLASSES), digest_start, read_start_record]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("start", ["", "Random", "image_net", "vgg16.pth", "models/vgg16", "model.keras.zip"])
def test_other_ending_is_refused(verb, start):
    with pytest.raises(ValueError, match=rf"network.start: expected 'random', .* file, received '{start}'$"):
        verb(start)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["vgg16.h5", "model.keras"])
def test_missing_file_is_named(verb, name, tmp_path):
    path = tmp_path / name
    with pytest.raises(FileError, match=rf"network.start: expected a file at '{path}', found nothing"):
        verb(str(path))
    path.mkdir()
    with pytest.raises(FileError, match=rf"network.start: expected a file at '{path}', found a folder"):
        verb(str(path))


@pytest.mark.parametrize("name", ["vgg16.h5", "model.keras"])
def test_digest_is_that_of_the_content(name, tmp_path):
    path, copy = tmp_path / name, tmp_path / f"copy of {name}"
    content = np.random.default_rng(0).bytes(3_000_000)
    path.write_bytes(content)
    copy.write_bytes(content)
    assert digest_start(str(path)) == digest_start(str(copy)) == hashlib.sha256(content).hexdigest()[:16]
    copy.write_bytes(content[:-1])
    assert digest_start(str(copy)) == hashlib.sha256(content[:-1]).hexdigest()[:16]


@pytest.mark.parametrize("start", ["random", "imagenet"])
def test_what_is_no_file_has_neither_digest_nor_record(start):
    assert digest_start(start) is None
    assert read_start_record(start) is None


def test_record_of_an_earlier_model_is_read(model_file, vgg16_file):
    assert read_start_record(model_file) == model_record(classes=CLASSES)
    assert read_start_record(vgg16_file) is None
