"""Label maps as image files: ids, or colours that mean classes."""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roadseg.errors import InputError
from roadseg.reading.image_header import ImageHeader
from roadseg.reading.images import check_header, decode, read_bytes
from roadseg.reading.orientation import read_orientation, turn
from roadseg.reading.raw_ids import as_raw_ids
from roadseg.reading.stored_path import RawPath
from roadseg.scenes.faults import FaultKind, UnusableSceneError

BITS = {"unsigned": (8, 16, 32), "signed": (8, 16, 32), "float": (32, 64)}
"""Of the numbers of a label map; fewer are stretched to 8 by all decoders, more are read by none."""

BIG_ENDIAN = b"MM"


def read_label_map(path: RawPath) -> NDArray[Any]:
    """Returns the label map in a file: (height, width) uint8 or uint16, raw ids; of a palette image the indices.

    It is turned like an image, if it has an orientation tag of its own.

    Raises:
        UnusableSceneError: If the file is empty, cut off, no image, too large, lossy, has channels that differ, other
            numbers than raw ids, or shades of grey of fewer than 8 bits.
        FileError: If the file can't be read.
    """
    content, header = _open(path)
    try:
        label_map = _read_numbers(path, content, header)
        return as_raw_ids(label_map if label_map.ndim == 2 else _take_one_channel(label_map))
    except InputError as fault:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"label map '{path}' {fault}") from fault


def read_label_colours(path: RawPath) -> NDArray[np.uint8]:
    """Returns the colours of the label map in a file: (height, width, 3) uint8, RGB, of a palette image its colours.

    It is turned like an image, if it has an orientation tag of its own.

    Raises:
        UnusableSceneError: If the file is empty, cut off, no image, too large, lossy, has more than 8 bits per channel,
            or transparent pixels.
        FileError: If the file can't be read.
    """
    content, header = _open(path)
    try:
        pixels = _turn(decode(path, content, cv2.IMREAD_UNCHANGED, FaultKind.ANNOTATION_BROKEN), content, header)
        if pixels.dtype != np.uint8:
            raise InputError(f"has {pixels.dtype} colours, expected 8 bits per channel")
        if pixels.ndim == 2:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
        return np.ascontiguousarray(_drop_alpha(pixels)[..., ::-1])
    except InputError as fault:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"label map '{path}' {fault}") from fault


def _open(path: RawPath) -> tuple[bytes, ImageHeader]:
    """Returns the content of a label map and what it says of itself, if its values are those that were saved."""
    content = read_bytes(path)
    header = check_header(path, content, FaultKind.ANNOTATION_BROKEN)
    if header.lossy:
        reason = f"is compressed as {header.lossy}, which changes ids: save it again from its source, as PNG"
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"label map '{path}' {reason}")
    return content, header


def _read_numbers(path: RawPath, content: bytes, header: ImageHeader) -> NDArray[Any]:
    """Returns the numbers of a label map as they are, turned.

    Raises:
        InputError: If no decoder returns them as they are.
    """
    known = BITS.get(header.numbers, ())
    if not header.is_indexed and header.bits not in known:
        expected = " or ".join(map(str, known)) or "unsigned ones"
        raise InputError(f"holds {header.numbers} numbers of {header.bits} bits, expected {expected}, or a palette")
    if header.is_indexed:
        numbers = _decode_with_pillow(path, content).astype(np.uint8)
    elif (header.numbers, header.bits) == ("unsigned", 32):
        if content.startswith(BIG_ENDIAN):
            raise InputError("holds unsigned numbers of 32 bits with the highest byte first, expected it last")
        numbers = _decode_with_pillow(path, content).view(np.uint32)
    else:
        numbers = decode(path, content, cv2.IMREAD_UNCHANGED, FaultKind.ANNOTATION_BROKEN)
    return _turn(numbers, content, header)


def _turn(pixels: NDArray[Any], content: bytes, header: ImageHeader) -> NDArray[Any]:
    # Both decoders turn a TIFF, whatever they are told.
    return pixels if header.format == "TIFF" else turn(pixels, read_orientation(content))


def _decode_with_pillow(path: RawPath, content: bytes) -> NDArray[Any]:
    try:
        Image.open(io.BytesIO(content)).verify()  # decoding alone does not compare the checksums
        return np.asarray(Image.open(io.BytesIO(content)))
    except (OSError, SyntaxError, ValueError) as error:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"'{path}' is cut off or damaged ({error})") from error


def _take_one_channel(label_map: NDArray[Any]) -> NDArray[Any]:
    """Returns one of several channels that are equal.

    Raises:
        InputError: If they differ.
    """
    channels = _drop_alpha(label_map)
    if (channels != channels[..., :1]).any():
        raise InputError(
            f"must have one channel of ids, it has {label_map.shape[2]} that differ: "
            f"raw_colours can say what its colours mean"
        )
    one: NDArray[Any] = channels[..., 0]
    return one


def _drop_alpha(pixels: NDArray[Any]) -> NDArray[Any]:
    """Returns the channels of colour of a label map.

    Raises:
        InputError: If a pixel is transparent.
    """
    if pixels.shape[2] == 4 and (clear := int((pixels[..., 3] < np.iinfo(pixels.dtype).max).sum())):
        raise InputError(f"has {clear} transparent pixels, and transparent pixels have no class")
    return pixels[..., :3]
