"""The EXIF tag that says how to rotate an image, as every viewer does."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError
from roadseg.reading.chunks import list_chunks

UPRIGHT = 1

SIDEWAYS = (5, 6, 7, 8)
"""Orientations in which height and width change places."""

TAG = 274

JPEG, JPEG_MARK = b"\xff\xd8", b"Exif\0\0"

HEAD = 4096
"""Bytes at the beginning of a JPEG file in which its tags begin, if it has any."""

CHUNKS = (b"eXIf", b"EXIF")
"""Names of the chunks of PNG and WebP files that hold tags."""

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
"""How tags begin, also those of a TIFF file, and the order of bytes in their numbers."""


def read_orientation(content: bytes) -> int:
    """Returns the orientation of an image file, 1 to 8; 1 also where the tag is missing, damaged or none of these."""
    if content[:4] in BYTE_ORDERS:
        return _find_tag(content)
    if content.startswith(JPEG):
        place = content.find(JPEG_MARK, 0, HEAD)
    else:
        place = next((place for name, place in list_chunks(content) if name in CHUNKS), -1)
    return _find_tag(content[place:].removeprefix(JPEG_MARK)) if place >= 0 else UPRIGHT


def is_turned_jpeg(path: Path) -> bool:
    """Returns whether a file is a JPEG image with another orientation than 1; only its beginning is read.

    Raises:
        FileError: If it can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as fault:
        raise FileError(f"'{path}' can't be read: {fault.strerror}") from fault
    return head.startswith(JPEG) and read_orientation(head) != UPRIGHT


def turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Returns an image as viewers show it.

    Args:
        pixels: (height, width) or (height, width, channels).
        orientation: 1 to 8, by EXIF 2.3: where in the scene the first row and the first column of the file are.
    """
    if orientation == UPRIGHT:
        return pixels
    mirrored = pixels[:, ::-1] if orientation in (2, 4, 5, 7) else pixels
    return np.ascontiguousarray(np.rot90(mirrored, {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)))


def _find_tag(tags: bytes) -> int:
    """Returns the orientation in a directory of tags.

    Pillow would read all tags and warn of damaged ones, and OpenCV then finds none; viewers look for this one alone.
    """
    order = BYTE_ORDERS.get(tags[:4])
    if order is None:
        return UPRIGHT
    try:
        (place,) = struct.unpack_from(f"{order}I", tags, 4)
        (count,) = struct.unpack_from(f"{order}H", tags, place)
        for number in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tags, place + 2 + 12 * number)
            if tag == TAG:
                return value if value in range(UPRIGHT, max(SIDEWAYS) + 1) else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT
