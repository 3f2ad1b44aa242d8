"""Predictions of scenes with their annotations."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from roadseg.reading.in_flight import map_in_flight
from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.segmentation import Segmentation

ReadTruth = Callable[[str], NDArray[np.uint8]]
"""From a scene's id to its label map in class ids and void, as large as it was annotated."""


@dataclass(frozen=True)
class Prediction:
    """What a network predicts for a scene, with the annotation.

    Attributes:
        scene: Id of the scene.
        truth: (height, width) uint8, class ids and void; of the size at which the two are compared.
        label_map: (height, width) uint8, class ids.
        confidence: (height, width) float32, 0..1: the softmax of the logits at the class of the label map, as
            they are: without the temperature of the model.
        found: All that the network says; None where only classes matter.
    """

    scene: str
    truth: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    found: Segmentation | None = None


def predict_scenes(
    predictor: Predictor,
    scenes: PreparedScenes,
    ids: Sequence[str],
    read_truth: ReadTruth | None = None,
    *,
    in_flight: int = 1,
) -> Iterator[Prediction]:
    """Yields the prediction of each scene, once and in order, at the size of its truth.

    Args:
        predictor: Of a model that takes images of the size of the scenes.
        scenes: Scene id -> prepared scene, with labels.
        ids: Which scenes.
        read_truth: Reads annotations; None compares with the prepared label maps.
        in_flight: How many scenes are read at the same time.
    """
    truths: deque[NDArray[np.uint8]] = deque()

    def read_pair(scene: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        image, label_map = scenes.read_pair(scene)
        return image, read_truth(scene) if read_truth else label_map

    def read() -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
        for image, truth in map_in_flight(read_pair, ids, in_flight):
            truths.append(truth)  # the predictor reads ahead
            yield image, (truth.shape[0], truth.shape[1])

    for scene, found in zip(ids, predictor.predict_at(read()), strict=True):
        plain = found if found.temperature == 1 else replace(found, temperature=1.0)  # maps are computed once
        confidence = plain.confidence  # first, as it resizes all logits, which give the classes too
        yield Prediction(scene, truths.popleft(), plain.label_map, confidence, found)
