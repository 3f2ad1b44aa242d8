"""Image files for tests, also such as no library here writes."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from roadseg.reading.images import read_image
from roadseg.reading.label_map_file import read_label_map
from roadseg.scenes.faults import FaultKind, UnusableSceneError

PALETTES = {
    "colours": [3, 0, 200, 90, 90, 90] * 128,
    "one colour": [3, 0, 200] * 256,
    "greys": [level for level in range(256) for _ in range(3)],
    "greys from white to black": [level for level in range(255, -1, -1) for _ in range(3)],
    "one grey": [7, 7, 7] * 256,
}
BROKEN = {read_image: FaultKind.IMAGE_BROKEN, read_label_map: FaultKind.ANNOTATION_BROKEN}


def tagged(orientation):
    """Returns EXIF tags of an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def photograph(height, width):
    """Returns smooth hills of colour with a little noise: (height, width, 3) uint8."""
    random = np.random.default_rng(height * width)
    hills = cv2.resize(random.uniform(20, 230, (6, 9, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return (hills + random.normal(0, 4, hills.shape)).clip(0, 255).astype(np.uint8)


def save(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def save_indices(ids, path, *, bits=8, palette=None):
    """Saves ids as a PNG with a palette, or as one of one bit without a palette where `bits` is None."""
    picture = Image.fromarray(ids if bits else ids.astype(bool))
    if bits:
        picture.putpalette((palette or PALETTES["colours"])[: 3 * 2**bits])
    picture.save(path, **({"bits": bits} if bits else {}))
    with Image.open(path) as written:
        assert written.mode == ("P" if bits else "1")
    return path


def write_grey(path, bits, width, row, height=1):
    """Writes a PNG of one row in shades of grey, which Pillow does not with 2 or 4 bits; `row` are its packed bytes."""
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(content)
    return path


def write_tiff(path, numbers, order="<"):
    """Writes numbers of any type as a TIFF of one channel, by TIFF 6.0; no library here writes all types."""
    data = numbers.astype(numbers.dtype.newbyteorder(order)).tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[numbers.dtype.kind]
    height, width = numbers.shape
    tags = {256: width, 257: height, 258: 8 * numbers.itemsize, 259: 1, 262: 1, 273: 0, 277: 1, 278: height}
    tags |= {279: len(data), 339: kind}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    content = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, len(tags))
    content += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    path.write_bytes(content + b"\0" * 4 + data)
    return path


def refuse(read, path):
    """Returns the detail of the fault that reading must end in."""
    with pytest.raises(UnusableSceneError) as error:
        read(path)
    assert error.value.fault.kind is BROKEN[read]
    assert f"'{path}'" in error.value.fault.detail
    return error.value.fault.detail
