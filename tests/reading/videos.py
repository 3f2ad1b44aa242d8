"""Video files for tests."""

import struct

import cv2
import numpy as np

FRAMES, SIZE, RATE = 40, (48, 64), 10

KINDS = {"avi": "MJPG", "mkv": "FFV1", "mp4": "mp4v", "mov": "mp4v", "webm": "VP80"}
"""Ending -> code of a codec that the headless OpenCV can write."""


def shade(number):
    """Returns the grey of a frame."""
    return 20 + 5 * (number % FRAMES)


def film(path, *, codec=None, frames=FRAMES, rate=RATE):
    """Draws a video whose frames are grey, each in a shade of its own, below a red bar and rows of noise."""
    height, width = SIZE
    code = cv2.VideoWriter.fourcc(*(codec or KINDS[path.suffix[1:]]))
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, (width, height))
    random = np.random.default_rng(1)
    for number in range(frames):
        frame = np.full((height, width, 3), shade(number), np.uint8)
        frame[:12] = (0, 0, 255)  # blue, green, red
        frame[12:24] = random.integers(0, 256, (12, width, 3))
        writer.write(frame)
    writer.release()
    return path


def cut(path, share):
    """Leaves the first bytes of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def patch(path, form, *places):
    """Writes numbers over those at places in a file."""
    content = bytearray(path.read_bytes())
    for place, *numbers in places:
        struct.pack_into(form, content, place, *numbers)
    path.write_bytes(content)
    return path


def put_index_first(path):
    """Moves the index of an MP4 file in front of its frames, as files for the web have it."""
    content, place, boxes = path.read_bytes(), 0, {}
    while place < len(content):
        (size, name) = struct.unpack_from(">I4s", content, place)
        boxes[name] = content[place : place + size]
        place += size
    index = bytearray(boxes.pop(b"moov"))
    table = index.index(b"stco")
    (count,) = struct.unpack_from(">I", index, table + 8)
    for entry in range(table + 12, table + 12 + 4 * count, 4):
        struct.pack_into(">I", index, entry, struct.unpack_from(">I", index, entry)[0] + len(index))
    path.write_bytes(boxes.pop(b"ftyp") + bytes(index) + b"".join(boxes.values()))
    return path


def slow_down(path, after):
    """Lets the frames of an MP4 file behind the first ones last three times as long, as telephones film in the dark."""
    content = bytearray(path.read_bytes())
    table = content.rindex(b"stts") - 4
    count, each = struct.unpack_from(">II", content, table + 16)
    entries = struct.pack(">IIIII", 2, after, each, count - after, 3 * each)
    content[table + 12 : table + 24] = entries
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):  # each holds the next
        place = content.rindex(name) - 4
        struct.pack_into(">I", content, place, struct.unpack_from(">I", content, place)[0] + 8)
    path.write_bytes(content.replace(b"edts", b"free"))
    return path
