"""How a SegNet learns: compile, fit, continue where it was stopped."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from roadseg.errors import InputError
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import count_unlabelled
from roadseg.segnet.device import Placement, placed_on
from roadseg.segnet.network import build_network
from roadseg.segnet.out_of_memory import explaining_memory, foretell_memory
from roadseg.training.cache import CachedPairs, name_cache
from roadseg.training.callbacks import EpochFacts, FiniteLoss, Interruption, TrainingInterruptedError
from roadseg.training.checkpoint import Checkpoint
from roadseg.training.continuation import EarlierTraining
from roadseg.training.feeding import SceneBatches, Shuffle
from roadseg.training.losses import LossOptions, choose_loss, median_frequency_weights
from roadseg.training.metric import RunningMeanIoU
from roadseg.training.progress import EpochProgress
from roadseg.training.recipe import DECIDING_SCORE, Recipe, TrainOptions, choose_optimizer, choose_steering_callbacks
from roadseg.training.start import start_weights
from roadseg.training.tensorboard import TensorBoardLog, can_write_tensorboard
from roadseg.training.together import View, check_batch_size, choose_view, owned, share_state, together

logger = logging.getLogger(__name__)

EXAMPLES = 3
"""Validation scenes that TensorBoard shows."""


@dataclass(frozen=True)
class TrainingData:
    """The data of a training.

    Attributes:
        scenes: The prepared scenes.
        train: Ids of those that train.
        validation: Ids of those that show which epoch is best.
        in_flight: How many scenes are read at the same time.

    Raises:
        InputError: If either has no scenes.
    """

    scenes: PreparedScenes
    train: Sequence[str]
    validation: Sequence[str]
    in_flight: int = 1

    def __post_init__(self) -> None:
        """Refuses a split without scenes."""
        for split, ids in (("train", self.train), ("validation", self.validation)):
            if not ids:
                count = count_unlabelled(self.scenes.tabulate()).get(split)
                why = f": none of the {count} scenes published as {split} has labels" if count else ""
                raise InputError(
                    f"training needs scenes in the split '{split}', but it has none{why}; see the parameter split"
                )


@dataclass(frozen=True)
class TrainingOutputs:
    """Where a training writes, and in which colours.

    Attributes:
        checkpoint: The folder of the checkpoint of this training only; the caller removes it.
        log: Where TensorBoard finds the run.
        palette: Of the pictures there.
    """

    checkpoint: Path
    log: Path
    palette: Palette


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        network: With the weights of the epoch with the best validation mIoU.
        history: One row per epoch with epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate,
            images_per_second and seconds.
        is_interrupted: Whether Ctrl-C or SIGTERM ended it; then keep its checkpoint.
        state: All that more epochs depend on, as `Checkpoint` wrote it.
    """

    network: keras.Model
    history: pd.DataFrame
    is_interrupted: bool
    state: bytes


def train_network(
    data: TrainingData,
    recipe: Recipe,
    placement: Placement,
    outputs: TrainingOutputs,
    earlier: EarlierTraining | None = None,
) -> Training:
    """Returns a trained network and its history; continues a training in the same folder where it was stopped.

    Args:
        data: What it learns from.
        recipe: How.
        placement: Where it computes, as `choose_placement` returns it.
        outputs: Where it writes.
        earlier: A training that has ended and is to be continued; None starts a new one.

    Raises:
        InputError: If the weights can't be started as asked, or the loss is not a number.
        FileError: If another process does this training, or the checkpoint is damaged.
        MemoryError: If memory runs out, with advice.
        TrainingInterruptedError: On Ctrl-C or SIGTERM before the first epoch is finished.
    """
    check_batch_size(recipe.options, placement)
    with owned(outputs.checkpoint, placement), placed_on(placement), _explaining_memory(data, recipe, placement):
        with together(placement, outputs.checkpoint.name) as meeting:
            network = _build(data, recipe, placement)
            view = choose_view(network, placement)
            steering = choose_steering_callbacks(recipe.options)
            checkpoint = Checkpoint(outputs.checkpoint, DECIDING_SCORE, steering, view)
            finished = _restore(network, checkpoint, recipe.options, outputs, earlier, placement)
            is_interrupted = False
            if not _is_over(checkpoint, recipe.options):
                _foretell_memory(network, recipe.options, placement)
                callbacks = [*steering, *_watch_examples(data, outputs, placement, view), checkpoint]
                interruption = Interruption(finished, meeting.decide if meeting else None, saves=view is not None)
                with _feeding(data, recipe, placement, outputs, finished) as batches, interruption:
                    is_interrupted = _fit(network, batches, recipe.options, interruption, callbacks)
        if view is None:
            return Training(network, checkpoint.tabulate(), is_interrupted, b"")
        with view(network) as best:
            best.load_weights(checkpoint.best_weights)
        return Training(best, checkpoint.tabulate(), is_interrupted, checkpoint.read_state())


def _explaining_memory(data: TrainingData, recipe: Recipe, placement: Placement) -> AbstractContextManager[None]:
    size = "{} x {}".format(*data.scenes.image_size)
    wanted = (
        f"train.batch_size {recipe.options.batch_size}, network.width {recipe.network.width:g} and images of {size}"
    )
    return explaining_memory(
        f"{wanted} on {', '.join(placement.devices)}", _advise_less_memory(recipe.options, placement.hosts)
    )


def _foretell_memory(network: keras.Model, options: TrainOptions, placement: Placement) -> None:
    if placement.devices[0].startswith("cpu"):
        foretell_memory(network, options.batch_size // placement.hosts, _advise_less_memory(options, placement.hosts))


def _advise_less_memory(options: TrainOptions, hosts: int = 1) -> str:
    devices = options.devices * hosts
    batch_size = options.batch_size // 2 // devices * devices
    others = "a smaller network.width or prepare.image_size"
    return f"train.batch_size={batch_size}, or {others}" if batch_size else others


def _build(data: TrainingData, recipe: Recipe, placement: Placement) -> keras.Model:
    """Returns the compiled network with the weights that the training begins with."""
    keras.utils.set_random_seed(recipe.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(placement.policy)
    try:
        network = build_network(data.scenes.image_size, len(data.scenes.classes), recipe.network)
    finally:
        keras.config.set_dtype_policy(before)
    start_weights(network, recipe.network.start, [each.name for each in data.scenes.classes])
    _compile(network, data, recipe.options, placement)
    return network


def _compile(network: keras.Model, data: TrainingData, options: TrainOptions, placement: Placement) -> None:
    network.compile(
        optimizer=choose_optimizer(options, steps=options.epochs * -(-len(data.train) // options.batch_size)),
        loss=choose_loss(options.loss, _class_weights(data, options.loss)),
        metrics=[RunningMeanIoU(len(data.scenes.classes))],
        jit_compile=placement.jit_compile,
    )
    network.optimizer.build(network.trainable_variables)  # else TensorFlow traces the first step twice


def _class_weights(data: TrainingData, options: LossOptions) -> list[float] | None:
    if options.class_weights == "none":
        return None
    weights = median_frequency_weights(data.scenes.count_pixels(data.train), options.class_weight_limit)
    named = zip((each.name for each in data.scenes.classes), weights, strict=True)
    logger.info("Class weights: %s", ", ".join(f"{name} {weight:.3g}" for name, weight in named))
    return weights


def _restore(
    network: keras.Model,
    checkpoint: Checkpoint,
    options: TrainOptions,
    outputs: TrainingOutputs,
    earlier: EarlierTraining | None,
    placement: Placement,
) -> int:
    """Brings the network to where its training was left, and returns how many epochs are finished."""
    continues = earlier if earlier is not None and not checkpoint.is_there else None
    if continues and not placement.host:
        continues.unpack(outputs.checkpoint)
    finished = checkpoint.restore(network, share_state(checkpoint, placement))
    if continues:
        logger.info("Continues after epoch %d of the training of %s", finished, continues.run)
    elif _is_over(checkpoint, options):
        logger.info(
            "Nothing to train: this training was already finished (epoch %d); its run was stopped later", finished
        )
    elif finished:
        logger.info("Continues after epoch %d of a training that was stopped", finished)
    return finished


def _is_over(checkpoint: Checkpoint, options: TrainOptions) -> bool:
    return len(checkpoint.rows) == options.epochs or checkpoint.is_stopped


@contextmanager
def _feeding(
    data: TrainingData, recipe: Recipe, placement: Placement, outputs: TrainingOutputs, finished: int
) -> Iterator[tuple[SceneBatches, SceneBatches]]:
    """Yields the batches to train on and those to validate on."""
    used, cache = [*data.train, *data.validation], outputs.checkpoint / name_cache(placement.host)
    options, shared_by, part = recipe.options, len(placement.devices), (placement.host, placement.hosts)
    shuffle = Shuffle(recipe.seed, options.augmentation, first_epoch=finished)
    try:
        reader = CachedPairs(data.scenes, used, data.scenes.image_size, cache) if options.cache else data.scenes
        batches = partial(
            SceneBatches,
            reader,
            batch_size=options.batch_size,
            shared_by=shared_by,
            part=part,
            in_flight=data.in_flight,
        )
        with batches(data.train, shuffle=shuffle) as training, batches(data.validation) as validation:
            yield training, validation
    finally:
        cache.unlink(missing_ok=True)


def _watch_examples(
    data: TrainingData, outputs: TrainingOutputs, placement: Placement, view: View | None
) -> list[keras.callbacks.Callback]:
    if view is None or not can_write_tensorboard():
        return []
    examples = data.validation[:: -(-len(data.validation) // EXAMPLES)]
    images, label_maps = zip(*map(data.scenes.read_pair, examples), strict=True)
    pairs = np.stack(images), np.stack(label_maps)
    if placement.hosts > 1:
        return [TensorBoardLog(outputs.log, *pairs, outputs.palette, devices=1, view=view)]
    return [TensorBoardLog(outputs.log, *pairs, outputs.palette, len(placement.devices))]


def _fit(
    network: keras.Model,
    batches: tuple[SceneBatches, SceneBatches],
    options: TrainOptions,
    interruption: Interruption,
    callbacks: Sequence[keras.callbacks.Callback],
) -> bool:
    """Trains the remaining epochs, and returns whether Ctrl-C or SIGTERM ended them.

    Raises:
        TrainingInterruptedError: If nothing of it is saved here.
    """
    training, validation = batches
    with EpochProgress(training.num_scenes, options.batch_size) as progress:
        watching = [EpochFacts(training.num_scenes), progress, FiniteLoss(training.name_scenes), interruption]
        try:
            network.fit(
                training,
                validation_data=validation,
                epochs=options.epochs,
                initial_epoch=interruption.finished,
                shuffle=False,  # the batches are shuffled within; Keras would mix their order with its own generator
                callbacks=[*watching, *callbacks],
                verbose=0,
            )
        except TrainingInterruptedError:
            if interruption.ends_run:
                raise
            return True
    return False
