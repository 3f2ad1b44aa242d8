"""Predictions of a network, scene by scene, in class ids."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PositiveInt

from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.feeding import SceneBatches


class EvaluateOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How a network is evaluated.

    Attributes:
        batch_size: Scenes that go through the network at once.
    """

    batch_size: PositiveInt


def predict_label_maps(
    network: keras.Model, scenes: PreparedScenes, ids: Sequence[str], batch_size: int
) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yields scene id, truth and prediction of each scene, once and in order.

    Args:
        network: Model from images to logits.
        scenes: Scene id -> prepared scene, with labels.
        ids: Which scenes.
        batch_size: Scenes that go through the network at once.

    Yields:
        Scene id; (height, width) uint8 class ids and void; (height, width) uint8 class ids.
    """
    classify = keras.Model(network.input, keras.ops.argmax(network.output, axis=-1))
    batches = SceneBatches(scenes, ids, batch_size)
    for index in range(len(batches)):
        images, label_maps = batches[index]
        predictions = np.asarray(classify.predict_on_batch(images), np.uint8)
        yield from zip(ids[index * batch_size :], label_maps, predictions, strict=False)
