"""Predicting pictures in the workers of a cluster: they read, predict and write, and only what they note comes back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError
from roadseg.predicting.entry import Entry
from roadseg.predicting.options import PredictOptions
from roadseg.predicting.picture_files import PictureFiles
from roadseg.predicting.prediction_folder import Footage, PredictionFolder
from roadseg.predicting.shots import fingerprint_item
from roadseg.predicting.work import Work
from roadseg.reading.batches import Killed
from roadseg.reading.cluster import Share
from roadseg.reading.picture import Picture
from roadseg.reading.progress import show_progress
from roadseg.reading.video import Video
from roadseg.reporting.overlay import Overlay
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

Item = Picture | Video
Note = Entry | Footage


class _WorkersFolder(PredictionFolder):
    """The folder of a prediction as a worker sees it: it writes files, and keeps its notes for the one who asked."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, Lock()
        self.entries, self.videos = {}, {}
        self.noted: list[Note] = []

    def note(self, note: Note) -> None:
        with self._lock:
            self.noted.append(note)
            self._keep(note)


@dataclass(frozen=True)
class SharedWork:
    """What it takes to predict pictures in workers, each of which makes the network ready once.

    Attributes:
        model: The trained network.
        path: The folder of the prediction, which all machines must see.
        overlay: Paints pictures.
        values: (K,) uint8, what stands for each class in a label map.
        options: What is asked for.
        seed: Of passes with dropout.
    """

    model: TrainedSegNet
    path: Path
    overlay: Overlay
    values: NDArray[np.uint8]
    options: PredictOptions
    seed: int

    @cached_property
    def _predictor(self) -> Predictor:
        options = self.options
        return Predictor(self.model, batch_size=options.batch_size, samples=options.samples, seed=self.seed)

    def predict(self, items: Sequence[Item]) -> Sequence[Note]:
        """Predicts pictures and videos, and returns what is to be noted of them."""
        folder = _WorkersFolder(self.path)
        Work(self._predictor, PictureFiles(folder, self.overlay, self.values, self.options)).predict(items)
        return folder.noted

    def have_predicted(self, items: Sequence[Item], share: Share) -> Iterator[Note]:
        """Yields what workers note of pictures, those together that go through the network together, and of videos.

        An item that ends each worker gets a fault.

        Raises:
            FileError: If what they write is not found here.
        """
        if not items:
            return
        size = self.options.batch_size
        pictures = [each for each in items if isinstance(each, Picture)]
        lists: list[list[Item]] = [[*pictures[start : start + size]] for start in range(0, len(pictures), size)]
        lists += [[each] for each in items if isinstance(each, Video)]
        suspects: list[list[Item]] = []
        for given, noted in zip(
            lists, show_progress(share(self.predict, lists, 1), len(lists), "batches"), strict=True
        ):
            if isinstance(noted, Killed):
                suspects += [[each] for each in given]
            else:
                self._check_files(noted)
                yield from noted
        for [suspect], noted in zip(suspects, share(self.predict, suspects, 1) if suspects else (), strict=True):
            yield from [self._describe_killed(suspect, noted.workers)] if isinstance(noted, Killed) else noted

    def _describe_killed(self, item: Item, workers: int) -> Entry:
        drive = item.drive if isinstance(item, Picture) else item.name
        time = self.options.video.start if isinstance(item, Video) else None
        fault = f"it ended each of {workers} workers"
        fingerprint = fingerprint_item(item, self.options.video)
        return Entry(picture=item.name, drive=drive, fingerprint=fingerprint, time=time, fault=fault)

    def _check_files(self, noted: Sequence[Note]) -> None:
        for entry in noted:
            if isinstance(entry, Entry) and not entry.fault:
                path = _WorkersFolder(self.path).name_file("label_maps", entry.picture)
                if not path.exists():
                    raise FileError(f"a worker has written '{path}', but it is not here: all machines must share it")
                return
