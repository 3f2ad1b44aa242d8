"""How a SegNet learns: compile, callbacks, fit."""

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import keras
import pandas as pd
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.augmentation import AugmentationOptions
from roadseg.segnet.device import DeviceOptions, choose_device
from roadseg.segnet.feeding import SceneBatches, Shuffle
from roadseg.segnet.losses import MaskedCrossentropy, median_frequency_weights
from roadseg.segnet.metric import RunningMeanIoU
from roadseg.segnet.network import NetworkOptions, build_segnet
from roadseg.segnet.optimizer import ConvolutionMuon

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


def train_network(
    scenes: PreparedScenes,
    ids: Mapping[str, Sequence[str]],
    *,
    network_options: NetworkOptions,
    options: TrainOptions,
    seed: int,
    state_folder: Path,
    log_folder: Path,
) -> tuple[keras.Model, pd.DataFrame]:
    """Returns the network of the epoch with the best validation mIoU, and the history.

    Args:
        scenes: The prepared scenes.
        ids: Scene ids of `train` and `validation`; neither may be empty.
        network_options: The network.
        options: How to train it.
        seed: Repeats weights, order and augmentation.
        state_folder: Where the best weights so far are kept; the caller removes it.
        log_folder: Where TensorBoard finds the run.

    Returns:
        The network, and one row an epoch with epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate
        and seconds.

    Raises:
        ValueError: If a split has no scenes, or a GPU is asked for and none is visible.
    """
    for split in ("train", "validation"):
        if not ids[split]:
            raise ValueError(f"training needs scenes in the split '{split}', there are none; see the parameter split")
    device, policy = choose_device(options)
    state_folder.mkdir(parents=True, exist_ok=True)
    checkpoint = state_folder / "best.weights.h5"
    batches = SceneBatches(scenes, ids["train"], options.batch_size, shuffle=Shuffle(seed, options.augmentation))
    validation = SceneBatches(scenes, ids["validation"], options.batch_size)
    with keras.device(device):
        network = _build(scenes, network_options, policy, seed)
        network.compile(
            optimizer=_optimizer(options, steps=options.epochs * len(batches)),
            loss=MaskedCrossentropy(_class_weights(scenes, ids["train"], options.class_weight_limit)),
            metrics=[RunningMeanIoU(len(scenes.classes))],
            jit_compile=keras.backend.backend() == "jax",  # on a CPU, TensorFlow's own convolutions beat XLA's
        )
        network.optimizer.build(network.trainable_variables)  # else TensorFlow traces the first step twice
        history = network.fit(
            batches,
            validation_data=validation,
            epochs=options.epochs,
            shuffle=False,  # the batches are shuffled within; Keras would mix their order by a generator of its own
            callbacks=_callbacks(options, checkpoint, log_folder),
            verbose=1 if sys.stdout.isatty() else 2,
        )
        network.load_weights(checkpoint)
    return network, _tabulate(history)


class EpochFacts(keras.callbacks.Callback):
    """Adds the learning rate and the seconds of an epoch to its logs."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._start = time.perf_counter()
        self._learning_rate = float(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the facts; the learning rate is the one that the epoch began with."""
        if logs is not None:
            logs |= {"learning_rate": self._learning_rate, "seconds": time.perf_counter() - self._start}


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


def _callbacks(options: TrainOptions, checkpoint: Path, log_folder: Path) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = [
        EpochFacts(),
        keras.callbacks.ModelCheckpoint(
            checkpoint, monitor=BEST, mode="max", save_best_only=True, save_weights_only=True
        ),
        keras.callbacks.TensorBoard(log_folder, write_graph=False),
    ]
    if options.early_stopping_patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(BEST, mode="max", patience=options.early_stopping_patience))
    if options.schedule == "plateau":
        plateau = options.plateau
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                BEST, mode="max", factor=plateau.factor, patience=plateau.patience, min_lr=plateau.floor
            )
        )
    return callbacks


def _tabulate(history: keras.callbacks.History) -> pd.DataFrame:
    table = pd.DataFrame({"epoch": [epoch + 1 for epoch in history.epoch]} | history.history)
    return table[["epoch", "loss", "mean_iou", "val_loss", "val_mean_iou", "learning_rate", "seconds"]]
