"""What TensorBoard shows of a training."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from roadseg.scenes.palette import Palette
from roadseg.segnet.backend import is_tensorflow

logger = logging.getLogger(__name__)


class TensorBoardLog(keras.callbacks.TensorBoard):
    """Scalars, learning rate and graph as Keras writes them, and predictions on a few scenes after each epoch."""

    def __init__(
        self,
        folder: Path,
        images: NDArray[np.uint8],
        label_maps: NDArray[np.uint8],
        palette: Palette,
        devices: int,
        view: Callable[[keras.Model], AbstractContextManager[keras.Model]] = nullcontext,
    ) -> None:
        """Takes the folder of the run, and the example scenes.

        Args:
            folder: Where the run is written to.
            images: (scenes, height, width, 3).
            label_maps: (scenes, height, width).
            palette: Of the classes.
            devices: How many share a batch evenly.
            view: Lends the network that predicts.
        """
        super().__init__(folder)
        self._images, self._palette, self._view = images, palette, view
        self._batch = images[np.arange(len(images) + -len(images) % devices) % len(images)]
        self._truth = np.stack([palette.paint(each) for each in label_maps])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the scalars, and for each example image, truth and prediction below one another."""
        super().on_epoch_end(epoch, logs)
        with self._view(self.model) as network:
            logits = ops.convert_to_numpy(network.predict_on_batch(self._batch))[: len(self._images)]
        predicted = np.stack([self._palette.paint(each.argmax(-1).astype(np.uint8)) for each in logits])
        panels = np.concatenate([self._images, self._truth, predicted], axis=1)
        with self._val_writer.as_default():
            self.summary.image("examples", panels, step=epoch, max_outputs=len(panels))


def can_write_tensorboard() -> bool:
    """Returns whether TensorFlow is installed, which writes for TensorBoard on any backend; if not, logs this."""
    try:
        import tensorflow as tf
    except ImportError:
        logger.info("TensorFlow is not installed: this training is not shown in TensorBoard")
        return False
    if not is_tensorflow():
        tf.config.set_visible_devices([], "GPU")  # else it takes most of the memory that the other backend needs
    return True
