"""Image files of raw data sets: bytes on disk to RGB images and label maps, with a clear word when a file is broken."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kedro.io import DatasetError
from numpy.typing import NDArray


def read_image(path: Path) -> NDArray[np.uint8]:
    """Returns the image in a file: (height, width, 3) uint8, RGB.

    Raises:
        DatasetError: If the file is missing, empty or no image.
    """
    # A camera's orientation tag must not turn the image away from its label map.
    return _decode(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)


def read_label_map(path: Path) -> NDArray[Any]:
    """Returns the label map in a file: (height, width) uint8 or uint16, raw ids.

    Raises:
        DatasetError: If the file is missing, empty, no image, or has more than one channel.
    """
    label_map = _decode(path, cv2.IMREAD_UNCHANGED)
    if label_map.ndim != 2:
        raise DatasetError(
            f"label map '{path}' must have one channel of ids, it has {label_map.shape[2]} (a picture in colours?)"
        )
    return label_map


def file_fingerprint(*paths: Path) -> str:
    """Returns the sizes in bytes and modification times in nanoseconds of files, as text."""
    return " ".join(f"{status.st_size}:{status.st_mtime_ns}" for status in (path.stat() for path in paths))


def _decode(path: Path, flags: int) -> NDArray[Any]:
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as fault:
        raise DatasetError(f"'{path}' can't be read: {fault.strerror}") from fault
    image = cv2.imdecode(encoded, flags) if encoded.size else None
    if image is None:
        raise DatasetError(
            f"'{path}' is no image that can be read ({encoded.size} bytes): empty, cut off or another format"
        )
    return image
