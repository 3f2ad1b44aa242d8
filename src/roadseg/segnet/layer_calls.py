"""The calls of which a network consists."""

from typing import Any

import keras


def list_calls(network: keras.Model) -> list[Any]:
    """Returns the calls of a network's layers, as nodes of Keras, each after those whose outputs it uses.

    A node has `operation`, `input_tensors` and `outputs`; the inputs of the network are nodes too (`is_input`).
    """
    depths = network._nodes_by_depth  # Keras shows the graph nowhere else
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
