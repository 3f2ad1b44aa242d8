"""A video to be predicted, read frame by frame."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from roadseg.errors import FileError
from roadseg.reading.picture import LARGEST_PICTURE, LONGEST_SIDE
from roadseg.reading.source_file import SourceFile
from roadseg.reading.stored_path import StoredPath
from roadseg.reading.video_container import count_missing_bytes, is_damaged
from roadseg.scenes.faults import FaultKind, UnusableSceneError

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
"""Endings of video files, in small letters."""

SLOWEST, FASTEST = 0.1, 1000.0
"""Frames per second that are believed."""

ASSUMED_RATE = 25.0
"""Frames per second where a file says something else; FFmpeg assumes as many where it says nothing."""

TRIES = 1000
"""Frames in a row that can't be decoded, after which a video is at its end; at the end they take 0.03 s."""

opening = Lock()


class VideoOptions(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """Which frames of a video are predicted.

    Attributes:
        every: 1 for each frame, 2 for every second, and so on.
        start: Seconds from the beginning of the video, of the first frame.
        end: Seconds from the beginning at which no frame is predicted any more; None for the end of the video.
    """

    every: PositiveInt
    start: NonNegativeFloat
    end: PositiveFloat | None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("start must be less than end")
        return self


@dataclass(frozen=True)
class VideoHeader:
    """What a video file says of itself.

    Attributes:
        size: (height, width) in pixels, turned as the file says.
        frame_rate: Frames per second.
    """

    size: tuple[int, int]
    frame_rate: float


@dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        number: From 0, also counting those that are not read.
        time: Seconds from the beginning.
        image: (height, width, 3) uint8, RGB.
        is_chosen: Whether it is to be predicted.
    """

    number: int
    time: float
    image: NDArray[np.uint8]
    is_chosen: bool


@dataclass(frozen=True)
class Video(SourceFile):
    """A video file that was found and not opened yet; OpenCV decodes it by FFmpeg.

    Attributes:
        copy: Of the file on the local disk, where it lies in a store.
    """

    copy: Path | None = None

    @contextmanager
    def fetched(self) -> Iterator["Video"]:
        """Yields the video with its file on the local disk: that of one in a store is there as long as this lasts."""
        if not isinstance(self.path, StoredPath):
            yield self
            return
        with TemporaryDirectory(prefix="roadseg-") as folder:
            copy = Path(folder) / self.path.name
            self.path.fetch(copy)
            yield replace(self, copy=copy)

    @property
    def drive(self) -> str:
        """The video's name: it is a drive of its own."""
        return self.name

    def read_header(self) -> VideoHeader:
        """Returns size and frame rate.

        Raises:
            UnusableSceneError: If the file is missing, may not be read, can't be decoded, or its frames are too large.
        """
        capture = self._open()
        try:
            header, told = self._describe(capture), capture.get(cv2.CAP_PROP_FPS)
        finally:
            capture.release()
        if header.frame_rate != told:
            taken = header.frame_rate
            logger.warning("'%s' says it has %g frames per second: %g are taken", self.path.name, told, taken)
        return header

    def read_frames(self, options: VideoOptions, *, all_frames: bool = True) -> Iterator[Frame]:
        """Yields the frames between start and end, in order, one at a time; of a broken video those that can be read.

        Args:
            options: Which frames there are, and which of them are chosen.
            all_frames: Whether to yield also those that are not chosen, for a video of all of them; for one that can't
                be decoded, the frame before comes again, so that the video keeps its time.

        Raises:
            UnusableSceneError: Before the first frame as in `read_header`; after the last one that can be read if the
                file is cut off, if some could not be decoded, or if there are none between start and end.
        """
        capture = self._open()
        try:
            yield from self._read(capture, options, all_frames)
        finally:
            capture.release()

    def _read(self, capture: cv2.VideoCapture, options: VideoOptions, all_frames: bool) -> Iterator[Frame]:
        count, time, last = 0, float("inf"), None
        for number, time in self._grab_each(capture):
            if options.end is not None and time >= options.end:
                break
            if time < options.start:
                continue
            is_chosen = count % options.every == 0
            count += 1
            if is_chosen or all_frames:
                if last and all_frames:
                    yield from (replace(last, number=lost, is_chosen=False) for lost in range(last.number + 1, number))
                image = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
                last = Frame(number, time, image, is_chosen)  # type: ignore[arg-type]
                yield last
        if count == 0:
            detail = f"'{self.path.name}' has no frame from start ({options.start:g} s) to end ({options.end} s)"
            if time < options.start:
                last_at = f"its last frame is at {time:g} s"
                detail = f"start ({options.start:g} s) is too late for '{self.path.name}': {last_at}"
            elif options.end is None or time < options.end:
                detail = f"'{self.path.name}' has no frame that can be decoded"
            raise UnusableSceneError(FaultKind.NO_FRAMES, detail)

    def _grab_each(self, capture: cv2.VideoCapture) -> Iterator[tuple[int, float]]:
        """Yields number and time of each frame that can be decoded, when it is what `capture.retrieve` returns."""
        rate = self._describe(capture).frame_rate
        is_believed = rate == capture.get(cv2.CAP_PROP_FPS)
        number, time, lost, failed = 0, -1 / rate, 0, 0
        while failed < TRIES:
            if not capture.grab():  # at the end, or a frame that is broken
                failed += 1
                continue
            number, lost, failed = number + failed, lost + failed, 0
            told = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if is_believed else number / rate
            time = round(told if told > time else time + 1 / rate, 6)
            yield number, time
            number += 1
        self._check_end(number, lost, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def _check_end(self, number: int, lost: int, told: int) -> None:
        """Raises an error if a video ends before its end, or not all could be decoded.

        The number of frames that a file tells is often wrong, and of Matroska FFmpeg makes it from duration and rate,
        so alone it is no reason.
        """
        is_short, of_all = (number < told, f" of {told}") if told > 0 else (True, "")
        if is_short and (missing := self._ask_file(count_missing_bytes)):
            detail = f"'{self.path.name}' is cut off after {number}{of_all} frames: {missing} bytes are missing"
        elif is_short and self._ask_file(is_damaged):
            detail = f"'{self.path.name}' is damaged: {number - lost}{of_all} frames can be read"
        elif lost:
            detail = f"{lost} of {number} frames of '{self.path.name}' can't be decoded"
        else:
            return
        raise UnusableSceneError(FaultKind.VIDEO_BROKEN, detail)

    def _open(self) -> cv2.VideoCapture:
        size, missing = self.count_bytes(FaultKind.VIDEO_BROKEN), self._ask_file(count_missing_bytes)
        path = str(self._file.absolute())  # of a relative one with a colon FFmpeg takes the beginning for a protocol
        try:
            path.encode()
        except UnicodeEncodeError as fault:  # OpenCV would crash
            detail = f"'{self.name}' has a name or a folder whose name is not in UTF-8: rename it"
            raise UnusableSceneError(FaultKind.VIDEO_BROKEN, detail) from fault
        capture = _open_quietly(path)
        if capture.isOpened():
            return capture
        why = f"cut off, {missing} bytes are missing" if missing else "damaged or no video that OpenCV reads"
        raise UnusableSceneError(FaultKind.VIDEO_BROKEN, f"'{self.path.name}' can't be decoded ({size} bytes): {why}")

    def _ask_file(self, ask: Callable[[Path], int]) -> int:
        try:
            return ask(self._file)
        except FileError as fault:
            detail = str(fault).replace(f"'{self._file}'", f"'{self.path.name}'")
            raise UnusableSceneError(FaultKind.VIDEO_BROKEN, detail) from fault

    @property
    def _file(self) -> Path:
        return self.copy or Path(str(self.path))

    def _describe(self, capture: cv2.VideoCapture) -> VideoHeader:
        height, width = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH))
        if height * width > LARGEST_PICTURE or max(height, width) > LONGEST_SIDE:
            most = f"at most {LARGEST_PICTURE} pixels and sides of {LONGEST_SIDE} can be read"
            detail = f"'{self.path.name}' has {height} x {width} pixels; {most}"
            raise UnusableSceneError(FaultKind.TOO_LARGE, detail)
        rate = capture.get(cv2.CAP_PROP_FPS)
        return VideoHeader((height, width), rate if SLOWEST <= rate <= FASTEST else ASSUMED_RATE)


def _open_quietly(path: str) -> cv2.VideoCapture:
    """Opens a video; what it is refused for is said by us, in one sentence, and not by OpenCV and FFmpeg as well."""
    with opening:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # OpenCV reads it before the first video
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.VideoCapture(path, cv2.CAP_FFMPEG)
        finally:
            cv2.utils.logging.setLogLevel(level)
