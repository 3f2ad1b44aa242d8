"""The chunks that PNG and WebP files consist of: what is in them beside pixels, without decoding those."""

import struct
from collections.abc import Iterator

PNG, WEBP = b"\x89PNG\r\n\x1a\n", b"RIFF"


def list_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields the name of each chunk of a PNG or WebP file, and the place where its data begin; none of other files."""
    is_png = content.startswith(PNG)
    place = 8 if is_png else 12 if content.startswith(WEBP) else len(content)
    while place + 8 <= len(content):
        if is_png:
            length, name = struct.unpack_from(">I4s", content, place)
            checksum = 4
        else:
            name, length = struct.unpack_from("<4sI", content, place)
            checksum = length % 2  # none, but data of an odd length are followed by a byte
        yield name, place + 8
        place += 8 + length + checksum
