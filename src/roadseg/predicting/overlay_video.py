"""A video of painted frames."""

import uuid
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError

CODEC = "mp4v"
"""MPEG-4 part 2: what headless OpenCV writes everywhere; H.264 it leaves out for its licence."""


class OverlayVideo:
    """Writes frames one after the other; the file gets its name when all are written."""

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float) -> None:
        """Takes the path of the MP4 file, (height, width) in pixels, and frames per second.

        Raises:
            FileError: If it can't be written.
        """
        self._path, self._part, self._frames = path, path.with_name(f"{uuid.uuid4().hex}.part.mp4"), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*CODEC), frame_rate, size[::-1])
        if not self._writer.isOpened():
            raise FileError(f"'{path}' can't be written as a video of {size[0]} x {size[1]} pixels, {frame_rate:g} fps")

    def __enter__(self) -> Self:
        """Waits for frames."""
        return self

    def add(self, painted: NDArray[np.uint8]) -> None:
        """Adds a frame: (height, width, 3) uint8, RGB."""
        self._writer.write(cv2.cvtColor(painted, cv2.COLOR_RGB2BGR))
        self._frames += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Gives the file its name; after an error, or without a frame, it is removed.

        Raises:
            FileError: If it does not hold all frames.
        """
        self._writer.release()
        if kind is None and self._frames and self._is_whole():
            self._part.replace(self._path)
            return
        self._part.unlink(missing_ok=True)
        if kind is None and self._frames:
            raise FileError(f"'{self._path}' could not be written whole: see that the disk has room, and run again")

    def _is_whole(self) -> bool:
        """Looks into the file, as OpenCV does not say when the disk is full."""
        capture = cv2.VideoCapture(str(self._part))
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        return frames == self._frames
