"""Predicted pictures: a versioned folder, with an index."""

import base64
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from kedro_datasets._typing import ImagePreview

from roadseg.datasets.versioned_folder import VersionedFolderDataset

if TYPE_CHECKING:
    from roadseg.predicting.predicted_pictures import PredictedPictures

COLUMNS = 3
"""Pictures beside each other in a preview."""


class PredictedPicturesDataset(VersionedFolderDataset["PredictedPictures", "PredictedPictures"]):
    """Saves the folder of a prediction by moving or copying it to its place, and loads it as `PredictedPictures`.

    Examples:
        ```yaml
        predicted_pictures:
          type: roadseg.datasets.predicted_pictures.PredictedPicturesDataset
          filepath: data/07_model_output/drawn/predicted_pictures
          versioned: true
        ```
    """

    LAST = "index.json"

    def load(self) -> "PredictedPictures":
        """Returns what is in the folder.

        Raises:
            FileError: If its index is missing or damaged.
        """
        from roadseg.predicting.predicted_pictures import (
            load_predicted,  # brings Keras, which `prepare` need not wait for
        )

        return load_predicted(self._open(self._get_load_path()))

    def save(self, data: "PredictedPictures") -> None:
        """Moves or copies the folder to its place; what is there without a version goes."""
        folder, finished = self._open(self._get_save_path()), data.folder.on_disk
        if folder.is_local:
            path = folder.on_disk
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                shutil.rmtree(path)
            shutil.move(finished, path)
        else:
            folder.replace_by(finished, self.LAST)
            shutil.rmtree(finished)
        data.release()

    def preview(self, pictures: int = 12, width: int = 320) -> ImagePreview:
        """Returns evenly spaced pictures with the colours of their classes for Kedro-Viz."""
        predicted = self.load()
        names = [each.picture for each in predicted.entries if not each.fault]
        chosen = [names[place] for place in np.linspace(0, len(names) - 1, min(pictures, len(names))).astype(int)]
        sheet = _lay_out([predicted.read_thumbnail(name) for name in chosen], width)
        return ImagePreview(base64.b64encode(cv2.imencode(".png", sheet)[1].tobytes()).decode())


def _lay_out(thumbnails: list[bytes], width: int) -> np.ndarray[Any, Any]:
    """Returns pictures in rows, (height, width, 3) uint8 as OpenCV has them; no side is longer than `width`."""
    tiles = [_fit(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), width) for content in thumbnails]
    rows = []
    for start in range(0, len(tiles), COLUMNS):
        pictured = tiles[start : start + COLUMNS]
        row = np.full((max(len(tile) for tile in pictured), COLUMNS * width, 3), 255, np.uint8)
        for column, tile in enumerate(pictured):
            row[: tile.shape[0], column * width : column * width + tile.shape[1]] = tile
        rows.append(row)
    return np.vstack(rows)


def _fit(image: Any, longest: int) -> np.ndarray[Any, Any]:
    scale = longest / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    fitted: np.ndarray[Any, Any] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return fitted
