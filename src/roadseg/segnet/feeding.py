"""Prepared scenes to batches, read while the network trains; never all of them in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from roadseg.scenes.labels import VOID
from roadseg.segnet.augmentation import AugmentationOptions, augment_scene
from roadseg.segnet.cache import PairReader

WORKERS = 2
"""Threads that read ahead: decoding a PNG leaves the interpreter free."""

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Shuffle:
    """Another order, and other changes of the scenes, each epoch.

    Attributes:
        seed: Repeats both.
        augmentation: Changes to make.
    """

    seed: int
    augmentation: AugmentationOptions


class SceneBatches(keras.utils.PyDataset):
    """Batches of images (batch, height, width, 3) and label maps (batch, height, width), both uint8.

    Each scene stands once in an epoch; the last batch holds the remainder. Order and augmentation follow from seed,
    epoch and scene alone, so that a run can be repeated.
    """

    def __init__(
        self,
        scenes: PairReader,
        ids: Sequence[str],
        batch_size: int,
        *,
        shuffle: Shuffle | None = None,
        first_epoch: int = 0,
        shared_by: int = 1,
    ) -> None:
        """Takes the scenes and which of them to serve.

        Args:
            scenes: What reads a scene, prepared scenes or a cache of them.
            ids: Scenes with labels, in the order in which they are served unless they are shuffled.
            batch_size: Scenes a batch.
            shuffle: None serves the scenes in order and as they are.
            first_epoch: Epochs that were served before, so that a training that goes on sees the scenes in the order
                and with the changes that it would have seen.
            shared_by: Devices that share a batch evenly. Where the last batch is too small for that, it is filled up
                with its last image, all void: no loss or score counts it.
        """
        super().__init__(workers=WORKERS, max_queue_size=2 * WORKERS)
        self._scenes, self._ids, self._batch_size, self._shuffle = scenes, list(ids), batch_size, shuffle
        self._shared_by = shared_by
        self.scenes = len(self._ids)
        self._start_epoch(first_epoch)

    def __len__(self) -> int:
        """Returns the number of batches in an epoch."""
        return -(-len(self._ids) // self._batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Returns a batch of the epoch."""
        start = index * self._batch_size
        pairs = [self._pair(position) for position in self._order[start : start + self._batch_size]]
        image, label_map = pairs[-1]
        pairs += [(image, np.full_like(label_map, VOID))] * (-len(pairs) % self._shared_by)
        images, label_maps = zip(*pairs, strict=True)
        return np.stack(images), np.stack(label_maps)

    def name_scenes(self, index: int) -> list[str]:
        """Returns the ids of the scenes in a batch of the epoch."""
        start = index * self._batch_size
        return [self._ids[position] for position in self._order[start : start + self._batch_size]]

    def on_epoch_end(self) -> None:
        """Shuffles for the epoch that follows."""
        self._start_epoch(self._epoch + 1)

    def _start_epoch(self, epoch: int) -> None:
        self._epoch, self._order = epoch, np.arange(len(self._ids))
        if self._shuffle:
            np.random.default_rng((self._shuffle.seed, epoch)).shuffle(self._order)

    def _pair(self, position: int) -> Batch:
        image, label_map = self._scenes.read_pair(self._ids[position])
        if self._shuffle is None:
            return image, label_map
        random = np.random.default_rng((self._shuffle.seed, self._epoch, position))
        return augment_scene(image, label_map, self._shuffle.augmentation, random)
