"""The files of a predicted picture: its label map, overlay, thumbnail, and maps of how sure the network is."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.predicting.options import PredictOptions
from roadseg.predicting.prediction_folder import OVERLAYS, PredictionFolder
from roadseg.reading.label_map_writing import encode_label_map, read_values
from roadseg.reporting.overlay import Overlay
from roadseg.segnet.dropout_samples import find_largest_variance
from roadseg.segnet.segmentation import Segmentation

THUMBNAIL, THUMBNAIL_QUALITY = 360, 80
"""Pixels of the longer side of a thumbnail, and its quality, 1..100."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFiles:
    """Writes the files of pictures.

    Attributes:
        folder: Where they go.
        overlay: Paints them.
        values: (K,) uint8, what stands for each class in a label map.
        options: Which files are written.
    """

    folder: PredictionFolder
    overlay: Overlay
    values: NDArray[np.uint8]
    options: PredictOptions

    @property
    def kinds(self) -> list[str]:
        """What is written of each picture; frames of a video have no overlay of their own."""
        overlays = [OVERLAYS] if self.options.overlays.written else []
        return ["label_maps", "thumbnails", *overlays, *(f"{name}_maps" for name in self.options.maps)]

    def write(self, picture: str, image: Image, found: Segmentation) -> None:
        """Writes thumbnail and label map of a picture, and the maps of how sure the network is that are asked for."""
        self._write_thumbnail(picture, image, found.label_map)
        for name in self.options.maps:
            self._write_map(name, picture, found)
        self.folder.write("label_maps", picture, encode_label_map(found.label_map, self.values, self.overlay.palette))

    def write_overlay(self, picture: str, image: Image, label_map: Image) -> None:
        """Writes a picture with the colours of its classes as JPEG."""
        painted = self.overlay.paint(image, label_map)
        self.folder.write("overlays", picture, _encode_jpeg(painted, self.options.overlays.quality))

    def read_label_map(self, picture: str) -> Image:
        """Returns the label map of a picture that was written: (height, width) uint8, class ids."""
        ids = np.zeros(256, np.uint8)
        ids[self.values] = np.arange(len(self.values))
        return ids[read_values(self.folder.name_file("label_maps", picture))]

    def _write_thumbnail(self, picture: str, image: Image, label_map: Image) -> None:
        height, width = label_map.shape
        scale = min(1.0, THUMBNAIL / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        small_map = cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8, copy=False)
        painted = replace(self.overlay, has_legend=False).paint(small, small_map)
        self.folder.write("thumbnails", picture, _encode_jpeg(painted, THUMBNAIL_QUALITY))

    def _write_map(self, name: str, picture: str, found: Segmentation) -> None:
        """Writes a map as grey values: 255 stands for the largest value that it can have."""
        num_classes = found.logits.shape[-1]
        if name == "confidence":
            values, largest = found.network_confidence, 1.0
        elif name == "entropy":
            values, largest = found.entropy, math.log(num_classes)
        elif found.variance is not None:
            values, largest = found.variance, find_largest_variance(num_classes)
        else:
            raise ValueError("there is no variance without samples")
        height, width = found.size
        resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        grey = np.rint(255 / largest * resized).astype(np.uint8)
        self.folder.write(f"{name}_maps", picture, cv2.imencode(".png", grey)[1].tobytes())


def _encode_jpeg(image: Image, quality: int) -> bytes:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)  # a view in that order takes twice as long to encode
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
