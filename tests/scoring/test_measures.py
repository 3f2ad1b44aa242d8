import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.scoring.measures import EvaluateOptions, measure_scene
from roadseg.scoring.prediction import Prediction

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 255, 1]], np.uint8)
PREDICTED = np.array([[0, 1, 1, 1], [0, 0, 0, 1]], np.uint8)


REST = {
    "runtime": "keras",
    "gallery_scenes": 0,
    "suspects": {"regions": 60, "confidence": 0.9},
    "samples": 0,
    "resolution": "network",
    "protocol_size": [720, 1280],
    "prediction_files": {"written": False, "name": "{scene}.png", "ids": None},
}


def measure(*further):
    prediction = Prediction("a", TRUTH, PREDICTED, np.full(TRUTH.shape, 0.9, np.float32))
    return measure_scene(prediction, 2, EvaluateOptions(batch_size=1, further_measures=further, **REST))


def test_a_scene_is_counted_once_for_each_measure():
    measures = measure("boundary_f1", "calibration_error")
    assert measures.scene == "a"
    assert measures.confusion.toarray().tolist() == [[3, 1], [0, 3]]
    # seven pixels at 0.9, six of them right
    assert measures.calibration.sum(axis=0) == pytest.approx([7, 6, 6.3], rel=1e-6)
    # the one boundary pixel of each class is a pixel off, and the tolerance of so small a picture is less
    assert measures.boundary_f1.tolist() == [0, 0]


def test_only_what_is_asked_for_is_measured():
    assert measure().boundary_f1 is measure().calibration is None
    assert measure("boundary_f1").calibration is None
    assert measure("calibration_error").boundary_f1 is None


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_size": -1}, {"batch_size": 1.0}, {"batch_size": "8"}, {"batch_size": None}]
)
def test_batch_size_is_a_positive_integer(options):
    with pytest.raises(ValidationError):
        EvaluateOptions(further_measures=[], **REST, **options)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValidationError, match="boundary_f1"):
        EvaluateOptions(batch_size=1, further_measures=["dice"], **REST)


def test_dropout_samples_of_an_exported_file_are_refused():
    message = "samples: expected 0 with runtime 'onnx', as exported files leave dropout out, received 4"
    with pytest.raises(ValidationError, match=message):
        EvaluateOptions(batch_size=1, further_measures=[], **REST | {"runtime": "onnx", "samples": 4})
    with pytest.raises(ValidationError, match="'keras' or 'onnx'"):
        EvaluateOptions(batch_size=1, further_measures=[], **REST | {"runtime": "openvino"})


def test_an_unknown_resolution_is_refused():
    with pytest.raises(ValidationError, match="idd_protocol"):
        EvaluateOptions(batch_size=1, further_measures=[], **REST | {"resolution": "raw"})
