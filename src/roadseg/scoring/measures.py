"""What is counted in one scene; all scores come from these counts, which add up over scenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeInt, PositiveInt, Strict, model_validator
from scipy.sparse import coo_array

from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.scenes.preprocessing import resize_label_map
from roadseg.scoring.boundaries import boundary_f1, boundary_tolerance
from roadseg.scoring.calibration import count_calibration
from roadseg.scoring.disagreement import Disagreement, SuspectOptions, find_disagreement
from roadseg.scoring.error_detection import count_doubts, list_doubts
from roadseg.scoring.metrics import count_confusion
from roadseg.scoring.prediction import Prediction


class EvaluateOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How a network is evaluated.

    Attributes:
        runtime: What runs the network: `keras`, or with `onnx` onnxruntime runs the file that was exported from it.
        batch_size: Scenes that go through the network at once.
        further_measures: What is measured beside the confusion matrices.
        samples: Passes with dropout whose mean is scored; 0 is one pass without.
        resolution: At which size prediction and truth are compared, see `predict_at`.
        protocol_size: (height, width) in pixels; used by the resolution `idd_protocol` alone.
        prediction_files: Whether and how predictions are written too.
        gallery_scenes: Scenes of each split that the report shows.
        suspects: Which regions are listed whose annotation may be wrong.
    """

    runtime: Literal["keras", "onnx"]
    batch_size: PositiveInt
    further_measures: Sequence[Literal["boundary_f1", "calibration_error", "error_detection", "suspects"]]
    samples: NonNegativeInt
    resolution: Literal["network", "native", "idd_protocol"]
    protocol_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(strict=False)]
    prediction_files: PredictionFileOptions
    gallery_scenes: NonNegativeInt
    suspects: SuspectOptions

    @model_validator(mode="after")
    def _check_samples(self) -> Self:
        if self.samples and self.runtime != "keras":
            raise ValueError(
                f"samples: expected 0 with runtime '{self.runtime}', as exported files leave dropout out, received "
                f"{self.samples}"
            )
        return self


@dataclass(frozen=True)
class SceneMeasures:
    """Counts of one scene.

    Attributes:
        scene: Its id.
        confusion: (K, K) int64, true classes along the rows; sparse, as most pairs of many classes never meet.
        boundary_f1: (K,) float64, 0..1; NaN for a class without a boundary in the truth. None if it was not asked for.
        calibration: (bins, 3) float64, as `count_calibration` returns it. None if it was not asked for.
        scaled_calibration: The same of the confidences at the temperature of the model; None also where it has none.
        doubts: Name of a doubt -> what `count_doubts` returns; empty if they were not asked for.
        disagreement: Where the network and the annotation disagree. None if it was not asked for.
    """

    scene: str
    confusion: coo_array
    boundary_f1: NDArray[np.float64] | None
    calibration: NDArray[np.float64] | None
    scaled_calibration: NDArray[np.float64] | None = None
    doubts: Mapping[str, coo_array] = field(default_factory=dict)
    disagreement: Disagreement | None = None


def measure_scene(prediction: Prediction, num_classes: int, options: EvaluateOptions) -> SceneMeasures:
    """Returns the counts of a scene.

    Args:
        prediction: Of the scene.
        num_classes: Number of classes K.
        options: Which measures are asked for.
    """
    truth, label_map = prediction.truth, prediction.label_map
    asked = options.further_measures
    return SceneMeasures(
        prediction.scene,
        coo_array(count_confusion(truth, label_map, num_classes)),
        boundary_f1(truth, label_map, num_classes, boundary_tolerance(truth.shape)) if "boundary_f1" in asked else None,
        count_calibration(truth, label_map, prediction.confidence) if "calibration_error" in asked else None,
        _count_scaled(prediction) if "calibration_error" in asked else None,
        _count_doubts(prediction) if "error_detection" in asked else {},
        _find_disagreement(prediction, options.suspects) if "suspects" in asked else None,
    )


def _count_scaled(prediction: Prediction) -> NDArray[np.float64] | None:
    found = prediction.found
    if found is None or found.temperature == 1:
        return None
    height, width = prediction.truth.shape
    confidence = resize_label_map(found.confidence, (height, width))
    return count_calibration(prediction.truth, prediction.label_map, confidence)


def _count_doubts(prediction: Prediction) -> dict[str, coo_array]:
    """Returns how many pixels of each doubt are right and wrong, for all doubts that the network gives."""
    if prediction.found is None:
        return {}
    doubts = list_doubts(prediction.found, (prediction.truth.shape[0], prediction.truth.shape[1]))
    return {name: count_doubts(each, prediction.truth, prediction.label_map) for name, each in doubts.items()}


def _find_disagreement(prediction: Prediction, options: SuspectOptions) -> Disagreement | None:
    return None if prediction.found is None else find_disagreement(prediction.found, prediction.truth, options)
