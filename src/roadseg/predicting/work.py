"""Predicting the pictures of a source into a folder: reading, network and writing at the same time."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Lock
from typing import Self

import cv2
import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from roadseg.predicting.entry import Entry
from roadseg.predicting.layout import describe_layout
from roadseg.predicting.overlay_video import OverlayVideo
from roadseg.predicting.picture_files import PictureFiles
from roadseg.predicting.prediction_folder import VIDEOS, Footage
from roadseg.predicting.shots import Shot, fingerprint_item, read_ahead, read_pictures, read_video
from roadseg.reading.picture import Picture
from roadseg.reading.progress import show_progress
from roadseg.reading.video import Video, VideoHeader
from roadseg.reporting.numbers import write_counts
from roadseg.scenes.faults import UnusableSceneError
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.segmentation import Segmentation

logger = logging.getLogger(__name__)

Submit = Callable[[Shot, Segmentation | None], Future[None]]
"""Has other threads write what is asked for of a shot, and note it; without a segmentation if it was not predicted."""


class Work:
    """Predicts what the folder of a prediction lacks."""

    def __init__(self, predictor: Predictor, files: PictureFiles) -> None:
        """Takes the predictor of a trained network, and the writer of the files."""
        self._predictor, self._files = predictor, files
        self._folder, self._options = files.folder, files.options
        self._lock, self._last = Lock(), time.perf_counter()

    def predict(self, source: Sequence[Picture | Video]) -> None:
        """Predicts each picture and video that is not finished.

        Raises:
            FileError: If the disk is full.
            MemoryError: If memory runs out, with advice.
        """
        unfinished = self.find_unfinished(source)
        pictures = {each: fingerprint for each, fingerprint in unfinished.items() if isinstance(each, Picture)}
        if pictures:
            self._predict_pictures([*pictures], [*pictures.values()])
        for item, fingerprint in unfinished.items():
            if isinstance(item, Video):
                self._predict_video(item, fingerprint)

    def find_unfinished(self, source: Sequence[Picture | Video]) -> dict[Picture | Video, str]:
        """Returns each picture, and then each video, that is not finished, with its fingerprint."""
        fingerprints = {item.name: fingerprint_item(item, self._options.video) for item in source}
        pictures = [item for item in source if isinstance(item, Picture)]
        missing = [each for each in pictures if not self._is_finished(each.name, fingerprints[each.name])]
        videos = [item for item in source if isinstance(item, Video)]
        unfinished = [each for each in videos if not self._is_finished_video(each.name, fingerprints[each.name])]
        kinds = (("picture", len(missing), len(pictures)), ("video", len(unfinished), len(videos)))
        named = [f"{left:,} of {write_counts({kind: count})}" for kind, left, count in kinds if count]
        logger.info("%s to predict", " and ".join(named))
        todo: list[Picture | Video] = [*missing, *unfinished]
        return {each: fingerprints[each.name] for each in todo}

    def _is_finished(self, picture: str, fingerprint: str) -> bool:
        entry = self._folder.entries.get(picture)
        return entry is not None and not entry.fault and entry.fingerprint == fingerprint

    def _is_finished_video(self, video: str, fingerprint: str) -> bool:
        footage = self._folder.videos.get(video)
        return footage is not None and footage.fingerprint == fingerprint

    def _finish_each(self, shots: Iterator[Shot], submit: Submit) -> Iterator[None]:
        """Predicts and finishes shots as they are read; yields once per shot that is finished, in order."""
        unfinished: deque[list[Future[None]]] = deque()
        try:
            with closing(read_ahead(shots, self._options.batch_size)) as lists:  # after an error too, its thread ends
                for several in lists:
                    found = self._predict_shots(several)
                    unfinished.append([submit(shot, found.get(shot.picture)) for shot in several])
                    while len(unfinished) > 1:  # one list is written while the next one is predicted
                        yield from (each.result() for each in unfinished.popleft())
            while unfinished:
                yield from (each.result() for each in unfinished.popleft())
        finally:
            for waiting in unfinished:
                for each in waiting:
                    each.cancel()

    def _predict_shots(self, shots: Sequence[Shot]) -> dict[str, Segmentation]:
        chosen = {
            shot.picture: shot.image
            for shot in shots
            if shot.is_chosen and shot.image is not None and not self._is_finished(shot.picture, shot.fingerprint)
        }
        return dict(zip(chosen, self._predictor.predict_each(chosen.values()), strict=True))

    def _finish_picture(self, shot: Shot, found: Segmentation | None) -> None:
        if shot.image is not None and found is not None:
            if self._options.overlays.written:
                self._files.write_overlay(shot.picture, shot.image, found.label_map)
            self._files.write(shot.picture, shot.image, found)
        self._folder.note(self._describe(shot, found))

    def _predict_pictures(self, pictures: Sequence[Picture], fingerprints: Sequence[str]) -> None:
        with closing(read_pictures(pictures, fingerprints)) as shots, ThreadPoolExecutor(cpu_count()) as writers:
            finished = self._finish_each(shots, lambda *pair: writers.submit(self._finish_picture, *pair))
            for _ in show_progress(finished, len(pictures), "pictures"):
                pass

    def _predict_video(self, video: Video, fingerprint: str) -> None:
        with ExitStack() as stack:
            video = stack.enter_context(video.fetched())
            overlay = None
            if self._options.overlays.written and (header := _read_header(video)):
                path = self._folder.name_file(VIDEOS, video.name)
                overlay = stack.enter_context(OverlayVideo(path, header.size, header.frame_rate))
            all_frames = overlay is not None
            shots = stack.enter_context(closing(read_video(video, self._options.video, all_frames=all_frames)))
            frames = stack.enter_context(_Frames(self._files, overlay, self._describe))
            for _ in show_progress(self._finish_each(shots, frames.submit), None, "frames"):
                pass
        if frames.are_there:
            self._folder.note(Footage(video=video.name, fingerprint=fingerprint))

    def _describe(self, shot: Shot, found: Segmentation | None) -> Entry:
        with self._lock:
            now = time.perf_counter()
            seconds, self._last = now - self._last, now
        entry = Entry(
            picture=shot.picture,
            drive=shot.drive,
            fingerprint=shot.fingerprint,
            time=shot.time,
            seconds=seconds,
            fault=shot.fault,
        )
        if found is None:
            return entry
        confidence = found.network_confidence
        return entry.model_copy(
            update={
                "height": found.size[0],
                "width": found.size[1],
                "mean_confidence": float(confidence.mean(dtype=np.float64)),
                "unsure_share": float((confidence < self._options.unsure_below).mean()),
                "entropy": float(found.entropy.mean(dtype=np.float64)),
                "variance": None if found.variance is None else float(found.variance.mean(dtype=np.float64)),
                "shares": count_shares(found.label_map, found.logits.shape[-1]),
                "layout": describe_layout(found.label_map),
            }
        )


class _Frames:
    """Finishes the frames of a video: their files at the same time, the overlay in order.

    In the overlay, frames that are not predicted show the classes of the frame before.
    """

    def __init__(
        self, files: PictureFiles, overlay: OverlayVideo | None, describe: Callable[[Shot, Segmentation | None], Entry]
    ) -> None:
        self._files, self._overlay, self._describe = files, overlay, describe
        self._writers, self._painter = ThreadPoolExecutor(cpu_count()), ThreadPoolExecutor(1)
        self._label_map: NDArray[np.uint8] | None = None
        self.are_there = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writers.shutdown()
        self._painter.shutdown()

    def submit(self, shot: Shot, found: Segmentation | None) -> Future[None]:
        """Has the files of a frame written, and it painted after those that were submitted before."""
        return self._painter.submit(self._paint, shot, self._writers.submit(self._write, shot, found))

    def _write(self, shot: Shot, found: Segmentation | None) -> NDArray[np.uint8] | None:
        """Writes the files of a frame, and returns its label map if the overlay needs it."""
        if shot.image is None:
            self._files.folder.note(self._describe(shot, None))
            return None
        if found is not None:
            self._files.write(shot.picture, shot.image, found)
            self._files.folder.note(self._describe(shot, found))
            return found.label_map
        if shot.is_chosen and self._overlay is not None:  # predicted before a kill
            return self._files.read_label_map(shot.picture)
        return None

    def _paint(self, shot: Shot, written: Future[NDArray[np.uint8] | None]) -> None:
        label_map = written.result()
        if shot.image is None:
            return
        self.are_there = True
        self._label_map = self._label_map if label_map is None else label_map
        if self._overlay is not None and self._label_map is not None:
            self._overlay.add(self._files.overlay.paint(shot.image, self._label_map))


def count_shares(label_map: NDArray[np.uint8], num_classes: int) -> tuple[float, ...]:
    """Returns the share of each class in the pixels of a label map, (height, width) uint8 class ids."""
    counts = cv2.calcHist([label_map], [0], None, [256], [0, 256])[:num_classes, 0]  # a tenth of NumPy's time
    return tuple((counts.astype(np.float64) / label_map.size).tolist())


def _read_header(video: Video) -> VideoHeader | None:
    try:
        return video.read_header()
    except UnusableSceneError:  # reading the frames tells
        return None
