"""Small networks for the tests of exports."""

import keras
import numpy as np

from model_records import model_record
from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.segnet.trained import TrainedSegNet

CLASSES = ["road", "sky", "car", "tree"]


def model_of(network, **changes):
    """Returns a network with a record that fits it."""
    _, *size, _ = network.output.shape
    return TrainedSegNet(network, model_record(classes=CLASSES, image_size=size, **changes))


def small_segnet(size, architecture="segnet", width=0.125, dropout=0.0):
    """Returns a network whose biases and batch norms do something."""
    keras.utils.set_random_seed(0)
    options = NetworkOptions(
        architecture=architecture, start="random", width=width, dropout=dropout, batch_norm_momentum=0.9
    )
    network = build_network(size, len(CLASSES), options)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, variance = random.uniform(0.5, 1.5, (2, layer.gamma.shape[0]))
            beta, mean = random.normal(0, 0.3, (2, layer.gamma.shape[0]))
            layer.set_weights([gamma, beta, mean, variance])
        elif isinstance(layer, keras.layers.Conv2D) and layer.use_bias:
            layer.bias.assign(random.normal(0, 0.3, layer.bias.shape))
    return network


def pictures(size):
    """Returns five images: noise, a dark one, one of one colour, a white one, and one in which most windows tie."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (*size, 3), np.uint8)
    one_colour = np.broadcast_to(np.array([90, 120, 37], np.uint8), noise.shape)
    two_values = 255 * random.integers(0, 2, (*size, 3), np.uint8)
    return np.stack([noise, np.zeros_like(noise), one_colour, np.full_like(noise, 255), two_values])
