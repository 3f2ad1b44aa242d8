"""Annotations that may be wrong: scenes and regions where a sure network says another class.

All is compared at the network's size, whatever the resolution of an evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, NonNegativeInt

from roadseg.scenes.labels import VOID
from roadseg.scenes.preprocessing import resize_label_map
from roadseg.segnet.segmentation import Segmentation

SOFTNESS = 0.1
"""Of the soft minimum, as its authors chose it: towards 0 it is the minimum, and with more and more the mean."""

REGION = ["truth", "predicted", "top", "left", "height", "width", "pixels", "confidence"]
"""Of a region: the annotated class and that of the network, its box in pixels, its size, and its mean confidence."""

SCENE = ["split", "drive", "scene", "resolution"]


class SuspectOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Which regions are listed whose annotation may be wrong.

    Attributes:
        regions: How many, those of all scenes where the network says most surely another class.
        confidence: From which confidence on a network is sure, 0..1.
    """

    regions: NonNegativeInt
    confidence: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Disagreement:
    """Where a network and an annotation disagree.

    Attributes:
        label_quality: 0..1, as `rate_labels` returns it; NaN where all is void.
        regions: (regions, 8) float64, as `find_regions` returns them.
    """

    label_quality: float
    regions: NDArray[np.float64]


def find_disagreement(found: Segmentation, truth: NDArray[np.uint8], options: SuspectOptions) -> Disagreement:
    """Returns where a network and an annotation disagree, at the network's size.

    Args:
        found: What the network says.
        truth: (height, width) uint8, class ids and void; resized from the nearest pixel.
        options: Which regions are kept.
    """
    size = found.logits.shape[0], found.logits.shape[1]
    truth = truth if truth.shape == size else resize_label_map(truth, size)
    found = found if found.size == size else replace(found, size=size)
    confidence, label_map = found.confidence, found.label_map
    known = np.flatnonzero(truth != VOID)
    logits, starts = found.logits.ravel(), known * found.logits.shape[-1]  # a sixth of the time of take_along_axis()
    annotated, chosen = (logits[starts + ids.ravel()[known]] for ids in (truth, label_map))
    probabilities = confidence.ravel()[known] * np.exp((annotated - chosen) / np.float32(found.temperature))
    return Disagreement(rate_labels(probabilities), find_regions(truth, label_map, confidence, options))


def rate_labels(probabilities: NDArray[np.float32]) -> float:
    """Returns the soft minimum of the probabilities, 0..1: low where the network finds some annotated pixels unlikely.

    It is their mean, weighted by exp((1 - probability) / `SOFTNESS`).

    Args:
        probabilities: (pixels,) float32: what the network gives to the annotated class; of none, NaN is returned.

    Reference:
        Lad and Mueller, https://arxiv.org/abs/2307.05080.
    """
    if not len(probabilities):
        return np.nan
    return float(np.average(probabilities, weights=np.exp((1 - probabilities.astype(np.float64)) / SOFTNESS)))


def find_regions(
    truth: NDArray[np.uint8], label_map: NDArray[np.uint8], confidence: NDArray[np.float32], options: SuspectOptions
) -> NDArray[np.float64]:
    """Returns the regions of one annotated and one other predicted class of which the network is sure, worst first.

    A region is of pixels that touch each other, at corners too. Of two regions that one is worse whose confidences
    have the greater sum: it is larger, or the network is surer of it.

    Args:
        truth: (height, width) uint8, class ids and void, which is in no region.
        label_map: (height, width) uint8, predicted class ids.
        confidence: (height, width) float32, 0..1.
        options: Which regions are kept.

    Returns:
        (regions, 8) float64: the columns of `REGION`, classes by their ids.

    Reference:
        Components of a prediction that the annotation lacks: Rottmann and Reese, https://arxiv.org/abs/2207.06104. What
        they learn of a component is left out here.
    """
    sure = (truth != VOID) & (truth != label_map) & (confidence >= options.confidence)
    pairs = truth.astype(np.uint16) * 256 + label_map
    regions = [np.zeros((0, len(REGION)))]
    for pair in np.unique(pairs[sure]).tolist():
        boxes = _join_pixels(sure & (pairs == pair), confidence)
        regions.append(np.column_stack([np.full((len(boxes), 2), divmod(pair, 256)), boxes]))
    joined = np.concatenate(regions)
    sums = joined[:, REGION.index("pixels")] * joined[:, REGION.index("confidence")]
    return joined[np.argsort(-sums, kind="stable")[: options.regions]]


def _join_pixels(mask: NDArray[np.bool_], confidence: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns a row per component of the mask: the columns of `REGION` from `top` on."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    window = slice(top, top + height), slice(left, left + width)  # few pixels of a picture are of one pair of classes
    _, labels, found, _ = cv2.connectedComponentsWithStats(mask[window].astype(np.uint8))
    sums = np.bincount(labels.ravel(), confidence[window].ravel())[1:]
    lefts, tops, widths, heights, pixels = found[1:].T
    return np.column_stack([tops + top, lefts + left, heights, widths, pixels, sums / pixels])


def tabulate_suspect_scenes(scenes: pd.DataFrame, disagreements: Sequence[Disagreement | None]) -> pd.DataFrame:
    """Returns a row per scene, the lowest label quality first: `rank` from 1, `SCENE` and `label_quality`.

    Args:
        scenes: As `list_scenes` returns them.
        disagreements: Of these scenes; None where they were not asked for. Such scenes, and void ones, have no row.
    """
    qualities = [np.nan if each is None else each.label_quality for each in disagreements]
    table = scenes[SCENE].assign(resolution="network", label_quality=np.array(qualities, np.float64))
    return _rank(table.dropna(subset="label_quality").sort_values("label_quality", kind="stable"))


def tabulate_suspect_regions(
    scenes: pd.DataFrame,
    disagreements: Sequence[Disagreement | None],
    class_names: Sequence[str],
    options: SuspectOptions,
) -> pd.DataFrame:
    """Returns a row per region, the worst of all scenes first: `rank` from 1, `SCENE` and `REGION`.

    Args:
        scenes: As `list_scenes` returns them.
        disagreements: Of these scenes; None where they were not asked for.
        class_names: K names in the order of the ids.
        options: How many regions are kept.
    """
    regions = [np.zeros((0, len(REGION))) if each is None else each.regions for each in disagreements]
    places = np.repeat(np.arange(len(scenes)), [len(each) for each in regions])
    found = pd.DataFrame(np.concatenate([np.zeros((0, len(REGION))), *regions]), columns=REGION)
    worst = np.argsort(-(found["pixels"] * found["confidence"]).to_numpy(), kind="stable")[: options.regions]
    found = found.iloc[worst].reset_index(drop=True)
    table = scenes[SCENE].iloc[places[worst]].reset_index(drop=True).assign(resolution="network")
    names = np.array(class_names, object)
    classes = {role: names[found[role].to_numpy(np.intp)] for role in ("truth", "predicted")}
    types = dict.fromkeys(["height", "width"], "Int64") | dict.fromkeys(["top", "left", "pixels"], "int64")
    return _rank(table.join(found.assign(**classes).astype(types | dict.fromkeys(classes, "str"))))


def _rank(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table
