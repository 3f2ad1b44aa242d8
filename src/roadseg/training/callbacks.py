"""What watches a training: the facts of an epoch, a loss that is not a number, Ctrl-C and SIGTERM."""

import logging
import math
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import keras
from keras import ops

from roadseg.errors import InputError
from roadseg.interruption import ask_for_termination, is_termination_asked_for, postponed_termination

logger = logging.getLogger(__name__)


class EpochFacts(keras.callbacks.Callback):
    """Adds the learning rate, the speed of training and the seconds of an epoch to its logs."""

    def __init__(self, images: int) -> None:
        """Takes the number of images in an epoch."""
        super().__init__()
        self._images = images

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._start = time.perf_counter()
        self._learning_rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stops the time of training: what follows is validation."""
        self._training_seconds = time.perf_counter() - self._start

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the facts; the learning rate is the one that the epoch began with."""
        if logs is not None:
            logs["learning_rate"] = self._learning_rate
            logs["images_per_second"] = self._images / self._training_seconds
            logs["seconds"] = time.perf_counter() - self._start


class FiniteLoss(keras.callbacks.Callback):
    """Stops a training whose loss is not a number."""

    def __init__(self, name_scenes: Callable[[int], Sequence[str]]) -> None:
        """Takes a function from the number of a batch in the epoch, from 0, to its scenes."""
        super().__init__()
        self._name_scenes = name_scenes

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the loss.

        Raises:
            InputError: If it is infinite or not a number.
        """
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise InputError(
                f"the loss is {loss} in epoch {self._epoch + 1}, step {batch + 1} "
                f"(scenes {', '.join(self._name_scenes(batch))}); try a lower train.learning_rate"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the validation loss: only this loss shows the effect of the last step of an epoch.

        Raises:
            InputError: If it is infinite or not a number.
        """
        loss = float((logs or {})["val_loss"])
        if not math.isfinite(loss):
            raise InputError(f"the validation loss is {loss} after epoch {epoch + 1}; try a lower train.learning_rate")


class TrainingInterruptedError(KeyboardInterrupt):
    """Ctrl-C or SIGTERM ended a training after a step; if nothing can be saved, this ends the run as they do."""


class Interruption(keras.callbacks.Callback):
    """Lets the first Ctrl-C or SIGTERM end the training after the current step, and a second one the program.

    Before this program has finished an epoch, SIGTERM ends it at once: time is short, there is nothing to save, and
    the first steps take long to compile. Several hosts end after the same step, whichever was asked.

    Attributes:
        finished: Number of finished epochs, with those before the training was stopped.
    """

    def __init__(
        self, finished: int, decide: Callable[[str | None], str | None] | None = None, *, saves: bool = True
    ) -> None:
        """Takes what is finished and who decides.

        Args:
            finished: Number of epochs that are finished: without one there is nothing to save.
            decide: Called after each step where several hosts train, with the signal that came to this host; returns
                the signal that ends the training on all of them.
            saves: Whether this host saves what was trained.
        """
        super().__init__()
        self.finished, self._decide, self._saves, self._is_asked_for = finished, decide, saves, False
        self._is_termination_postponed = False
        self._given_back = ExitStack()

    def __enter__(self) -> "Interruption":
        """Takes Ctrl-C over."""
        if current_thread() is main_thread():  # Python gives signals to it alone
            self._given_back.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, self._ask))
        if self._decide:
            self._postpone_termination()
        return self

    @property
    def ends_run(self) -> bool:
        """Whether the run ends with an interrupted training: nothing is to be saved here."""
        return not self.finished or (self._is_asked_for and not self._saves)

    def __exit__(self, *_: object) -> None:
        """Gives both signals back."""
        self._given_back.close()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the training if that was asked for.

        Raises:
            TrainingInterruptedError: To leave `fit` without ending the unfinished epoch.
        """
        signal_here = "SIGTERM" if is_termination_asked_for() else "Ctrl-C" if self._is_asked_for else None
        if self._decide:
            float((logs or {})["loss"])  # waits until the step is over
        ends_by = self._decide(signal_here) if self._decide else signal_here
        if ends_by == "SIGTERM":
            logger.warning("SIGTERM: training ends %s; the same command continues it", self._describe_end())
            ask_for_termination()
        elif ends_by and not signal_here:
            logger.warning("%s on another host: training ends %s", ends_by, self._describe_end())
        if ends_by:
            raise TrainingInterruptedError

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends the training if that was asked for; see `on_train_batch_end`."""
        self.on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the epoch; from the first one on SIGTERM waits for a step."""
        self.finished = epoch + 1
        self._postpone_termination()

    def _postpone_termination(self) -> None:
        if not self._is_termination_postponed:
            self._given_back.enter_context(postponed_termination())
            self._is_termination_postponed = True

    def _ask(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._is_asked_for = True
        logger.warning(
            "Ctrl-C: training ends after this step, %s; a second Ctrl-C aborts the run", self._describe_end()
        )

    def _describe_end(self) -> str:
        return "with its best epoch so far" if self.finished else "and so does the run, because no epoch is finished"
