"""Pictures and frames as they are read, some ahead of those that are being predicted."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from roadseg.reading.picture import Picture
from roadseg.reading.video import Video, VideoOptions
from roadseg.scenes.faults import UnusableSceneError

Image = NDArray[np.uint8]

LIST_PIXELS = 2**25
"""Pixels of pictures after which no other is added to those that go through the network at once: a few lists are in
memory, and pictures may be large."""

READERS = 4
"""Most pictures that are decoded at once; more would wait for the network."""


@dataclass(frozen=True)
class Shot:
    """A picture, or a frame of a video, that was read or could not be.

    Attributes:
        picture: Its name in the source; of a frame `VIDEO/NUMBER`.
        drive: The folder part of the name; of a frame the name of its video.
        fingerprint: Of its file, and of what is asked of it.
        image: (height, width, 3) uint8, RGB; None where it could not be read.
        time: Of a frame in its video, in seconds.
        fault: Why it could not be read, empty otherwise.
        is_chosen: Whether it is to be predicted.
    """

    picture: str
    drive: str
    fingerprint: str
    image: Image | None
    time: float | None = None
    fault: str = ""
    is_chosen: bool = True


def fingerprint_item(item: Picture | Video, options: VideoOptions) -> str:
    """Returns what changes with the file of a picture; with that of a video, and with what is asked of it."""
    return f"{item.fingerprint} {options.model_dump_json()}" if isinstance(item, Video) else item.fingerprint


def read_pictures(pictures: Sequence[Picture], fingerprints: Sequence[str]) -> Generator[Shot]:
    """Yields the pictures in order; several are decoded at once, and at most that many wait."""

    def read(picture: Picture, fingerprint: str) -> Shot:
        try:
            return Shot(picture.name, picture.drive, fingerprint, picture.read())
        except UnusableSceneError as fault:
            return Shot(picture.name, picture.drive, fingerprint, None, fault=fault.fault.detail)

    named = zip(pictures, fingerprints, strict=True)
    with ThreadPoolExecutor(READERS) as readers:
        waiting = deque(readers.submit(read, *each) for each in islice(named, READERS))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(readers.submit(read, *each) for each in islice(named, 1))


def read_video(video: Video, options: VideoOptions, *, all_frames: bool) -> Generator[Shot]:
    """Yields the frames of a video in order; what is wrong with it comes as the last one, at the time it happens.

    Args:
        video: The video.
        options: Which frames are predicted.
        all_frames: Whether to yield the others too.
    """
    fingerprint, time = fingerprint_item(video, options), options.start
    try:
        for frame in video.read_frames(options, all_frames=all_frames):
            time = frame.time
            name = f"{video.name}/{frame.number:06d}"
            yield Shot(name, video.name, fingerprint, frame.image, time, is_chosen=frame.is_chosen)
    except UnusableSceneError as fault:
        yield Shot(video.name, video.name, fingerprint, None, time, fault.fault.detail, is_chosen=False)


def read_ahead(shots: Iterator[Shot], size: int) -> Generator[list[Shot]]:
    """Yields shots in lists, and while one is used, another thread reads the next.

    Args:
        shots: As they are read.
        size: Shots of a list; fewer where they have `LIST_PIXELS` together, and in the last one.
    """
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(_take, shots, size)
        while several := following.result():
            following = reader.submit(_take, shots, size)
            yield several


def _take(shots: Iterator[Shot], size: int) -> list[Shot]:
    taken: list[Shot] = []
    pixels = 0
    while len(taken) < size and pixels < LIST_PIXELS and (shot := next(shots, None)):
        taken.append(shot)
        pixels += 0 if shot.image is None else shot.image.size // 3
    return taken
