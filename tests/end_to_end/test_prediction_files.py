"""Predictions as files: found and compared as the scripts of the data sets do, they have the scores of the report."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from data.idd import LABELS
from end_to_end.project import Project

# Level 1 of each label of IDD in the order of its table (AutoNUE public-code, helpers/anue_labels.py).
IDD_LEVEL_1 = dict(zip(LABELS, np.repeat([0, 1, 2, 3, 4, 5, 6, 255], [3, 3, 3, 10, 10, 4, 2, 5]), strict=True))

# The labels of Cityscapes that become each of the seven classes, and the one that is written for it
# (cityscapesScripts, helpers/labels.py).
CITYSCAPES_CLASSES = {
    7: [7, 9],
    8: [8, 10, 22],
    24: [24, 25],
    26: [26, 27, 28, 29, 30, 31, 32, 33],
    17: [12, 13, 14, 17, 18, 19, 20],
    11: [11, 15, 16, 21],
    23: [23],
}

Pairs = Iterator[tuple[np.ndarray, np.ndarray]]
"""Truth and prediction of each annotated scene of `val`, in the seven classes and void."""


def read(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Reads a prediction, which must be grey and of this size (width, height)."""
    picture = Image.open(path)
    assert (picture.mode, picture.size) == ("L", size)
    return np.asarray(picture)


def pairs_of_idd_lite(raw: Path, predictions: Path) -> Pairs:
    for path in sorted(set(raw.glob("gtFine/val/*/*_label.png")) - set(raw.glob("gtFine/val/*/*_inst_label.png"))):
        truth = Image.open(path).resize((256, 128), Image.Resampling.NEAREST)
        yield np.asarray(truth), read(predictions / path.relative_to(raw / "gtFine"), (256, 128))


def pairs_of_idd(raw: Path, predictions: Path) -> Pairs:
    for path in sorted(raw.glob("*/gtFine/val/*/*_gtFine_polygons.json")):
        annotation = json.loads(path.read_text())
        truth = Image.new("L", (annotation["imgWidth"], annotation["imgHeight"]), 255)
        for each in annotation["objects"]:
            corners = [tuple(corner) for corner in each["polygon"]]
            ImageDraw.Draw(truth).polygon(corners, fill=int(IDD_LEVEL_1[each["label"]]))
        name = path.name.replace("_gtFine_polygons.json", "_label.png")
        resized = truth.resize((1280, 720), Image.Resampling.NEAREST)
        yield np.asarray(resized), read(predictions / "val" / path.parent.name / name, (1280, 720))


def pairs_of_cityscapes(raw: Path, predictions: Path) -> Pairs:
    for path in sorted(raw.glob("gtFine/val/*/*_gtFine_labelIds.png")):
        annotated = np.asarray(Image.open(path))
        (found,) = predictions.rglob(path.name.replace("_gtFine_labelIds.png", "*.png"))
        written = read(found, (annotated.shape[1], annotated.shape[0]))
        truth, prediction = np.full_like(annotated, 255), np.full_like(annotated, 255)
        for number, (label, labels) in enumerate(CITYSCAPES_CLASSES.items()):
            truth[np.isin(annotated, labels)] = number
            prediction[written == label] = number
        yield truth, prediction


@pytest.mark.parametrize(
    ("data_set", "resolution", "read_pairs"),
    [
        pytest.param("idd_lite", "idd_protocol", pairs_of_idd_lite, marks=pytest.mark.slow),
        pytest.param("idd", "idd_protocol", pairs_of_idd, marks=pytest.mark.slow),
        ("cityscapes", "native", pairs_of_cityscapes),
    ],
)
def test_written_predictions_have_the_scores_of_the_report(
    trained_copy: Project,
    data_set: str,
    resolution: str,
    read_pairs: Callable[[Path, Path], Pairs],
    request: pytest.FixtureRequest,
) -> None:
    raw = request.getfixturevalue(f"{data_set}_folder")
    trained_copy.link(data_set, raw)
    asked = f"model_of=drawn,evaluate.resolution={resolution},evaluate.prediction_files.written=true"
    trained_copy.run("--env", data_set, "--pipelines", "prepare,evaluate", "--to-outputs", "scores", "--params", asked)
    (predictions,) = (trained_copy.folder / f"data/07_model_output/{data_set}/predictions").iterdir()
    truths, predicted = (np.concatenate(each) for each in zip(*flat(read_pairs(raw, predictions)), strict=True))
    (path,) = trained_copy.folder.glob(f"data/08_reporting/{data_set}/scores.json/*/*")
    scores = json.loads(path.read_text())["splits"]["validation"]
    counted = truths != 255
    assert scores["pixels"] == counted.sum()
    expected = []
    for number in range(7):
        true, chosen = truths[counted] == number, predicted[counted] == number
        expected.append((true & chosen).sum() / (true | chosen).sum())
    assert np.count_nonzero(expected) > 1
    assert [each["iou"] for each in scores["classes"].values()] == pytest.approx(expected, abs=1e-12)
    assert scores["mean_iou"] == pytest.approx(np.mean(expected), abs=1e-12)


def flat(pairs: Pairs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((truth.ravel(), prediction.ravel()) for truth, prediction in pairs)
