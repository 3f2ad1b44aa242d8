import json

import keras
import numpy as np
import onnx
import onnxruntime
import openvino
import pytest

from exporting.networks import NETWORK_SIZE, RESIZED, model_of
from roadseg.exporting.onnx_graph import OnnxGraph
from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
from roadseg.exporting.onnx_resizing import resize_images, resize_logits
from roadseg.scenes.preprocessing import resize_image
from roadseg.segnet.predictor import Predictor
from segnet.small_networks import small_segnet


def run_everywhere(graph, size, values):
    """Yields what onnxruntime and OpenVINO return for a graph from `values` to `found`, at opset 13."""
    described = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("values", ["batch", *values.shape[1:]]), ("found", ["batch", *size]))
    ]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "g", described[:1], described[1:], graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", graph.opset)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    yield onnxruntime.InferenceSession(content).run(None, {"values": values})[0]
    core = openvino.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    yield core.compile_model(core.read_model(content), "CPU", exact)([values])["found"]


@pytest.mark.parametrize("size", RESIZED)
def test_images_are_resized_as_opencv_does(size):
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (2, *size, 3), np.uint8)
    graph = OnnxGraph(13)
    graph.add("Identity", resize_images(graph, "values", size, NETWORK_SIZE), layer="end", output="found")
    expected = [resize_image(each, NETWORK_SIZE) for each in images]
    for found in run_everywhere(graph, (*NETWORK_SIZE, 3), images.astype(np.float32)):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [(66, 80), (149, 333), (32, 61), (20, 40)])
def test_logits_are_resized_as_keras_does(size):
    logits = np.random.default_rng(4).normal(size=(2, *NETWORK_SIZE, 3)).astype(np.float32)
    graph = OnnxGraph(13)
    resized = resize_logits(graph, "values", NETWORK_SIZE, size)
    graph.add("Transpose", resized, layer="end", output="found", perm=[0, 2, 3, 1])
    expected = keras.ops.image.resize(logits, size, interpolation="bilinear", data_format="channels_last")
    for found in run_everywhere(graph, (*size, 3), logits.transpose(0, 3, 1, 2)):
        np.testing.assert_allclose(found, expected, atol=1e-4)  # runtimes round positions to 1e-5


@pytest.mark.parametrize("length", [16, 33, 128, 240, 480])
def test_no_length_is_a_pixel_short(length):
    # Runtimes multiply in float32 or more, and round down.
    for new in range(32, 2200):
        graph = OnnxGraph(13)
        resize_logits(graph, "values", (length, length), (new, new))
        if new == length:
            continue
        (scales,) = (onnx.numpy_helper.to_array(each) for each in graph.constants)
        for number in (np.float32, np.float64):
            assert int(number(length) * number(scales[2])) == new


@pytest.mark.parametrize("size", [(70, 100), (32, 61), (300, 401)])
def test_a_file_for_another_size_predicts_as_the_predictor(size):
    model = model_of(small_segnet((35, 50), "segnet_basic"), temperature=2.5)
    images = np.random.default_rng(5).integers(0, 256, (3, *size, 3), np.uint8)
    expected = list(Predictor(model, precision="float32").predict_each(images))
    outputs = {}
    for kind in ("classes", "logits"):
        options = OnnxOptions(outputs=kind, opset=13, ir_version=None, image_size=size)
        converted = convert_to_onnx(model, options)
        said = {each.key: json.loads(each.value) for each in converted.metadata_props}
        assert (said["image_size"], said["network_size"]) == (list(size), [35, 50])
        session = onnxruntime.InferenceSession(converted.SerializeToString())
        outputs |= dict(
            zip([each.name for each in session.get_outputs()], session.run(None, {"images": images}), strict=True)
        )
    label_maps = np.stack([each.label_map for each in expected])
    assert len(np.unique(label_maps)) > 1
    assert (outputs["label_map"] == label_maps).mean() > 0.9999
    assert (outputs["logits"].argmax(-1) == label_maps).mean() > 0.9999
    np.testing.assert_allclose(outputs["confidence"], [each.confidence for each in expected], atol=1e-4)
