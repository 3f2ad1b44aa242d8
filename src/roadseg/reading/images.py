"""Image files of raw data sets: bytes on disk to RGB images, with a clear message if a file is broken."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError, InputError, OutOfMemoryError, RoadSegError
from roadseg.reading.image_header import ImageHeader, read_header
from roadseg.reading.orientation import SIDEWAYS, read_orientation, turn
from roadseg.reading.store_faults import describe_store_fault
from roadseg.reading.stored_path import RawPath, StoredPath
from roadseg.scenes.faults import FaultKind, UnusableSceneError

# Turned here, because OpenCV does not turn where it finds another tag damaged.
READ_IMAGE = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION

REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)
"""Factors by which a JPEG image can be shrunk while it is decoded, and their flags; beside IMREAD_COLOR_RGB the
word grayscale has no meaning."""

LARGEST, LONGEST = 2**30, 1_000_000
"""Most pixels of an image, and of one of its sides, that OpenCV decodes."""

IMAGE_BITS = (1, 2, 4, 8, 16)
"""Of the unsigned numbers of an image; OpenCV cuts others to 0 and 1, or does not read them."""


def read_image(
    path: RawPath, least: tuple[int, int] | None = None, *, largest: int = LARGEST, longest: int = LONGEST
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Returns the image in a file, turned as its orientation tag says, and its size.

    Args:
        path: The file.
        least: (height, width) in pixels that must remain where the decoder can shrink the image; None decodes all.
        largest: Most pixels of the image.
        longest: Most pixels of one of its sides.

    Returns:
        (height, width, 3) uint8, RGB; and (height, width) of the whole image, turned.

    Raises:
        UnusableSceneError: If the file is empty, cut off, no image, too large, or holds other numbers than an image.
        FileError: If the file can't be read.
    """
    content = read_bytes(path)
    header = check_header(path, content, FaultKind.IMAGE_BROKEN, largest, longest)
    if header.numbers != "unsigned" or header.bits not in IMAGE_BITS:
        wrong = f"'{path}' holds {header.numbers} numbers of {header.bits} bits, expected unsigned ones of 8 or 16"
        raise UnusableSceneError(FaultKind.IMAGE_BROKEN, wrong)
    orientation = read_orientation(content)
    size = header.size[::-1] if orientation in SIDEWAYS else header.size
    flags = READ_IMAGE
    if header.format == "JPEG" and least is not None:
        flags |= next((flag for factor, flag in REDUCED if _keeps(size, factor, least)), 0)
    image = decode(path, content, flags, FaultKind.IMAGE_BROKEN)
    if header.format == "TIFF":  # OpenCV turns it, whatever it is told
        return image, (image.shape[0], image.shape[1])
    return turn(image, orientation), size


def read_bytes(path: RawPath) -> bytes:
    """Returns the content of a file.

    Raises:
        FileError: If it can't be read.
        RoadSegError: If it is in an object store that refuses to answer: that is no fault of the file.
    """
    try:
        return path.read_bytes()
    except OSError as fault:
        if isinstance(path, StoredPath) and (sentence := describe_store_fault(fault)):
            raise RoadSegError(sentence) from fault
        raise FileError(f"'{path}' can't be read: {fault.strerror or fault}") from fault


def file_fingerprint(paths: Sequence[RawPath]) -> str:
    """Returns sizes in bytes and modification times in nanoseconds of files, as text; in a store what it says."""
    return " ".join(map(_describe_state, paths))


def _describe_state(path: RawPath) -> str:
    if isinstance(path, StoredPath):
        return path.fingerprint
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"


def check_header(
    path: RawPath, content: bytes, fault: FaultKind, largest: int = LARGEST, longest: int = LONGEST
) -> ImageHeader:
    """Returns what an image file says of itself.

    Args:
        path: The file.
        content: All of it.
        fault: What it is if it is no image.
        largest: Most pixels.
        longest: Most pixels of one side.

    Raises:
        UnusableSceneError: If it can't be decoded.
    """
    try:
        header = read_header(content)
    except InputError as error:
        message = f"'{path}' is no image that can be read ({len(content)} bytes): {error}"
        raise UnusableSceneError(fault, message) from error
    if math.prod(header.size) > largest or max(header.size) > longest:
        height, width = header.size
        most = f"at most {largest} pixels and sides of {longest} can be read"
        message = f"'{path}' has {height} x {width} pixels; {most}"
        raise UnusableSceneError(FaultKind.TOO_LARGE, message)
    if header.unreadable:
        raise UnusableSceneError(fault, f"'{path}' is compressed as {header.unreadable}, expected LZW, deflate or none")
    return header


def _keeps(size: tuple[int, int], factor: int, least: tuple[int, int]) -> bool:
    return all(-(-side // factor) >= kept for side, kept in zip(size, least, strict=True))


def decode(path: RawPath, content: bytes, flags: int, fault: FaultKind) -> NDArray[Any]:
    """Returns the pixels of an image file, as OpenCV decodes them.

    Args:
        path: The file.
        content: All of it.
        flags: OpenCV's.
        fault: What it is if it is cut off or damaged.

    Raises:
        UnusableSceneError: If it is.
        OutOfMemoryError: If there is too little memory.
    """
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        message = f"'{path}' can't be decoded: {error.err}"
        if error.code == cv2.Error.StsNoMem:
            raise OutOfMemoryError(message) from error
        raise UnusableSceneError(fault, message) from error
    if image is None:
        raise UnusableSceneError(fault, f"'{path}' is cut off or damaged ({len(content)} bytes)")
    return image
