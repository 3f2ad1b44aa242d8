"""At which size predictions and truth are compared."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from roadseg.reading.in_flight import map_in_flight
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.preprocessing import resize_label_map
from roadseg.scoring.measures import EvaluateOptions
from roadseg.scoring.prediction import Prediction, ReadTruth, predict_scenes
from roadseg.segnet.predictor import Predictor


def predict_at(
    predictor: Predictor,
    scenes: PreparedScenes,
    ids: Sequence[str],
    options: EvaluateOptions,
    read_truth: ReadTruth,
    *,
    in_flight: int = 1,
) -> Iterator[Prediction]:
    """Yields the prediction of each scene, once and in order, at the size of `options.resolution`.

    `network`: as the scenes were prepared; `read_truth` is not called.
    `native`: the logits are resized bilinearly to the size of the annotation, then a class is chosen.
    `idd_protocol`: a class is chosen at the network's size, then prediction and annotation are resized to
    `options.protocol_size`, each pixel from the nearest.

    Args:
        predictor: Of a model that takes images of the size of the scenes.
        scenes: Scene id -> prepared scene, with labels.
        ids: Which scenes.
        options: Resolution.
        read_truth: Reads annotations.
        in_flight: How many scenes are read at the same time.

    Reference:
        `evaluation/evaluate_mIoU.py` and `idd_lite_evaluate_mIoU.py` of AutoNUE public-code, commit 5d9a93b: 1280x720
        pixels, and 256x128 for IDD-Lite.
    """
    if options.resolution == "native":
        yield from predict_scenes(predictor, scenes, ids, read_truth, in_flight=in_flight)
        return
    for each in predict_scenes(predictor, scenes, ids, in_flight=in_flight):
        if options.resolution == "network":
            yield each
        else:
            truth, label_map = (
                resize_label_map(label_map, options.protocol_size)
                for label_map in (read_truth(each.scene), each.label_map)
            )
            confidence = resize_label_map(each.confidence, options.protocol_size)
            yield Prediction(each.scene, truth, label_map, confidence, each.found)


def guess_at(
    guess: NDArray[np.uint8],
    scenes: PreparedScenes,
    ids: Sequence[str],
    options: EvaluateOptions,
    read_truth: ReadTruth,
    *,
    in_flight: int = 1,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yields truth and guess of each scene, once and in order, at the size at which `predict_at` compares it.

    Args:
        guess: (height, width) uint8, class ids; the same for all scenes, resized from the nearest pixel.
        scenes: As in `predict_at`.
        ids: As in `predict_at`.
        options: As in `predict_at`.
        read_truth: As in `predict_at`.
        in_flight: As in `predict_at`.
    """
    read = (lambda scene: scenes.read_pair(scene)[1]) if options.resolution == "network" else read_truth
    for truth in map_in_flight(read, ids, in_flight):
        if options.resolution == "idd_protocol":
            truth = resize_label_map(truth, options.protocol_size)
        yield truth, resize_label_map(guess, (truth.shape[0], truth.shape[1]))
