"""A network for prediction alone: the scale and shift of each batch norm in the convolution before it."""

from itertools import pairwise
from typing import Any

import keras


def fold_batch_norms(network: keras.Model) -> keras.Model:
    """Returns a network that predicts what another one predicts, with a pass over each map less.

    Once trained, a batch norm scales and shifts each channel by numbers that no longer change. In the kernel and the
    bias of the convolution before it they cost nothing. Logits are the same up to rounding.

    Args:
        network: Functional model whose layers follow one another, such as `build_network` returns.

    Returns:
        Model with the same inputs, outputs and names of layers, without the batch norms that follow a convolution, and
        with weights of its own; where there are none, the network itself.

    Reference:
        Jacob et al., https://arxiv.org/abs/1712.05877, equation 14.
    """
    norms = {
        before.name: layer
        for before, layer in pairwise(network.layers)
        if isinstance(before, keras.layers.Conv2D) and isinstance(layer, keras.layers.BatchNormalization)
    }
    if not norms:
        return network
    folded_away = {norm.name for norm in norms.values()}

    def clone(layer: keras.Layer) -> keras.Layer:
        biased = {"use_bias": True} if layer.name in norms else {}
        return layer.from_config(layer.get_config() | biased)

    def call(layer: keras.Layer, inputs: keras.KerasTensor, *others: keras.KerasTensor, **arguments: Any) -> Any:
        return inputs if layer.name in folded_away else layer(inputs, *others, **arguments)

    folded = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in network.layers:
        weights = layer.get_weights()
        if not weights or layer.name in folded_away:
            continue
        if layer.name in norms:
            norm = norms[layer.name]
            kernel, bias = weights if len(weights) == 2 else (weights[0], 0.0)
            gamma, beta, mean, variance = norm.get_weights()
            scale = gamma / (variance + norm.epsilon) ** 0.5
            weights = [kernel * scale, beta + (bias - mean) * scale]
        folded.get_layer(layer.name).set_weights(weights)
    return folded
