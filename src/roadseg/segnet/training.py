"""How a SegNet learns: compile, fit, go on where it was stopped."""

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import keras
import pandas as pd
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.augmentation import AugmentationOptions
from roadseg.segnet.callbacks import EpochFacts, FiniteLoss, Interruption, TrainingInterruptedError
from roadseg.segnet.device import DeviceOptions, choose_device
from roadseg.segnet.feeding import SceneBatches, Shuffle
from roadseg.segnet.losses import MaskedCrossentropy, median_frequency_weights
from roadseg.segnet.metric import RunningMeanIoU
from roadseg.segnet.network import NetworkOptions, build_segnet
from roadseg.segnet.optimizer import ConvolutionMuon
from roadseg.segnet.state import TrainingState

logger = logging.getLogger(__name__)

BEST = "val_mean_iou"
"""What decides which epoch is kept."""


class PlateauOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Learning rate on a plateau: times `factor` after `patience` epochs without a better validation mIoU."""

    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: PositiveInt
    floor: PositiveFloat


class TrainOptions(DeviceOptions, frozen=True, extra="forbid", strict=True):
    """How a SegNet is trained.

    Attributes:
        epochs: At most so many.
        trial_epochs: At most so many where `scenes.limit` is set, to try a data set.
        batch_size: Scenes a step.
        optimizer: `muon` moves the kernels of the convolutions by Muon and all else by Adam; `adam` moves all by Adam.
        learning_rate: At its highest.
        schedule: `cosine` warms up for a twentieth of the steps and falls to zero; `plateau` steps down; `constant`.
        plateau: Used by `plateau` alone.
        early_stopping_patience: Epochs without a better validation mIoU after which training stops; None never stops.
        class_weight_limit: Largest of the median frequency weights of the classes; None weighs all pixels the same.
        augmentation: Random changes of the training scenes.
    """

    epochs: PositiveInt
    trial_epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Literal["muon", "adam"]
    learning_rate: PositiveFloat
    schedule: Literal["cosine", "plateau", "constant"]
    plateau: PlateauOptions
    early_stopping_patience: PositiveInt | None
    class_weight_limit: PositiveFloat | None
    augmentation: AugmentationOptions

    def shortened(self) -> "TrainOptions":
        """Returns the same options for a trial of a data set: at most `trial_epochs` epochs."""
        return self.model_copy(update={"epochs": min(self.epochs, self.trial_epochs)})


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        network: With the weights of the epoch with the best validation mIoU.
        history: One row an epoch with epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate and
            seconds.
        is_interrupted: Whether Ctrl-C ended it; then its state is worth keeping.
    """

    network: keras.Model
    history: pd.DataFrame
    is_interrupted: bool


def train_network(
    scenes: PreparedScenes,
    ids: Mapping[str, Sequence[str]],
    *,
    network_options: NetworkOptions,
    options: TrainOptions,
    seed: int,
    state_folder: Path,
    log_folder: Path,
) -> Training:
    """Returns a trained network and its history; goes on where a training in the same folder was stopped.

    Args:
        scenes: The prepared scenes.
        ids: Scene ids of `train` and `validation`; neither may be empty.
        network_options: The network.
        options: How to train it.
        seed: Repeats weights, order and augmentation.
        state_folder: Where `TrainingState` keeps this training, and no other, after each epoch; the caller removes it.
        log_folder: Where TensorBoard finds the run.

    Raises:
        ValueError: If a split has no scenes, a GPU is asked for and none is visible, or the loss is not a number.
        KeyboardInterrupt: On Ctrl-C before the first epoch is finished.
    """
    for split in ("train", "validation"):
        if not ids[split]:
            raise ValueError(f"training needs scenes in the split '{split}', there are none; see the parameter split")
    device, policy = choose_device(options)
    state_folder.mkdir(parents=True, exist_ok=True)
    changes = Shuffle(seed, options.augmentation)
    with keras.device(device):
        network = _build(scenes, network_options, policy, seed)
        network.compile(
            optimizer=_optimizer(options, steps=options.epochs * -(-len(ids["train"]) // options.batch_size)),
            loss=MaskedCrossentropy(_class_weights(scenes, ids["train"], options.class_weight_limit)),
            metrics=[RunningMeanIoU(len(scenes.classes))],
            jit_compile=keras.backend.backend() == "jax",  # on a CPU, TensorFlow's own convolutions beat XLA's
        )
        network.optimizer.build(network.trainable_variables)  # else TensorFlow traces the first step twice
        rules = _rules(options)
        state = TrainingState(state_folder, BEST, rules)
        finished = state.restore(network)
        if finished:
            logger.info("Going on after epoch %d of a training that was stopped", finished)
        is_interrupted = False
        if finished < options.epochs and not state.is_stopped:
            batches = SceneBatches(scenes, ids["train"], options.batch_size, shuffle=changes, first_epoch=finished)
            validation = SceneBatches(scenes, ids["validation"], options.batch_size)
            log = keras.callbacks.TensorBoard(log_folder, write_graph=False)
            is_interrupted = _fit(network, batches, validation, options.epochs, finished, [*rules, log, state])
        if not state.rows:
            raise KeyboardInterrupt
        network.load_weights(state.best_weights)
    return Training(network, state.tabulate(), is_interrupted)


def _fit(
    network: keras.Model,
    batches: SceneBatches,
    validation: SceneBatches,
    epochs: int,
    finished: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> bool:
    """Trains the epochs that are left, and returns whether Ctrl-C ended this."""
    with Interruption() as interruption:
        try:
            network.fit(
                batches,
                validation_data=validation,
                epochs=epochs,
                initial_epoch=finished,
                shuffle=False,  # the batches are shuffled within; Keras would mix their order by a generator of its own
                callbacks=[EpochFacts(), FiniteLoss(batches.name_scenes), interruption, *callbacks],
                verbose=1 if sys.stdout.isatty() else 2,
            )
        except TrainingInterruptedError:
            return True
    return False


def _build(scenes: PreparedScenes, options: NetworkOptions, policy: str, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return build_segnet(scenes.image_size, len(scenes.classes), options)
    finally:
        keras.config.set_dtype_policy(before)


def _class_weights(scenes: PreparedScenes, ids: Sequence[str], limit: float | None) -> list[float] | None:
    if limit is None:
        return None
    weights = median_frequency_weights(scenes.count_pixels(ids), limit)
    logger.info("Class weights %s", dict(zip((each.name for each in scenes.classes), weights, strict=True)))
    return weights


def _optimizer(options: TrainOptions, steps: int) -> keras.optimizers.Optimizer:
    learning_rate = _learning_rate(options, steps)
    if options.optimizer == "adam":
        return keras.optimizers.Adam(learning_rate)
    return ConvolutionMuon(
        learning_rate, exclude_layers=["classifier"], ns_steps=3, weight_decay=None, adam_weight_decay=None
    )


def _learning_rate(options: TrainOptions, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if options.schedule != "cosine":
        return options.learning_rate
    warm_up = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=options.learning_rate / warm_up,
        decay_steps=max(1, steps - warm_up),
        warmup_target=options.learning_rate,
        warmup_steps=warm_up,
    )


def _rules(options: TrainOptions) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that change the course of the training."""
    rules: list[keras.callbacks.Callback] = []
    if options.early_stopping_patience is not None:
        rules.append(keras.callbacks.EarlyStopping(BEST, mode="max", patience=options.early_stopping_patience))
    if options.schedule == "plateau":
        plateau = options.plateau
        rules.append(
            keras.callbacks.ReduceLROnPlateau(
                BEST, mode="max", factor=plateau.factor, patience=plateau.patience, min_lr=plateau.floor
            )
        )
    return rules
