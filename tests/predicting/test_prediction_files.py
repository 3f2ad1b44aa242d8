import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from roadseg.predicting.prediction_files import write_predictions
from roadseg.reading.folder import Folder
from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.scoring.prediction import Prediction

LABEL_MAPS = {"val/a/1": [[0, 1], [2, 0]], "val/b/1": [[2, 2, 1]]}


def write(folder, name="{scene}_label.png", ids=None):
    predictions = [
        Prediction(scene, np.zeros_like(label_map), label_map, np.ones(label_map.shape, np.float32))
        for scene, label_map in ((scene, np.array(rows, np.uint8)) for scene, rows in LABEL_MAPS.items())
    ]
    options = PredictionFileOptions(written=True, name=name, ids=ids)
    assert list(write_predictions(predictions, Folder.at(folder), 3, options)) == predictions


def test_predictions_lie_where_the_annotations_do(tmp_path):
    write(tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png")}
    assert written == {"val/a/1_label.png", "val/b/1_label.png"}
    picture = Image.open(tmp_path / "val/b/1_label.png")
    assert (picture.mode, np.asarray(picture).tolist()) == ("L", [[2, 2, 1]])


def test_each_class_is_written_as_the_id_that_is_asked_for(tmp_path):
    write(tmp_path, ids=[7, 255, 24])
    assert np.asarray(Image.open(tmp_path / "val/a/1_label.png")).tolist() == [[7, 255], [24, 7]]


def test_ids_that_are_too_few_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must be 3, one per class, received 2"):
        write(tmp_path, ids=[7, 8])


@pytest.mark.parametrize("change", [{"name": "all.png"}, {"name": "{scene}.jpg"}, {"ids": [256]}, {"ids": [-1]}])
def test_names_and_ids_that_lose_something_are_refused(change):
    with pytest.raises(ValidationError):
        PredictionFileOptions(**({"written": True, "name": "{scene}.png", "ids": None} | change))
