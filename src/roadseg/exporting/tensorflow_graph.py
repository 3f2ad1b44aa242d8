"""A trained SegNet as a graph of TensorFlow's own operators, without a call that XLA compiles.

Pooling and unpooling are written as in ONNX, by comparisons: LiteRT chooses no bytes by conditions, which the positions
of the layers are.
"""

from collections.abc import Sequence
from typing import Any

import keras

from roadseg.errors import RoadSegError
from roadseg.exporting.model_description import Outputs
from roadseg.exporting.resampling import Size
from roadseg.exporting.tensorflow_resizing import resize_images
from roadseg.segnet.backend import Tensor, is_tensorflow, name_backend
from roadseg.segnet.folding import fold_batch_norms
from roadseg.segnet.keras_settings import VARIABLE
from roadseg.segnet.layer_calls import list_calls
from roadseg.segnet.layers import MaxPoolingWithIndices2D, MaxUnpooling2D
from roadseg.segnet.network import CONTRAST
from roadseg.segnet.trained import TrainedSegNet


def build_graph(model: TrainedSegNet, outputs: Outputs, image_size: Size | None, batch: int | None) -> Any:
    """Returns a `tf.Module` with one function, `predict`, from images to outputs, in float32 with folded batch norms.

    Args:
        model: A trained model.
        outputs: What it returns.
        image_size: (height, width) in pixels of images and outputs; None is the size of the network. As a `Predictor`
            does it, images and logits are resized.
        batch: Number of images; None is any number.

    Raises:
        RoadSegError: If Keras does not run on TensorFlow.
    """
    check_backend()
    import tensorflow as tf

    network = fold_batch_norms(model.network, "float32")
    network_size = network.input.shape[1:3]
    size = image_size or network_size
    sharpness = 1 / (model.record.temperature or 1.0)

    def predict(images: Tensor) -> dict[str, Tensor]:
        floats = resize_images(tf.cast(images, "float32"), size, network_size)
        logits = _write_network(network, floats)
        if size != network_size:
            logits = tf.image.resize(logits, size)
        if outputs == "logits":
            return {"logits": logits}
        label_map, confidence = _write_classes(logits, sharpness)
        return {"label_map": label_map, "confidence": confidence}

    graph = tf.Module()
    graph.weights = [each.value for each in network.variables]  # what a module holds is saved with it
    images = tf.TensorSpec((batch, *size, 3), "uint8", "images")
    graph.predict = tf.function(predict, [images], autograph=False)
    return graph


def check_backend() -> None:
    """Refuses a backend that can't write the formats of TensorFlow.

    Raises:
        RoadSegError: If Keras does not run on TensorFlow.
    """
    if not is_tensorflow():
        raise RoadSegError(
            f"only TensorFlow writes the formats litert and saved_model, but Keras runs on {name_backend()}: "
            f"set {VARIABLE} to tensorflow, which loads the models of all backends"
        )


def _write_network(network: keras.Model, images: Tensor) -> Tensor:
    """Returns the logits, (batch, height, width, classes) float32, of images, (batch, height, width, 3) float32."""
    values = {id(network.input): images}
    for node in (node for node in list_calls(network) if not node.is_input):
        written = _write_layer(node.operation, [values[id(each)] for each in node.input_tensors])
        values |= {id(each): value for each, value in zip(node.outputs, written, strict=True)}
    return values[id(network.output)]


def _write_layer(layer: keras.Operation, inputs: Sequence[Any]) -> Sequence[Any]:
    match layer:
        case keras.layers.GroupNormalization(name=name) if name == CONTRAST:
            return [_normalize(inputs[0], layer.epsilon)]
        case MaxPoolingWithIndices2D():
            return _pool(inputs[0])
        case MaxUnpooling2D():
            return [_unpool(inputs[0], inputs[1], layer.output_size)]
    return [layer(*inputs)]


def _normalize(images: Tensor, epsilon: float) -> Tensor:
    """Returns the contrast layer's maps: each channel of whole numbers 0..255 gets mean 0 and deviation 1.

    Keras' own layer adds the numbers of an image in float32. Its errors of up to 1e-5 move maxima to other pixels where
    two of a window are nearly equal, so the mean is that of integers, without rounding.
    """
    import tensorflow as tf

    _, height, width, _ = images.shape
    total = tf.reduce_sum(tf.cast(images, "int32"), (1, 2), keepdims=True)
    centred = images - tf.cast(total, "float32") / (height * width)
    rows = tf.reduce_mean(tf.square(centred), 2, keepdims=True)  # one long mean rounds more
    return centred / tf.sqrt(tf.reduce_mean(rows, 1, keepdims=True) + epsilon)


def _pool(maps: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Returns the maxima of windows of 2x2, and where these are: three maps of 0.0 and 1.0.

    They say whether the upper left pixel is a maximum, whether one of the two upper ones is, and whether one of the two
    left ones is. An odd last row or column forms windows of its own, whose missing pixels are never a maximum.
    """
    import tensorflow as tf

    maxima = tf.nn.max_pool2d(maps, 2, 2, "SAME")
    parts = (tf.nn.max_pool2d(maps, part, 2, "SAME") for part in ((1, 1), (1, 2), (2, 1)))
    return maxima, [tf.cast(tf.equal(part, maxima), "float32") for part in parts]


def _unpool(values: Tensor, positions: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Returns maps that have each value at its position, zeros elsewhere: of several maxima the first one counts."""
    import tensorflow as tf

    is_first, is_upper, is_left = positions
    upper, upper_left = values * is_upper, values * is_first
    lower = values - upper
    lower_left = lower * is_left
    corners = [upper_left, upper - upper_left, lower_left, lower - lower_left]
    spread = tf.nn.depth_to_space(tf.concat(corners, -1), 2)
    return spread if tuple(spread.shape[1:3]) == size else spread[:, : size[0], : size[1]]


def _write_classes(logits: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
    """Returns the class of each pixel, of equal logits the first, and the softmax at that class.

    TensorFlow's `argmax` promises no class where logits are equal.
    """
    import tensorflow as tf

    first, *others = classes = tf.unstack(logits, axis=-1)
    highest, ids = first, tf.zeros_like(first, "int32")
    for index, each in enumerate(others, start=1):
        ids = tf.where(each > highest, index, ids)
        highest = tf.maximum(highest, each)
    odds = tf.add_n([tf.exp((each - highest) * sharpness) for each in classes])
    return tf.cast(ids, "uint8"), 1 / odds
