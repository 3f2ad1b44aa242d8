"""What a network says of an image: classes, and how sure it is of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from roadseg.segnet.class_borders import choose_label_map
from roadseg.segnet.class_choice import Size, choose_class
from roadseg.segnet.device import Device, predicting_on


@dataclass(frozen=True)
class Segmentation:
    """What a network says of an image.

    Maps are computed when they are first asked for, by the thread that asks. To keep few bytes of many images, keep
    their maps: a segmentation keeps the logits of its whole batch in memory.

    Attributes:
        logits: (height, width, classes) float32, of the size at which the network sees images.
        size: (height, width) in pixels of the image.
        temperature: Divides the logits before the softmax.
        device: What the maps of the image's size are computed on.
        variance: (height, width) float32 of the network's size, from 0 to `find_largest_variance`: how far apart
            dropout samples are, see `DropoutSamples.predict`. Then `logits` are the logarithm of the mean of their
            softmaxes, and `temperature` is 1. None without samples.
    """

    logits: NDArray[np.float32]
    size: Size
    temperature: float = 1.0
    device: Device = "auto"
    variance: NDArray[np.float32] | None = None

    @cached_property
    def label_map(self) -> NDArray[np.uint8]:
        """(height, width) uint8 of the image's size: the class ids with the highest logit, of equal ones the first."""
        if "_chosen" in vars(self) or self.size == self.logits.shape[:2]:
            return self._chosen[0]
        with predicting_on(self.device):
            return choose_label_map(self.logits, self.size)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(height, width) float32 of the image's size, 0..1: the softmax at the class of the label map."""
        return self._chosen[1]

    @property
    def network_confidence(self) -> NDArray[np.float32]:
        """(height, width) float32 of the network's size, 0..1: the highest softmax."""
        return self._doubt[0]

    @property
    def entropy(self) -> NDArray[np.float32]:
        """(height, width) float32 of the network's size, nats: of the softmax, from 0 to the log of the classes."""
        return self._doubt[1]

    @cached_property
    def _chosen(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        with predicting_on(self.device):
            return choose_class(self.logits, self.size, self.temperature)

    @cached_property
    def _doubt(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # Class by class, as NumPy reduces the last axis slowly where it is short.
        logits = np.ascontiguousarray(np.moveaxis(self.logits, -1, 0)) / np.float32(self.temperature)
        logits -= logits.max(axis=0)
        odds = np.exp(logits)
        total = odds.sum(axis=0)
        return 1 / total, np.log(total) - (odds * logits).sum(axis=0) / total
