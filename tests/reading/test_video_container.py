import struct

import pytest

from roadseg.errors import FileError
from roadseg.reading.video_container import count_missing_bytes, is_damaged

EBML = b"\x1a\x45\xdf\xa3\x83abc"  # a header of three bytes
SEGMENT = b"\x18\x53\x80\x67"


def riff(size, there):
    return b"RIFF" + struct.pack("<I", size) + bytes(there)


def box(name, size, there):
    return struct.pack(">I4s", size, name) + bytes(there)


def large_box(name, size, there):
    return struct.pack(">I4sQ", 1, name, size) + bytes(there)


CASES = {
    "AVI, whole": (riff(100, 100), 0),
    "AVI, cut off": (riff(100, 60), 40),
    "AVI of two chunks, whole": (riff(100, 100) + riff(50, 50), 0),
    "AVI of two chunks, cut off": (riff(100, 100) + riff(50, 8), 42),
    "AVI, not finished": (riff(0, 60), 0),
    "AVI with something behind it": (riff(100, 100) + b"something else", 0),
    "MP4, whole": (box(b"ftyp", 20, 12) + box(b"mdat", 100, 92), 0),
    "MP4, cut off": (box(b"ftyp", 20, 12) + box(b"mdat", 100, 62), 30),
    "MP4 of more than 4 GB, whole": (box(b"ftyp", 20, 12) + large_box(b"mdat", 100, 84), 0),
    "MP4 of more than 4 GB, cut off": (box(b"ftyp", 20, 12) + large_box(b"mdat", 2**33, 84), 2**33 - 100),
    "MP4 to the end of the file": (box(b"ftyp", 20, 12) + box(b"mdat", 0, 50), 0),
    "MP4 with something behind it": (box(b"ftyp", 20, 12) + b"\xff\xff\xff\xff\0\0\0\0", 0),
    "QuickTime, cut off": (box(b"wide", 8, 0) + box(b"mdat", 50, 22), 20),
    "Matroska, whole": (EBML + SEGMENT + b"\x85hello", 0),
    "Matroska, cut off": (EBML + SEGMENT + b"\x85hel", 2),
    "Matroska of a long number, cut off": (EBML + SEGMENT + b"\x01\0\0\0\0\0\x01\x04" + bytes(200), 60),
    "Matroska, not finished": (EBML + SEGMENT + b"\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(9), 0),
    "Matroska, not finished, in one byte": (EBML + SEGMENT + b"\xff" + bytes(9), 0),
    "Matroska, cut off in its header": (EBML[:6], 0),
    "Matroska, cut off at its beginning": (EBML[:4], 0),
    "Matroska without a segment": (EBML + b"\x85hel", 0),
    "nothing": (b"", 0),
    "something else": (b"something else", 0),
}


@pytest.mark.parametrize("case", CASES)
def test_missing_bytes_are_those_that_a_file_tells_of(tmp_path, case):
    content, missing = CASES[case]
    (tmp_path / "a").write_bytes(content)
    assert count_missing_bytes(tmp_path / "a") == missing


def chunk(name, there, size=None):
    return name + struct.pack("<I", len(there) if size is None else size) + there


FRAMES = chunk(b"00dc", b"abcd") * 2
MOVIE = chunk(b"LIST", b"movi" + FRAMES + chunk(b"LIST", b"rec " + FRAMES)) + chunk(b"idx1", bytes(16))
AVI = chunk(b"LIST", b"hdrl" + bytes(6)) + MOVIE
CLUSTER = b"\x1f\x43\xb6\x75\x8b\xe7\x81\0" + b"\xa3\x82ab" + b"\xa0\x82ab"
BROKEN = b"\x1f\x43\xb6\x75\x8b\xe7\x81\0" + b"\0\0\0\0" + b"\xa0\x82ab"
VOID = b"\xec\x81\0"

PARTS = {
    "AVI": (chunk(b"RIFF", b"AVI " + AVI), False),
    "AVI of two chunks": (chunk(b"RIFF", b"AVI " + AVI) + chunk(b"RIFF", b"AVIX" + MOVIE), False),
    "AVI, odd": (chunk(b"RIFF", b"AVI " + chunk(b"00dc", b"abc") + b"\0" + FRAMES), False),
    "AVI, the last one odd": (chunk(b"RIFF", b"AVI " + FRAMES + chunk(b"00dc", b"abc")), False),
    "AVI, not finished": (b"RIFF\0\0\0\0AVI LIST\0\0\0\0movi" + FRAMES + chunk(b"00dc", b"a", 9), False),
    "AVI with something behind it": (chunk(b"RIFF", b"AVI " + AVI) + b"\0something else", False),
    "AVI, zeros": (chunk(b"RIFF", b"AVI " + AVI.replace(b"00dc", bytes(4), 1)), True),
    "AVI, zeros in the second chunk": (
        chunk(b"RIFF", b"AVI " + AVI) + chunk(b"RIFF", b"AVIX" + MOVIE.replace(b"00dc", bytes(4))),
        True,
    ),
    "AVI, too long": (chunk(b"RIFF", b"AVI " + chunk(b"00dc", b"abcd", 400) + FRAMES), True),
    "Matroska": (EBML + SEGMENT + b"\xa3" + VOID + CLUSTER * 2, False),
    "Matroska, not finished": (EBML + SEGMENT + b"\xff" + VOID + CLUSTER + CLUSTER[:-1], False),
    "Matroska with something behind it": (EBML + SEGMENT + b"\x93" + VOID + CLUSTER + bytes(9), False),
    "Matroska, zeros": (EBML + SEGMENT + b"\xa3" + VOID + BROKEN + CLUSTER, True),
    "Matroska, zeros, not finished": (EBML + SEGMENT + b"\xff" + VOID + BROKEN + CLUSTER, True),
    "Matroska, too long": (EBML + SEGMENT + b"\x93" + b"\xec\xa1\0" + CLUSTER, True),
    "MP4": (box(b"ftyp", 20, 12) + box(b"mdat", 100, 62), False),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_file_is_damaged_if_its_parts_do_not_follow_one_another(tmp_path, case):
    content, damaged = PARTS[case]
    (tmp_path / "a").write_bytes(content)
    assert is_damaged(tmp_path / "a") is damaged


@pytest.mark.parametrize("ask", [count_missing_bytes, is_damaged])
def test_a_missing_file_is_named(tmp_path, ask):
    with pytest.raises(FileError, match=rf"'{tmp_path}/a' can't be read: No such file"):
        ask(tmp_path / "a")
