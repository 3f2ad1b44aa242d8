"""Models and images for the tests of exports."""

import keras
import numpy as np

from model_records import model_record
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.quantization import QuantizationOptions
from roadseg.segnet.layers import MaxPoolingWithIndices2D, MaxUnpooling2D
from roadseg.segnet.trained import TrainedSegNet

CLASSES = ["road", "sky", "car", "tree"]

OPTIONS = ExportOptions(
    formats=["onnx"],
    image_size=None,
    outputs="classes",
    opset=17,
    ir_version=None,
    precision="float32",
    quantization=QuantizationOptions(method="minmax", float_ends=True),
    calibration_scenes=5,
    scenes=5,
    onnx_runtimes=["onnxruntime", "openvino"],
)

NETWORK_SIZE = (33, 40)

RESIZED = [
    (66, 80),  # means of 2 x 2 pixels
    (99, 80),  # of 3 x 2
    (132, 160),  # of 2 x 2 and then of 2 x 2
    (150, 180),  # of 2 x 2 and then of areas
    (264, 320),  # of 2 x 2 and then of 4 x 4
    (33, 61),  # of areas of 1 x 1.525
    (75, 53),
    (133, 161),  # of areas larger than 4 x 4: both are odd
    (32, 40),  # between neighbours, as all below
    (32, 32),
    (100, 39),
    (11, 300),
]
"""Sizes of images that become `NETWORK_SIZE`."""


def model_of(network, **changes):
    """Returns a network with a record that fits it."""
    _, *size, _ = network.output.shape
    return TrainedSegNet(network, model_record(classes=CLASSES, image_size=size, **changes))


def pictures(size):
    """Returns five images: noise, a dark one, one of one colour, a white one, and one in which most windows tie."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (*size, 3), np.uint8)
    one_colour = np.broadcast_to(np.array([90, 120, 37], np.uint8), noise.shape)
    two_values = 255 * random.integers(0, 2, (*size, 3), np.uint8)
    return np.stack([noise, np.zeros_like(noise), one_colour, np.full_like(noise, 255), two_values])


def network_of(*layers, size, channels=3):
    images = x = keras.Input((*size, channels))
    for layer in layers:
        x = layer(x)
    return keras.Model(images, x)


class PoolAndUnpool:
    """Keeps the first maximum of each window, and makes all else 0."""

    def __init__(self, size):
        self.size = size

    def __call__(self, x):
        return MaxUnpooling2D(self.size)(*MaxPoolingWithIndices2D()(x))


def tied_windows():
    """Returns images of one window, and what is left of them when all but their first maximum are 0."""
    windows = {  # row by row; what stays is worked by hand
        (5, 5, 5, 5): (5, 0, 0, 0),
        (1, 5, 5, 5): (0, 5, 0, 0),
        (1, 5, 1, 5): (0, 5, 0, 0),
        (5, 1, 5, 1): (5, 0, 0, 0),
        (1, 5, 5, 1): (0, 5, 0, 0),
        (1, 1, 5, 5): (0, 0, 5, 0),
        (1, 2, 5, 4): (0, 0, 5, 0),
        (4, 2, 3, 5): (0, 0, 0, 5),
        (5, 2, 3, 4): (5, 0, 0, 0),
        (0, 0, 0, 0): (0, 0, 0, 0),
    }
    return tuple(
        np.array([np.reshape(each, (2, 2, 1)).repeat(3, axis=2) for each in each_of]).astype("uint8")
        for each_of in (windows.keys(), windows.values())
    )
