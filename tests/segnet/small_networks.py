"""Small networks that behave like trained ones."""

import keras
import numpy as np

from roadseg.segnet.network import NetworkOptions, build_network


def small_segnet(size, architecture="segnet", width=0.125, dropout=0.0):
    """Returns a network of four classes whose biases and batch norms do something."""
    keras.utils.set_random_seed(0)
    options = NetworkOptions(
        architecture=architecture, start="random", width=width, dropout=dropout, batch_norm_momentum=0.9
    )
    network = build_network(size, 4, options)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, variance = random.uniform(0.5, 1.5, (2, layer.gamma.shape[0]))
            beta, mean = random.normal(0, 0.3, (2, layer.gamma.shape[0]))
            layer.set_weights([gamma, beta, mean, variance])
        elif isinstance(layer, keras.layers.Conv2D) and layer.use_bias:
            layer.bias.assign(random.normal(0, 0.3, layer.bias.shape))
    return network
