"""What the header of an image file says, before a pixel is decoded."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import COMPRESSION_INFO, ImageFileDirectory_v2

from roadseg.errors import InputError
from roadseg.reading.chunks import list_chunks

# Pillow reads headers and small maps here, and would warn of a twelfth of the pixels that OpenCV decodes.
Image.MAX_IMAGE_PIXELS = None

INDEXED = ("1", "P")
"""Pillow's modes of images whose values are no light: of one bit, and with a palette."""

FEW_BITS = {"L;2": 2, "L;4": 4}
"""Bits of the shades of grey that all decoders stretch to 8, by Pillow's names."""

LOSSY_FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "JPEG2000": "JPEG 2000", "AVIF": "AVIF"}
"""Pillow's names of the formats that may change values, and common ones."""

WEBP_EXACT = b"VP8L"
"""Name of the chunk with the pixels of a WebP file that is not lossy."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
BIG_TIFF = b"+"

TIFF_NUMBERS = {1: "unsigned", 2: "signed", 3: "float"}
"""The tag SampleFormat -> what it is called here."""

TIFF_PALETTE = 3
"""Value of the tag PhotometricInterpretation where values are indices of a palette."""

TIFF_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)
"""Those that OpenCV reads: none, three of fax machines, LZW, JPEG, deflate, PackBits."""

LOSSY_TIFF = {
    **dict.fromkeys((6, 7, 34892), "JPEG"),
    **dict.fromkeys((33003, 33005, 34712), "JPEG 2000"),
    **dict.fromkeys((50002, 52546), "JPEG XL"),
    **{34676: "LogLuv", 34677: "LogLuv", 34887: "LERC", 50001: "WebP"},
}
"""The tag Compression of those that may change values, and what they are called."""


@dataclass(frozen=True)
class ImageHeader:
    """What is known of an image before it is decoded.

    Attributes:
        format: As Pillow calls it.
        size: (height, width) in pixels, as in the file.
        numbers: `unsigned`, or in a TIFF also `signed`, `float` or another kind.
        bits: Of one channel.
        is_indexed: Whether values are indices of a palette, or of one bit.
        lossy: The compression that may have changed values, or None.
        unreadable: The compression that OpenCV does not read, or None.
    """

    format: str
    size: tuple[int, int]
    numbers: str = "unsigned"
    bits: int = 8
    is_indexed: bool = False
    lossy: str | None = None
    unreadable: str | None = None


def read_header(content: bytes) -> ImageHeader:
    """Returns what an image file says of itself.

    Raises:
        InputError: If it is empty, cut off, or no image.
    """
    return _read_tiff(content) if content[:4] in TIFF else _read_other(content)


@contextmanager
def _blame_content() -> Iterator[None]:
    """Turns any error of Pillow on damaged content into one fault; reading headers may raise many types."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags that nobody asks for here
            yield
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, struct.error) as fault:
        raise InputError("empty, cut off or another format") from fault


def _read_other(content: bytes) -> ImageHeader:
    with _blame_content():
        picture = Image.open(io.BytesIO(content))
    kind = str(picture.format)
    return ImageHeader(
        format=kind,
        size=(picture.height, picture.width),
        bits=_count_bits(picture),
        is_indexed=picture.mode in INDEXED,
        lossy="WebP" if kind == "WEBP" and WEBP_EXACT not in dict(list_chunks(content)) else LOSSY_FORMATS.get(kind),
    )


def _count_bits(picture: ImageFile.ImageFile) -> int:
    """Returns the bits of the numbers of a picture, 8 where they are 8 or 16: decoders keep both."""
    if not picture.tile:
        return 8
    codec, _, _, how = picture.tile[0]
    if codec == "ppm_plain" and isinstance(how, tuple):
        return min(int(how[1]).bit_length(), 8)  # a PGM of digits says its largest number
    return FEW_BITS.get(str(how), 8)


def _read_tiff(content: bytes) -> ImageHeader:
    # Pillow takes the numbers of a TIFF for modes of pictures, and some it does not take at all.
    file = io.BytesIO(content)
    with _blame_content():
        tags = ImageFileDirectory_v2(file.read(16 if BIG_TIFF in content[2:4] else 8))
        file.seek(tags.next)
        tags.load(file)
        size = _first(tags[257]), _first(tags[256])
        bits, compression, light, numbers = (_first(tags.get(tag, 1)) for tag in (258, 259, 262, 339))
    return ImageHeader(
        format="TIFF",
        size=size,
        numbers=TIFF_NUMBERS.get(numbers, f"kind {numbers}"),
        bits=bits,
        is_indexed=light == TIFF_PALETTE or bits == 1,
        lossy=LOSSY_TIFF.get(compression),
        unreadable=None if compression in TIFF_COMPRESSIONS else COMPRESSION_INFO.get(compression, str(compression)),
    )


def _first(value: Any) -> int:
    """Returns the value of a tag, of several for the channels that of the first."""
    return int(value[0] if isinstance(value, tuple) else value)
