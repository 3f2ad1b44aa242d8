"""What a training shows while it runs: a bar per epoch on a terminal, a line per epoch in the log."""

import logging
import math
import sys
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

logger = logging.getLogger(__name__)


class EpochProgress(keras.callbacks.Callback):
    """Shows how far an epoch is, images per second and the time left, and logs each epoch in one line.

    If the output is not a terminal, there is no bar.
    """

    def __init__(self, images: int, batch_size: int) -> None:
        """Takes the number of images in an epoch and in a batch."""
        super().__init__()
        self._images, self._batch_size = images, batch_size
        self._bar: Progress | None = None

    def __enter__(self) -> "EpochProgress":
        """Shows nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the bar of an epoch that was stopped."""
        self._stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the bar."""
        if not sys.stdout.isatty():
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),  # so that all fits into 80 columns
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=Console(),
            transient=True,
        )
        description = f"Epoch {epoch + 1} of {self.params['epochs']}"
        self._task = self._bar.add_task(description, total=self._images, speed="", loss="")
        self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar."""
        if self._bar is None:
            return
        speed = self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            completed=min((batch + 1) * self._batch_size, self._images),
            speed=f"{speed:.1f} images/s" if speed else "",
            loss=f"loss {float((logs or {}).get('loss', math.nan)):.4f}",
        )

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Says what happens after the last image."""
        if self._bar is not None:
            self._bar.update(self._task, loss=f"{self._bar.tasks[0].fields['loss']}, validating")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Removes the bar and logs the epoch."""
        self._stop()
        logger.info(
            "Epoch %(epoch)d of %(epochs)d: loss %(loss).4f, mean IoU %(mean_iou).4f, "
            "validation %(val_loss).4f, %(val_mean_iou).4f; "
            "rate %(learning_rate).3g; %(images_per_second).1f images/s; %(seconds).1f s",
            {**(logs or {}), "epoch": epoch + 1, "epochs": self.params["epochs"]},
        )

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
