"""How a SegNet learns: compile, fit, go on where it was stopped."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from roadseg.errors import InputError
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import count_unlabelled
from roadseg.segnet.device import Placement, placed_on
from roadseg.segnet.network import NetworkOptions, build_network, view_uncompiled
from roadseg.segnet.out_of_memory import explaining_memory, foretell_memory
from roadseg.training.cache import CachedPairs
from roadseg.training.callbacks import EpochFacts, FiniteLoss, Interruption, TrainingInterruptedError
from roadseg.training.continuation import EarlierTraining
from roadseg.training.feeding import SceneBatches, Shuffle
from roadseg.training.losses import LossOptions, choose_loss, median_frequency_weights
from roadseg.training.metric import RunningMeanIoU
from roadseg.training.progress import EpochProgress
from roadseg.training.recipe import BEST, TrainOptions, choose_optimizer, choose_rules
from roadseg.training.start import start_weights
from roadseg.training.state import TrainingState, locked
from roadseg.training.tensorboard import TensorBoardLog, can_write_tensorboard

logger = logging.getLogger(__name__)

CACHE = "cache.npy"

EXAMPLES = 3
"""Validation scenes that TensorBoard shows."""


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        network: With the weights of the epoch with the best validation mIoU.
        history: One row an epoch with epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate,
            images_per_second and seconds.
        is_interrupted: Whether Ctrl-C or SIGTERM ended it; then its state is worth keeping.
        state: What `TrainingState` wrote after the last epoch.
    """

    network: keras.Model
    history: pd.DataFrame
    is_interrupted: bool
    state: bytes


def train_network(
    scenes: PreparedScenes,
    ids: Mapping[str, Sequence[str]],
    *,
    network_options: NetworkOptions,
    options: TrainOptions,
    placement: Placement,
    seed: int,
    state_folder: Path,
    log_folder: Path,
    earlier: EarlierTraining | None = None,
) -> Training:
    """Returns a trained network and its history; goes on where a training in the same folder was stopped.

    Args:
        scenes: The prepared scenes.
        ids: Scene ids of `train` and `validation`; neither may be empty.
        network_options: The network.
        options: How to train it.
        placement: Where to train it, as `choose_placement` returns it.
        seed: Repeats weights, order and augmentation.
        state_folder: Where `TrainingState` keeps this training, and no other, after each epoch; the caller removes it.
        log_folder: Where TensorBoard finds the run.
        earlier: A training that has ended and is to go on; None begins another one.

    Raises:
        InputError: If a split has no scenes, the weights can't be started as asked, or the loss is not a number.
        FileError: If another process is at this training.
        MemoryError: If memory runs out, with advice.
        KeyboardInterrupt: On Ctrl-C or SIGTERM before the first epoch is finished.
    """
    for split in ("train", "validation"):
        if not ids[split]:
            count = count_unlabelled(scenes.tabulate()).get(split)
            why = f": none of the {count} scenes published as {split} has labels" if count else ""
            raise InputError(
                f"training needs scenes in the split '{split}', there are none{why}; see the parameter split"
            )
    state_folder.mkdir(parents=True, exist_ok=True)
    size = "{} x {}".format(*scenes.image_size)
    wanted = f"train.batch_size {options.batch_size}, network.width {network_options.width:g} and images of {size}"
    advice = _advise_less_memory(options)
    with (
        locked(state_folder),
        placed_on(placement),
        explaining_memory(f"{wanted} on {', '.join(placement.devices)}", advice),
    ):
        network = _build(scenes, network_options, placement.policy, seed)
        _compile(network, scenes, ids["train"], options, placement)
        rules = choose_rules(options)
        state = TrainingState(state_folder, BEST, rules)
        finished = state.restore(network)
        is_over = finished == options.epochs or state.is_stopped
        if is_over:
            logger.info("Nothing to train: epoch %d was the last one of this training, whose run was stopped", finished)
        elif finished:
            logger.info("Going on after epoch %d of a training that was stopped", finished)
        elif earlier is not None:
            earlier.unpack(state_folder)
            finished = state.restore(network)
            logger.info("Going on after epoch %d of the training of %s", finished, earlier.run)
        is_interrupted = False
        if not is_over:
            if placement.devices[0].startswith("cpu"):
                foretell_memory(network, options.batch_size, advice)
            batches, validation = _batches(scenes, ids, options, placement, seed, finished, state_folder)
            watchers = _watchers(scenes, ids["validation"], log_folder, len(placement.devices))
            try:
                is_interrupted = _fit(network, batches, validation, options, finished, [*rules, *watchers, state])
            finally:
                (state_folder / CACHE).unlink(missing_ok=True)
        if not state.rows:
            raise KeyboardInterrupt
        best = view_uncompiled(network)
        best.load_weights(state.best_weights)
        return Training(best, state.tabulate(), is_interrupted, state.read())


def _advise_less_memory(options: TrainOptions) -> str:
    batch_size = options.batch_size // 2 // options.devices * options.devices
    others = "a smaller network.width or prepare.image_size"
    return f"--params train.batch_size={batch_size}, or {others}" if batch_size else others


def _build(scenes: PreparedScenes, options: NetworkOptions, policy: str, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = build_network(scenes.image_size, len(scenes.classes), options)
    finally:
        keras.config.set_dtype_policy(before)
    start_weights(network, options.start, [each.name for each in scenes.classes])
    return network


def _compile(
    network: keras.Model, scenes: PreparedScenes, ids: Sequence[str], options: TrainOptions, placement: Placement
) -> None:
    network.compile(
        optimizer=choose_optimizer(options, steps=options.epochs * -(-len(ids) // options.batch_size)),
        loss=choose_loss(options.loss, _class_weights(scenes, ids, options.loss)),
        metrics=[RunningMeanIoU(len(scenes.classes))],
        jit_compile=placement.jit_compile,
    )
    network.optimizer.build(network.trainable_variables)  # else TensorFlow traces the first step twice


def _class_weights(scenes: PreparedScenes, ids: Sequence[str], options: LossOptions) -> list[float] | None:
    if options.class_weights == "none":
        return None
    weights = median_frequency_weights(scenes.count_pixels(ids), options.class_weight_limit)
    named = zip((each.name for each in scenes.classes), weights, strict=True)
    logger.info("Class weights: %s", ", ".join(f"{name} {weight:.3g}" for name, weight in named))
    return weights


def _batches(
    scenes: PreparedScenes,
    ids: Mapping[str, Sequence[str]],
    options: TrainOptions,
    placement: Placement,
    seed: int,
    finished: int,
    folder: Path,
) -> tuple[SceneBatches, SceneBatches]:
    """Returns the batches to train on and to validate on."""
    used = [*ids["train"], *ids["validation"]]
    reader = CachedPairs(scenes, used, scenes.image_size, folder / CACHE) if options.cache else scenes
    shared_by = len(placement.devices)
    changes = Shuffle(seed, options.augmentation)
    return (
        SceneBatches(
            reader, ids["train"], options.batch_size, shuffle=changes, first_epoch=finished, shared_by=shared_by
        ),
        SceneBatches(reader, ids["validation"], options.batch_size, shared_by=shared_by),
    )


def _watchers(scenes: PreparedScenes, ids: Sequence[str], folder: Path, devices: int) -> list[keras.callbacks.Callback]:
    if not can_write_tensorboard():
        return []
    examples = ids[:: -(-len(ids) // EXAMPLES)]
    images, label_maps = zip(*map(scenes.read_pair, examples), strict=True)
    return [TensorBoardLog(folder, np.stack(images), np.stack(label_maps), scenes.classes, devices)]


def _fit(
    network: keras.Model,
    batches: SceneBatches,
    validation: SceneBatches,
    options: TrainOptions,
    finished: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> bool:
    """Trains the epochs that are left, and returns whether Ctrl-C or SIGTERM ended this."""
    with Interruption(finished) as interruption, EpochProgress(batches.num_scenes, options.batch_size) as progress:
        watching = [EpochFacts(batches.num_scenes), progress, FiniteLoss(batches.name_scenes), interruption]
        try:
            network.fit(
                batches,
                validation_data=validation,
                epochs=options.epochs,
                initial_epoch=finished,
                shuffle=False,  # the batches are shuffled within; Keras would mix their order by a generator of its own
                callbacks=[*watching, *callbacks],
                verbose=0,
            )
        except TrainingInterruptedError:
            return True
    return False
