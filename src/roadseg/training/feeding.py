"""Prepared scenes to batches, read while the network trains; never all of them in memory."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Self

import keras
import numpy as np
from numpy.typing import NDArray

from roadseg.scenes.labels import VOID
from roadseg.training.augmentation import AugmentationOptions, augment_scene
from roadseg.training.cache import PairReader

READERS = 2
"""Threads that read ahead: decoding a PNG leaves the interpreter free."""

AHEAD = 4
"""Batches that are read before they are asked for."""

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Shuffle:
    """Another order and other changes of the scenes in each epoch.

    Attributes:
        seed: Repeats both.
        augmentation: Changes to make.
        first_epoch: Epochs that were served before, so that a continued training sees the scenes in the same order and
            with the same changes as without a stop.
    """

    seed: int
    augmentation: AugmentationOptions
    first_epoch: int = 0


class SceneBatches(keras.utils.PyDataset):
    """Batches of images (batch, height, width, 3) and label maps (batch, height, width), both uint8.

    Each scene occurs once in an epoch; the last batch holds the remainder. Order and augmentation depend only on
    seed, epoch and scene, so that a run can be repeated. A context manager, which ends the threads that read ahead.
    """

    def __init__(
        self,
        scenes: PairReader,
        ids: Sequence[str],
        batch_size: int,
        *,
        shuffle: Shuffle | None = None,
        shared_by: int = 1,
        in_flight: int = 1,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """Takes the scenes and which of them to serve.

        Args:
            scenes: What reads a scene, prepared scenes or a cache of them.
            ids: Scenes with labels, in the order in which they are served unless they are shuffled.
            batch_size: Scenes per batch.
            shuffle: None serves the scenes in order and as they are.
            shared_by: Devices that share a batch evenly. Where the last batch is too small for that, it is filled up
                with its last image, all void: no pixel of it counts in gradients and metric; batch norm
                sees it, and the mean loss of an epoch counts that batch as a full one.
            in_flight: How many scenes are read at the same time, in as many threads; with 1 those of a batch come one
                after the other, in one of the threads that read batches ahead.
            part: Number of a part of each batch, from 0, and of how many equal ones: only this part is read and served.
        """
        # Keras' own readers return batches of one epoch in the next one, except on TensorFlow with one device.
        super().__init__(workers=1)
        self._readers = ThreadPoolExecutor(READERS if in_flight == 1 else AHEAD, thread_name_prefix="scene_reader")
        self._waiting = ThreadPoolExecutor(in_flight, thread_name_prefix="waits_for_scene") if in_flight > 1 else None
        self._ahead, self._lock = dict[int, Future[Batch]](), Lock()
        self._scenes, self._ids, self._batch_size, self._shuffle = scenes, list(ids), batch_size, shuffle
        self._shared_by, self._part = shared_by, part
        self.num_scenes = len(self._ids)
        self._start_epoch(shuffle.first_epoch if shuffle else 0)

    def __enter__(self) -> Self:
        """Reads nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the threads that read; batches that they have not begun are not read."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        if self._waiting:
            self._waiting.shutdown(cancel_futures=True)
        self._readers.shutdown()

    def __len__(self) -> int:
        """Returns the number of batches in an epoch."""
        return -(-len(self._ids) // self._batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Returns a batch of the epoch, and starts reading the next ones."""
        with self._lock:
            for each in range(index, min(index + AHEAD, len(self) - 1) + 1):
                if each not in self._ahead:
                    self._ahead[each] = self._readers.submit(self._read, each)
            batch = self._ahead.pop(index)
        return batch.result()

    def _read(self, index: int) -> Batch:
        start, (part, parts) = index * self._batch_size, self._part
        places = [(position, False) for position in self._order[start : start + self._batch_size]]
        places += [(places[-1][0], True)] * (-len(places) % self._shared_by)
        size = len(places) // parts
        served = places[part * size : (part + 1) * size]
        positions = list(dict.fromkeys(position for position, _ in served))
        apply = self._waiting.map if self._waiting else map
        pairs = dict(zip(positions, apply(self._pair, positions), strict=True))
        images = [pairs[position][0] for position, _ in served]
        label_maps = [np.full_like(pairs[each][1], VOID) if is_void else pairs[each][1] for each, is_void in served]
        return np.stack(images), np.stack(label_maps)

    def name_scenes(self, index: int) -> list[str]:
        """Returns the ids of the scenes in a batch of the epoch."""
        start = index * self._batch_size
        return [self._ids[position] for position in self._order[start : start + self._batch_size]]

    def on_epoch_end(self) -> None:
        """Shuffles for the epoch that follows."""
        self._start_epoch(self._epoch + 1)

    def _start_epoch(self, epoch: int) -> None:
        for batch in self._ahead.values():
            batch.cancel()
        self._ahead.clear()
        self._epoch, self._order = epoch, np.arange(len(self._ids))
        if self._shuffle:
            np.random.default_rng((self._shuffle.seed, epoch)).shuffle(self._order)

    def _pair(self, position: int) -> Batch:
        image, label_map = self._scenes.read_pair(self._ids[position])
        if self._shuffle is None:
            return image, label_map
        random = np.random.default_rng((self._shuffle.seed, self._epoch, position))
        return augment_scene(image, label_map, self._shuffle.augmentation, random)
