"""The scores of a split, in one table, from which summary, tables, comparison, figures, report and log are made.

To add a score, add a row here. Its function stands in `metrics.py` if class counts are enough for it, else above the
table or with its statistic. Tests then ask for a value worked by hand and for a row in `docs/measures.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from roadseg.scoring.calibration import calibration_error
from roadseg.scoring.metrics import frequency_weighted_iou, mean_class_accuracy, mean_iou, pixel_accuracy

Statistic = Literal["counts", "boundaries", "calibration", "scaled_calibration"]


@dataclass(frozen=True)
class Score:
    """A number from 0 to 1 that says how good a network is.

    Attributes:
        name: In tables, files and the log.
        title: In figures, report and documentation.
        meaning: Half a line on what it is.
        statistic: What it is computed from, as `DriveStatistics` names it; from `counts` it can be compared scene by
            scene between two runs.
        compute: From the sum of the statistic over drives; NaN if it is undefined.
        best: The score of a perfect network: 1, or 0 for an error.
    """

    name: str
    title: str
    meaning: str
    statistic: Statistic
    compute: Callable[[NDArray[Any]], float]
    best: Literal[0, 1] = 1


def mean_boundary_f1(boundaries: NDArray[Any]) -> float:
    """Returns the boundary F1 as in the SegNet paper, 0..1: mean over the classes of a scene, then over the scenes.

    Args:
        boundaries: (K + 1, 2) float64, as in `DriveStatistics`; without scenes the F1 is NaN.
    """
    total, scenes = boundaries[-1]
    return float(total / scenes) if scenes else float("nan")


_ROWS = (
    Score("mean_iou", "mean IoU", "of the classes that occur: hits / (true + predicted - hits)", "counts", mean_iou),
    Score("pixel_accuracy", "pixel accuracy", "hits / all pixels; large classes dominate it", "counts", pixel_accuracy),
    Score(
        "mean_class_accuracy",
        "mean class accuracy",
        "of the true classes: hits / true pixels",
        "counts",
        mean_class_accuracy,
    ),
    Score(
        "frequency_weighted_iou",
        "frequency-weighted IoU",
        "IoU, each class weighted by its true pixels",
        "counts",
        frequency_weighted_iou,
    ),
    Score(
        "boundary_f1",
        "boundary F1",
        "boundary pixels found within 0.75 % of the diagonal; mean over the classes of a scene, then over scenes",
        "boundaries",
        mean_boundary_f1,
    ),
    Score(
        "calibration_error",
        "calibration error",
        "difference between confidence and accuracy",
        "calibration",
        calibration_error,
        best=0,
    ),
    Score(
        "scaled_calibration_error",
        "calibration error, scaled",
        "the same of confidences at the model's temperature",
        "scaled_calibration",
        calibration_error,
        best=0,
    ),
)

SCORES: Mapping[str, Score] = {each.name: each for each in _ROWS}
"""Name -> score, in the order in which scores are shown."""


def list_scores(statistic: Statistic) -> list[Score]:
    """Returns the scores that are computed from a statistic, in their order."""
    return [each for each in SCORES.values() if each.statistic == statistic]
