"""Predictions of a network, scene by scene, in class ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet import keras
from roadseg.segnet.layers import compiled
from roadseg.segnet.out_of_memory import explaining_memory
from roadseg.training.feeding import SceneBatches

Tensor = Any  # of the backend that Keras runs on

ADVICE = "a smaller evaluate.batch_size, or CUDA_VISIBLE_DEVICES= before the command, which keeps to the processor"
"""What to try where memory runs out."""


@dataclass(frozen=True)
class Prediction:
    """What a network says of a scene, beside what was annotated.

    Attributes:
        scene: Id of the scene.
        truth: (height, width) uint8, class ids and void; of the size at which the two are compared.
        label_map: (height, width) uint8, class ids.
        confidence: (height, width) float32, 0..1: the softmax of the logits at the class of the label map.
    """

    scene: str
    truth: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    confidence: NDArray[np.float32]


def predict_scenes(
    network: keras.Model, scenes: PreparedScenes, ids: Sequence[str], batch_size: int
) -> Iterator[Prediction]:
    """Yields the prediction of each scene, once and in order.

    Args:
        network: Model from images to logits.
        scenes: Scene id -> prepared scene, with labels.
        ids: Which scenes.
        batch_size: Scenes that go through the network at once.
    """
    batches = SceneBatches(scenes, ids, batch_size)
    for index in range(len(batches)):
        images, truth = batches[index]
        chosen = map(keras.ops.convert_to_numpy, _choose_class(_predict_batch(network, images, batch_size)))
        named = zip(ids[index * batch_size :], zip(truth, *chosen, strict=False), strict=False)
        yield from (Prediction(scene, *each) for scene, each in named)


def predict_logits(
    network: keras.Model, scenes: PreparedScenes, ids: Sequence[str], batch_size: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yields each scene with its logits, (height, width, classes) float32, once and in order; see `predict_scenes`."""
    batches = SceneBatches(scenes, ids, batch_size)
    for index in range(len(batches)):
        logits = _predict_batch(network, batches[index][0], batch_size)
        yield from zip(ids[index * batch_size :], logits, strict=False)


def choose_class(logits: NDArray[np.float32], size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Returns the most probable class of each pixel at another size, and its softmax.

    Args:
        logits: (height, width, classes) float32; resized bilinearly, before a class is chosen.
        size: (height, width) in pixels.
    """
    resized = keras.ops.image.resize(logits[None], size, interpolation="bilinear", data_format="channels_last")
    ids, confidence = _choose_class(resized)
    return keras.ops.convert_to_numpy(ids)[0], keras.ops.convert_to_numpy(confidence)[0]


def _predict_batch(network: keras.Model, images: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    """Returns the logits of images, and of more where the images are fewer than a batch: of the last one, again.

    TensorFlow and JAX would trace the network anew for each number of images.
    """
    last = np.repeat(images[-1:], batch_size - len(images), axis=0)
    with explaining_memory(f"{batch_size} scenes at once", ADVICE):
        logits: NDArray[np.float32] = network.predict_on_batch(np.concatenate([images, last]))
    return logits


@compiled  # as TensorFlow's own operations, these take as long as half of the network
def _choose_class(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the class with the highest logit, of equal ones the first, and its softmax.

    Args:
        logits: (batch, height, width, classes) float32.

    Returns:
        Two tensors of (batch, height, width): uint8 class ids, float32 probabilities.
    """
    logits = keras.ops.convert_to_tensor(logits)  # PyTorch compares no array with a tensor
    first, *others = values = [logits[..., index] for index in range(logits.shape[-1])]
    # Class by class XLA is twice as quick as with argmax() and max() over the last axis.
    highest, ids = first, keras.ops.zeros_like(first, dtype="uint8")
    for index, value in enumerate(others, start=1):
        higher = value > highest
        highest = keras.ops.where(higher, value, highest)
        ids = keras.ops.where(higher, keras.ops.cast(index, "uint8"), ids)
    return ids, 1 / sum(keras.ops.exp(value - highest) for value in values)
