"""How sure a trained network should be: the temperature of its softmax, fitted on scenes that did not train it."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from roadseg.reading.in_flight import map_in_flight
from roadseg.scenes.labels import VOID
from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

PIXELS = 500_000
"""Most pixels that a temperature is fitted on; of more, an even share of each scene is drawn."""

LIMITS = 0.05, 20.0
"""Smallest and largest temperature: beyond them a network is as good as always right, or as good as blind."""


def measure_temperature(
    model: TrainedSegNet, scenes: PreparedScenes, ids: Sequence[str], seed: int, *, in_flight: int = 1
) -> float:
    """Returns the temperature of a trained network, fitted on scenes that did not train it.

    Args:
        model: The network with its record.
        scenes: Scene id -> prepared scene, with labels.
        ids: Which scenes, at least one.
        seed: As in `fit_temperature`.
        in_flight: How many scenes are read at the same time.
    """
    plain = TrainedSegNet(model.network, model.record.model_copy(update={"temperature": None}))
    truths: deque[NDArray[np.uint8]] = deque()

    def read_images() -> Iterator[NDArray[np.uint8]]:
        for image, label_map in map_in_flight(scenes.read_pair, ids, in_flight):
            truths.append(label_map)  # the predictor reads ahead
            yield image

    found = Predictor(plain).predict_each(read_images())
    return fit_temperature(((each.logits, truths.popleft()) for each in found), len(ids), seed)


def fit_temperature(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.uint8]]], count: int, seed: int) -> float:
    """Returns the number by which logits are divided, so that the softmax fits how often the network is right.

    Classes do not change by it, only confidences. It is the temperature with the smallest mean cross-entropy.

    Args:
        pairs: Logits (height, width, K) of each scene, and its label map, (height, width) class ids and void.
        count: Number of scenes.
        seed: Of the pixels that are drawn where there are more than `PIXELS`.

    Returns:
        Within `LIMITS`; above 1 for a network that is too sure, 1 where no pixel is annotated.

    Reference:
        Guo et al., https://arxiv.org/abs/1706.04599, section 4.2.
    """
    generator = np.random.default_rng(seed)
    drawn = [_draw_pixels(*pair, PIXELS // count, generator) for pair in pairs]
    logits, truth = (np.concatenate(each) for each in zip(*drawn, strict=True))
    if not len(truth):
        return 1.0

    def cross_entropy(log_temperature: float) -> float:
        scaled = log_softmax(logits / math.exp(log_temperature), axis=-1)
        return -float(np.take_along_axis(scaled, truth[:, None], axis=-1).mean(dtype=np.float64))

    found: Any = minimize_scalar(cross_entropy, bounds=[math.log(each) for each in LIMITS], method="bounded")
    return float(math.exp(found.x))


def _draw_pixels(
    logits: NDArray[np.float32], truth: NDArray[np.uint8], most: int, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns logits (pixels, K) and class ids (pixels,) of at most so many pixels that are annotated."""
    places = np.flatnonzero(truth != VOID)
    if len(places) > most:
        places = np.sort(generator.choice(places, max(most, 1), replace=False))
    return logits.reshape(-1, logits.shape[-1])[places], truth.ravel()[places].astype(np.int64)
