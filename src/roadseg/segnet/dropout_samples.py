"""Dropout samples: what a network says of an image when it drops other activations each time.

A network that is trained with dropout stands for many, one for each choice of activations. Where they disagree, the
network does not know.

Reference:
    Kendall, Badrinarayanan and Cipolla, Bayesian SegNet, https://arxiv.org/abs/1511.02680: the mean of the softmaxes
    of the samples is the prediction, and the mean over the classes of their variance is how unsure the model is.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.segnet.backend import Tensor
from roadseg.segnet.layer_calls import list_calls

LEAST = np.finfo(np.float32).tiny
"""Stands for a probability of 0, whose logarithm is infinite."""


class NoDropoutError(InputError):
    """Samples that are asked for of a network that has no dropout."""


class DropoutSamples:
    """A network of which each prediction is drawn several times.

    Each draw drops the same activations of all images, so what is said of an image depends neither on its batch nor on
    its place there. What comes before the first dropout is computed once.
    """

    def __init__(self, network: keras.Model, count: int, seed: int, temperature: float) -> None:
        """Takes the network apart.

        Args:
            network: Functional model from images to logits; shares its layers. Batch norms do not measure.
            count: Number of draws, at least 1.
            seed: From 0; equal seeds drop the same.
            temperature: Divides the logits before each softmax.

        Raises:
            NoDropoutError: If the network has no dropout.
        """
        if not any(_drops(layer) for layer in network.layers):
            raise NoDropoutError(
                f"samples: expected 0, as the model was trained without dropout (network.dropout is 0) and all its "
                f"samples would be equal, received {count}"
            )
        drawing = _always_dropping(network)
        before = _find_inputs_of_draws(drawing)
        probabilities = keras.layers.Softmax(dtype="float32")(
            keras.layers.Rescaling(1 / temperature, dtype="float32")(drawing.output)
        )
        self._once, self._often = keras.Model(drawing.inputs, before), keras.Model(before, probabilities)
        self._generators = [layer.seed_generator for layer in drawing.layers if isinstance(layer, _AlwaysDropout)]
        self._seeds = [
            np.random.default_rng((seed, draw)).integers(0, 2**31, (len(self._generators), 2)) for draw in range(count)
        ]  # of 31 bits, which each backend can hold

    def predict(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns what the draws say together, and how far apart they are.

        With p[i, k] the probability of class k in draw i of n, and m[k] its mean over the draws, the variance is the
        mean over k and i of (p[i, k] - m[k])^2.

        Args:
            images: (batch, height, width, 3) uint8, of the network's size.

        Returns:
            The logarithm of the mean of the softmaxes, (batch, height, width, classes) float32, and the variance,
            (batch, height, width) float32, from 0.
        """
        before = self._once.predict_on_batch(images)
        first = self._draw(before, self._seeds[0])
        # Differences from the first draw: squares of probabilities near 1 would lose what differs.
        total, squares = np.zeros_like(first), np.zeros(first.shape[:-1], np.float32)
        for seeds in self._seeds[1:]:
            difference = self._draw(before, seeds) - first
            total += difference
            squares += np.einsum("...k,...k", difference, difference)
        shift = total / len(self._seeds)
        variance = (squares / len(self._seeds) - np.einsum("...k,...k", shift, shift)) / first.shape[-1]
        return np.log(np.maximum(first + shift, LEAST)), np.maximum(variance, 0)

    def _draw(self, before: list[Any], seeds: NDArray[np.int64]) -> NDArray[np.float32]:
        for generator, state in zip(self._generators, seeds, strict=True):
            generator.state.assign(state)
        probabilities: NDArray[np.float32] = self._often.predict_on_batch(before)
        return probabilities


class _AlwaysDropout(keras.layers.Dropout):
    """Drops in predictions too, and the same of each image of a batch."""

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        # Keras' own dropout draws in the type of the inputs, and so would drop others in bfloat16.
        drawn = keras.random.uniform((1, *inputs.shape[1:]), dtype="float32", seed=self.seed_generator)
        return ops.where(drawn >= self.rate, inputs / (1 - self.rate), ops.zeros_like(inputs))


def find_largest_variance(num_classes: int) -> float:
    """Returns the largest variance that `DropoutSamples.predict` can return: (K - 1) / K^2 for K classes.

    The sum over k of the variances is the mean over i of the sum over k of p[i, k]^2, less the sum over k of m[k]^2.
    The former is at most 1, the latter at least 1 / K, as probabilities sum to 1. So the sum is at most 1 - 1 / K, and
    the mean over k is that by K. It is reached if each draw is sure, and each class comes equally often.
    """
    return (num_classes - 1) / num_classes**2


def _drops(layer: keras.Layer) -> bool:
    return isinstance(layer, keras.layers.Dropout) and layer.rate > 0


def _always_dropping(network: keras.Model) -> keras.Model:
    """Returns the network, of its own layers, but those that drop always do."""

    def replace(layer: keras.Operation) -> keras.Operation:
        drops = isinstance(layer, keras.Layer) and _drops(layer)
        return _AlwaysDropout.from_config(layer.get_config() | {"seed": 0}) if drops else layer

    return keras.models.clone_model(network, clone_function=replace)


def _find_inputs_of_draws(network: keras.Model) -> list[keras.KerasTensor]:
    """Returns all that layers behind a dropout, or the dropouts themselves, use of the layers before them."""
    drawn: set[int] = set()
    used: dict[int, keras.KerasTensor] = {}
    for node in list_calls(network):
        if isinstance(node.operation, _AlwaysDropout) or any(id(each) in drawn for each in node.input_tensors):
            used |= {id(each): each for each in node.input_tensors if id(each) not in drawn}
            drawn |= {id(each) for each in node.outputs}
    return list(used.values())
