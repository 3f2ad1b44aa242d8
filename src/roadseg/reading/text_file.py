"""Text files of raw data sets, in any form of Unicode."""

import json

from roadseg.errors import InputError
from roadseg.reading.images import read_bytes
from roadseg.reading.stored_path import RawPath


def read_text(path: RawPath) -> str:
    """Returns the text of a file in UTF-8, UTF-16 or UTF-32, without the mark of byte order that it may begin with.

    Raises:
        InputError: If it is not text.
        FileError: If it can't be read.
    """
    content = read_bytes(path)
    encoding = json.detect_encoding(content)  # by the first bytes, as JSON and any text of letters allow
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        form = encoding.upper().removesuffix("-SIG")
        raise InputError(f"no text in {form}: byte {content[fault.start]:#04x} at place {fault.start}") from fault
