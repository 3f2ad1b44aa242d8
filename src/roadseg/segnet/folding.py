"""A network only for prediction: each convolution contains the scale and shift of the batch norm after it."""

from collections import Counter
from typing import Any

import keras

from roadseg.segnet.layer_calls import list_calls
from roadseg.segnet.network import ALWAYS_FLOAT32


def fold_batch_norms(network: keras.Model, policy: str | None = None) -> keras.Model:
    """Returns a network that predicts the same as another one, with one pass less over each map.

    Once trained, a batch norm scales and shifts each channel by numbers that no longer change. Put into the kernel
    and the bias of the convolution before it, they cost nothing. Logits are the same up to rounding.

    Args:
        network: Functional model, such as `build_network` returns.
        policy: Name of the Keras dtype policy to predict with, such as `float32` or `mixed_bfloat16`, for all layers
            but those that compute in float32 under every policy; None keeps that of each layer.

    Returns:
        Model with the same inputs, outputs and names of layers and with weights of its own, without the batch norms
        that alone use what a convolution returns; where there are none and no policy is given, the network itself.

    Reference:
        Jacob et al., https://arxiv.org/abs/1712.05877, equation 14.
    """
    norms = _find_norms(network)
    if not norms and not policy:
        return network
    folded_away = {norm.name for norm in norms.values()}

    def clone(layer: keras.Operation) -> keras.Operation:
        changes: dict[str, Any] = {"use_bias": True} if layer.name in norms else {}
        if policy and isinstance(layer, keras.Layer) and layer.name not in ALWAYS_FLOAT32:
            changes["dtype"] = policy
        return layer.from_config(layer.get_config() | changes)

    def call(layer: keras.Operation, inputs: keras.KerasTensor, *others: keras.KerasTensor, **arguments: Any) -> Any:
        return inputs if layer.name in folded_away else layer(inputs, *others, **arguments)

    folded = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in network.layers:
        weights = layer.get_weights()
        if weights and layer.name not in folded_away:
            norm = norms.get(layer.name)
            folded.get_layer(layer.name).set_weights(_fold(weights, norm) if norm else weights)
    return folded


def _find_norms(network: keras.Model) -> dict[str, keras.layers.BatchNormalization]:
    """Returns the batch norm to fold into each convolution, by the name of the convolution.

    Each of the two is called once, and only the norm uses what the convolution returns.
    """
    calls = list_calls(network)
    count = Counter(node.operation for node in calls)
    used = Counter(id(each) for node in calls for each in node.input_tensors)
    used.update(id(each) for each in network.outputs)
    once = [node for node in calls if count[node.operation] == 1]
    convolutions = {id(node.outputs[0]): node.operation for node in once if _is_linear_convolution(node.operation)}
    norms = {id(node.input_tensors[0]): node.operation for node in once if _scales_channels(node.operation)}
    return {convolutions[each].name: norms[each] for each in norms if each in convolutions and used[each] == 1}


def _is_linear_convolution(operation: keras.Operation) -> bool:
    return isinstance(operation, keras.layers.Conv2D) and operation.activation is keras.activations.linear


def _scales_channels(operation: keras.Operation) -> bool:
    is_norm = isinstance(operation, keras.layers.BatchNormalization)
    return is_norm and operation.axis in (-1, 3) and operation.scale and operation.center


def _fold(weights: list[Any], norm: keras.layers.BatchNormalization) -> list[Any]:
    """Returns the kernel and the bias of a convolution whose output a batch norm would scale and shift."""
    kernel, bias = weights if len(weights) == 2 else (weights[0], 0.0)
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / (variance + norm.epsilon) ** 0.5
    return [kernel * scale, beta + (bias - mean) * scale]
