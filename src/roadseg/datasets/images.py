"""Image files of raw data sets: bytes on disk to RGB images and label maps, with a clear word when a file is broken."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kedro.io import DatasetError
from numpy.typing import NDArray
from PIL import Image, ImageFile

from roadseg.scenes.faults import FaultKind, UnusableSceneError

# A camera's orientation tag must not turn the image away from its label map.
READ_IMAGE = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION

REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)
"""Factors by which a JPEG image can be shrunk while it is decoded, and their flags; beside IMREAD_COLOR_RGB the
word grayscale has no meaning."""

INDEXED = ("1", "P")
"""Pillow's modes of images whose values OpenCV does not keep: of one bit, and with a palette."""

STRETCHED = ("L;2", "L;4")
"""Pillow's names of the shades of grey that both libraries stretch to 8 bits."""


def read_image(path: Path, least: tuple[int, int] | None = None) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Returns the image in a file, and its size.

    Args:
        path: The file.
        least: (height, width) in pixels that must remain where the decoder can shrink the image; None decodes all.

    Returns:
        (height, width, 3) uint8, RGB; and (height, width) of the image in the file.

    Raises:
        UnusableSceneError: If the file is empty, cut off or no image.
        DatasetError: If the file can't be read.
    """
    content = read_bytes(path)
    picture = _open(path, content, FaultKind.IMAGE_BROKEN)
    size = picture.height, picture.width
    flags = READ_IMAGE
    if picture.format == "JPEG" and least is not None:
        flags |= next((flag for factor, flag in REDUCED if _keeps(size, factor, least)), 0)
    return _decode(path, content, flags, FaultKind.IMAGE_BROKEN), size


def read_label_map(path: Path) -> NDArray[Any]:
    """Returns the label map in a file: (height, width) uint8 or uint16, raw ids; of a palette image the indices.

    Raises:
        UnusableSceneError: If the file is empty, cut off, no image, has channels that differ, or shades of grey of
            fewer than 8 bits, which decoders stretch to other ids.
        DatasetError: If the file can't be read.
    """
    content = read_bytes(path)
    picture = _open(path, content, FaultKind.ANNOTATION_BROKEN)
    if picture.mode in INDEXED:
        return _read_indices(path, content)
    if picture.tile and picture.tile[0][3] in STRETCHED:
        raise UnusableSceneError(
            FaultKind.ANNOTATION_BROKEN,
            f"label map '{path}' has {picture.tile[0][3][-1]} bits a pixel, expected 8 or 16, or a palette",
        )
    label_map = _decode(path, content, cv2.IMREAD_UNCHANGED, FaultKind.ANNOTATION_BROKEN)
    if label_map.ndim == 2:
        return label_map
    channels = _drop_alpha(path, label_map)
    if (channels != channels[..., :1]).any():
        raise UnusableSceneError(
            FaultKind.ANNOTATION_BROKEN,
            f"label map '{path}' must have one channel of ids, it has {label_map.shape[2]} that differ: "
            f"raw_colours can say what its colours mean",
        )
    return channels[..., 0]


def read_label_colours(path: Path) -> NDArray[np.uint8]:
    """Returns the colours of the label map in a file: (height, width, 3) uint8, RGB, of a palette image its colours.

    Raises:
        UnusableSceneError: If the file is empty, cut off, no image, has more than 8 bits a channel, or transparent
            pixels.
        DatasetError: If the file can't be read.
    """
    content = read_bytes(path)
    _open(path, content, FaultKind.ANNOTATION_BROKEN)
    pixels = _decode(path, content, cv2.IMREAD_UNCHANGED, FaultKind.ANNOTATION_BROKEN)
    if pixels.dtype != np.uint8:
        raise UnusableSceneError(
            FaultKind.ANNOTATION_BROKEN, f"label map '{path}' has {pixels.dtype} colours, expected 8 bits a channel"
        )
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.ascontiguousarray(_drop_alpha(path, pixels)[..., ::-1])


def read_bytes(path: Path) -> bytes:
    """Returns the content of a file.

    Raises:
        DatasetError: If it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as fault:
        raise DatasetError(f"'{path}' can't be read: {fault.strerror}") from fault


def file_fingerprint(paths: Sequence[Path]) -> str:
    """Returns the sizes in bytes and modification times in nanoseconds of files, as text."""
    return " ".join(f"{status.st_size}:{status.st_mtime_ns}" for status in (path.stat() for path in paths))


def _open(path: Path, content: bytes, fault: FaultKind) -> ImageFile.ImageFile:
    """Returns the image as its header describes it; nothing is decoded yet."""
    try:
        return Image.open(io.BytesIO(content))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        message = f"'{path}' is no image that can be read ({len(content)} bytes): empty, cut off or another format"
        raise UnusableSceneError(fault, message) from error


def _read_indices(path: Path, content: bytes) -> NDArray[np.uint8]:
    try:
        Image.open(io.BytesIO(content)).verify()  # decoding alone does not compare the checksums
        return np.asarray(Image.open(io.BytesIO(content)), np.uint8)
    except (OSError, SyntaxError) as error:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"'{path}' is cut off or damaged ({error})") from error


def _drop_alpha(path: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    """Returns the channels of colour of a label map, of which no pixel may be transparent."""
    if pixels.shape[2] == 4 and (clear := int((pixels[..., 3] < np.iinfo(pixels.dtype).max).sum())):
        raise UnusableSceneError(
            FaultKind.ANNOTATION_BROKEN,
            f"label map '{path}' is transparent in {clear} pixels, where a colour or an id means nothing",
        )
    return pixels[..., :3]


def _keeps(size: tuple[int, int], factor: int, least: tuple[int, int]) -> bool:
    return all(-(-side // factor) >= kept for side, kept in zip(size, least, strict=True))


def _decode(path: Path, content: bytes, flags: int, fault: FaultKind) -> NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if image is None:
        raise UnusableSceneError(fault, f"'{path}' is cut off or damaged ({len(content)} bytes)")
    return image
