import json
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from exporting.networks import model_of, pictures
from roadseg.errors import InputError, RoadSegError
from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
from roadseg.exporting.quantization import QuantizationOptions, quantize_onnx
from roadseg.segnet.layers import MaxPoolingWithIndices2D, MaxUnpooling2D
from segnet.pooling import numpy_pool, numpy_unpool
from segnet.small_networks import small_segnet

SIZE = (35, 50)
LOGITS = OnnxOptions(outputs="logits", opset=17, ir_version=None, image_size=None)
OPTIONS = QuantizationOptions(method="minmax", float_ends=True)


def named(images):
    return {f"drive_{number}": image for number, image in enumerate(images)}


@pytest.fixture(scope="module")
def converted():
    return convert_to_onnx(model_of(small_segnet(SIZE, "segnet_basic")), LOGITS)


def run(model, images):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"images": images})[0]


@pytest.mark.parametrize("float_ends", [True, False])
@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_maxima_stay_at_their_positions(method, float_ends):
    first, middle, last = (keras.layers.Conv2D(3, 1, padding="same") for _ in range(3))
    images = keras.Input((*SIZE, 3))
    maxima, positions = MaxPoolingWithIndices2D()(keras.layers.ReLU()(first(images)))
    network = keras.Model(images, last(MaxUnpooling2D(SIZE)(middle(maxima), positions)))
    for layer in (first, middle, last):
        layer.set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    # Few large values and many small ones: the map and its maxima would get ranges of their own.
    values, shares = np.array([0, 1, 2, 3, 40], np.uint8), [0.6, 0.2, 0.1, 0.09, 0.01]
    given = np.random.default_rng(0).choice(values, (4, *SIZE, 3), p=shares)
    options = QuantizationOptions(method=method, float_ends=float_ends)
    found = run(quantize_onnx(convert_to_onnx(model_of(network), LOGITS), named(given), options), given)
    expected = numpy_unpool(*numpy_pool(given.astype("float32")), SIZE)

    np.testing.assert_allclose(found, expected, atol=0.1)  # half a step of 40 / 255


@pytest.mark.parametrize("float_ends", [True, False])
def test_first_and_last_convolution_stay_in_float32_when_asked(converted, float_ends):
    options = OPTIONS.model_copy(update={"float_ends": float_ends})
    model = quantize_onnx(converted, named(pictures(SIZE)[:1]), options)
    kernels = {
        node.input[0]: each
        for node in model.graph.node
        for each in model.graph.initializer
        if each.name == node.input[0]
    }
    makers = {output: node for node in model.graph.node for output in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    are_int8 = []
    for node in convolutions:
        maker = makers.get(node.input[1])
        are_int8.append(maker is not None)
        if maker is not None:
            kernel = kernels[maker.input[0]]
            scales = next(each for each in model.graph.initializer if each.name == maker.input[1])
            assert (kernel.data_type, list(scales.dims)) == (onnx.TensorProto.INT8, [kernel.dims[0]])
    ends = [not float_ends]
    assert are_int8 == ends + 7 * [True] + ends


def test_logits_are_near_those_of_float32_and_the_file_says_how_it_was_made(converted, capsys):
    images = pictures(SIZE)
    quantized = quantize_onnx(converted, named(images), OPTIONS)
    expected, found = run(converted, images), run(quantized, images)
    error = np.abs(found - expected).mean() / expected.std()
    assert 0 < error < 0.2
    onnx.checker.check_model(quantized, full_check=True)
    said, before = (
        {each.key: json.loads(each.value) for each in model.metadata_props} for model in (quantized, converted)
    )
    calibration = {"scenes": [f"drive_{number}" for number in range(5)], "method": "minmax", "float_ends": True}
    assert said == before | {"precision": "int8", "calibration": calibration}
    assert [each.name for each in converted.graph.output] == [each.name for each in quantized.graph.output]
    assert capsys.readouterr().out == ""


def test_without_training_scenes_nothing_is_quantised(converted):
    message = r"^a model in int8 is calibrated with training scenes, and the split has none$"
    with pytest.raises(InputError, match=message):
        quantize_onnx(converted, {}, OPTIONS)


def test_without_the_package_the_message_names_it(converted, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    message = r"^a model in int8 needs the package onnxruntime, of the extra 'export': pip install onnxruntime$"
    with pytest.raises(RoadSegError, match=message):
        quantize_onnx(converted, named(pictures(SIZE)), OPTIONS)
