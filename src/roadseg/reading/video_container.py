"""What a video file says of itself: how long it is, and where each part of it begins.

A file that was cut off is shorter; in a damaged one, no part begins where the one before it ends.
"""

from pathlib import Path
from typing import BinaryIO

from roadseg.errors import FileError

RIFF = b"RIFF"
MATROSKA, SEGMENT, CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"

CONTENTS = (b"movi", b"rec ")
"""Names of the lists of an AVI file in which frames are."""

ELEMENTS = frozenset(
    bytes.fromhex(name)
    for name in (
        *("1a45dfa3", "114d9b74", "1549a966", "1654ae6b", "1c53bb6b", "1254c367", "1941a469", "1043a770"),  # of a file
        *("bf", "ec", "e7", "5854", "a7", "ab", "a3", "a0", "af"),  # of a cluster, or everywhere
    )
)
"""Names of the elements in a Matroska file (RFC 9559) that follow one another, beside clusters."""

FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot")
"""Names of the boxes that an MP4 or QuickTime file may begin with."""


def count_missing_bytes(path: Path) -> int:
    """Returns how many bytes an AVI, MP4, QuickTime, Matroska or WebM file lacks by its own account.

    0 also where it gives none, as recorders leave it that were switched off, and in other formats.

    Raises:
        FileError: If it can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head.startswith(RIFF):
                end = _find_end_of_chunks(file)
            elif head.startswith(MATROSKA):
                end = _find_end_of_segment(file)
            else:
                end = _find_end_of_boxes(file) if head[4:] in FIRST_BOXES else 0
            return max(end - path.stat().st_size, 0)
    except OSError as fault:
        raise FileError(f"'{path}' can't be read: {fault.strerror}") from fault


def is_damaged(path: Path) -> bool:
    """Returns whether the parts of an AVI, Matroska or WebM file do not follow one another, so that frames are lost.

    False for other formats: in MP4 and QuickTime an index says where each frame is.

    Raises:
        FileError: If it can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head == RIFF:
                return not _are_chunks_whole(file, path.stat().st_size)
            return head == MATROSKA and not _are_elements_whole(file, path.stat().st_size)
    except OSError as fault:
        raise FileError(f"'{path}' can't be read: {fault.strerror}") from fault


def _are_chunks_whole(file: BinaryIO, size: int) -> bool:
    place = end = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(12)
        name, length = head[:4], int.from_bytes(head[4:8], "little")
        if name == RIFF:
            end = place + 8 + (length or size)  # 0 where it was not finished
        elif place >= end:
            return True
        if not (name.isascii() and name.decode("ascii").isprintable()):
            return False
        is_opened = name == RIFF or (name == b"LIST" and head[8:] in CONTENTS)
        place += 12 if is_opened else 8 + length + length % 2
        if place > end + 1:  # an odd length is made even, and not always counted
            return False
    return True


def _are_elements_whole(file: BinaryIO, size: int) -> bool:
    place, end = 0, size
    while place < min(end, size):
        file.seek(place)
        first = file.read(1)
        name = first + file.read(8 - first[0].bit_length())
        length = _read_length(file)
        place = file.tell()
        if name == SEGMENT:
            end = 2 * size if length is None else place + length
        elif name in ELEMENTS and length is not None:
            place += length
        elif name != CLUSTER:
            return False
    return place <= end


def _find_end_of_chunks(file: BinaryIO) -> int:
    """Returns where the last RIFF chunk ends; an AVI file of more than a gigabyte has several."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(8)
        if len(head) < 8 or not head.startswith(RIFF):
            return end
        end += 8 + int.from_bytes(head[4:], "little")  # 0 where it was not finished


def _find_end_of_boxes(file: BinaryIO) -> int:
    """Returns where the last box ends (ISO/IEC 14496-12, 4.2)."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(16)
        if len(head) < 8 or not head[4:8].isalnum():
            return end
        size = int.from_bytes(head[:4])
        if size == 1:
            size = int.from_bytes(head[8:])
        if size < 8:  # 0: as far as the file goes
            return end
        end += size


def _find_end_of_segment(file: BinaryIO) -> int:
    """Returns where the segment ends (RFC 8794, 4 and 6.2); 0 where its length is unknown."""
    file.seek(len(MATROSKA))
    header = _read_length(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(len(SEGMENT)) != SEGMENT:
        return 0
    length = _read_length(file)
    return 0 if length is None else file.tell() + length


def _read_length(file: BinaryIO) -> int | None:
    """Returns a number whose first byte says by its leading zeros how many follow; None if it means unknown."""
    first = file.read(1)
    if first in {b"", b"\0"}:
        return None
    following = 8 - first[0].bit_length()
    most = (1 << 7 * (following + 1)) - 1
    length = int.from_bytes(first + file.read(following)) & most
    return None if length == most else length
