"""What is different in a training where several hosts share each batch; with one host, none of this does anything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import keras
from keras import ops

from roadseg.errors import HostError, InputError
from roadseg.meeting import Meeting
from roadseg.reading.folder_lock import locked
from roadseg.segnet.backend import on_this_host
from roadseg.segnet.device import Placement
from roadseg.training.callbacks import TrainingInterruptedError
from roadseg.training.checkpoint import WORK, Checkpoint, lend_uncompiled
from roadseg.training.recipe import TrainOptions

View = Callable[[keras.Model], AbstractContextManager[keras.Model]]
"""Lends the network that is saved and shown in the place of one that trains."""


def check_batch_size(options: TrainOptions, placement: Placement) -> None:
    """Refuses batches that hosts and devices can't share evenly.

    Raises:
        InputError: If the batch size is no multiple of the number of devices on all hosts.
    """
    if options.batch_size % len(placement.devices):
        raise InputError(
            f"train.batch_size is {options.batch_size}, but {placement.hosts} hosts with {options.devices} devices "
            f"each share every batch: set it to a multiple of {len(placement.devices)}"
        )


@contextmanager
def owned(folder: Path, placement: Placement) -> Iterator[None]:
    """Keeps other runs from the folder of a training; host 0 does so for all.

    Raises:
        FileError: If another run works there, or nothing can be written there.
    """
    if placement.host:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, WORK):
        yield


@contextmanager
def together(placement: Placement, training: str) -> Iterator[Meeting | None]:
    """Lets all hosts begin and end a training together; yields their meeting, None on one host.

    Args:
        placement: Where this host computes.
        training: What tells this training from others.

    Raises:
        HostError: If a host would do another training, or fails.
    """
    meeting = Meeting.current
    if meeting is None:
        yield None
        return
    plans = meeting.gather("plan", f"{training} {replace(placement, host=0)}")
    others = [number for number, plan in enumerate(plans) if plan != plans[0]]
    if others:
        raise HostError(
            f"host {others[0]} would not do the training of host 0: give all hosts the same command, parameters, code, "
            f"packages, data and kind of device"
        )
    try:
        yield meeting
    except TrainingInterruptedError:  # on all hosts, after the same step
        meeting.part()
        raise
    meeting.part()


def share_state(checkpoint: Checkpoint, placement: Placement) -> bytes | None:
    """Returns the state that host 0 has, empty if it has none, on all hosts; None on one host."""
    if Meeting.current is None:
        return None
    is_here = not placement.host and checkpoint.is_there
    return Meeting.current.hand_round(checkpoint.read_state() if is_here else b"")


def choose_view(network: keras.Model, placement: Placement) -> View | None:
    """Returns how host 0 saves and shows the network while it trains; None on the others, which do neither."""
    if placement.hosts == 1:
        return lend_uncompiled
    return None if placement.host else CopyOnThisHost(network)


class CopyOnThisHost:
    """A network of this host alone with the weights of one that all hosts train, which all would have to save."""

    def __init__(self, network: keras.Model) -> None:
        """Takes the network."""
        with on_this_host():
            self._copy = keras.models.clone_model(network)

    @contextmanager
    def __call__(self, network: keras.Model) -> Iterator[keras.Model]:
        """Lends the copy, with the weights that the network has."""
        with on_this_host():
            for own, variable in zip(self._copy.variables, network.variables, strict=True):
                own.assign(ops.convert_to_numpy(variable))
            yield self._copy
