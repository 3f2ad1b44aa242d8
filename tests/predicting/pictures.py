"""Drawn pictures and a network whose answer is known, for tests of predictions."""

from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

from model_records import model_record
from roadseg.predicting.options import PredictOptions
from roadseg.predicting.picture_files import PictureFiles
from roadseg.predicting.prediction_folder import PredictionFolder
from roadseg.reporting.overlay import Overlay
from roadseg.scenes.palette import Palette
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

SIZE = (12, 16)
RECORD = model_record(classes=["red", "green", "blue"], image_size=SIZE, temperature=None)
PALETTE = Palette(RECORD.classes)
OPTIONS = {
    "batch_size": 2,
    "samples": 0,
    "unsure_below": 0.5,
    "label_maps": {"ids": None},
    "overlays": {"written": True, "opacity": 0.5, "quality": 95},
    "maps": ["confidence", "entropy"],
    "video": {"every": 1, "start": 0.0, "end": None},
    "page_pictures": 4,
    "annotation_pictures": 3,
}


def predict_options(**changes: Any) -> PredictOptions:
    """Returns options, some of them others than in `OPTIONS`."""
    return PredictOptions.model_validate(OPTIONS | changes)


def model_of_colours() -> TrainedSegNet:
    """Returns a model whose logits are the image divided by 64: red is class 0, green 1, blue 2."""
    images = keras.Input((*SIZE, 3))
    return TrainedSegNet(keras.Model(images, keras.layers.Rescaling(1 / 64)(images)), RECORD)


def name_colours() -> Predictor:
    """Returns the predictor of `model_of_colours`."""
    return Predictor(model_of_colours(), batch_size=2)


def picture_files(folder: Path, **changes: Any) -> PictureFiles:
    """Returns the writer of files of a folder."""
    options = predict_options(**changes)
    values = options.label_maps.list_values(3, "ids")
    return PictureFiles(PredictionFolder(folder), Overlay(PALETTE, options.overlays.opacity), values, options)


def draw_halves(size: tuple[int, int], left: int, right: int) -> np.ndarray[Any, Any]:
    """Returns a picture of one full channel on the left and one on the right: (height, width, 3) uint8, RGB."""
    image = np.zeros((*size, 3), np.uint8)
    image[:, : size[1] // 2, left] = 255
    image[:, size[1] // 2 :, right] = 255
    return image


def save_picture(path: Path, image: np.ndarray[Any, Any]) -> None:
    """Saves a picture without loss, or as its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), image[..., ::-1])[1].tobytes())


def save_video(path: Path, images: list[np.ndarray[Any, Any]], rate: float = 10.0) -> None:
    """Saves frames as Motion JPEG in AVI."""
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
    for image in images:
        writer.write(image[..., ::-1].copy())
    writer.release()
