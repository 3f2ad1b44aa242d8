"""Models and images for the tests of exports."""

import numpy as np

from model_records import model_record
from roadseg.segnet.trained import TrainedSegNet

CLASSES = ["road", "sky", "car", "tree"]


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
