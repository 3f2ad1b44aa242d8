"""The recipe of a training: the options, and the optimizer and the callbacks that follow from them."""

from dataclasses import dataclass
from typing import Annotated, Literal

import keras
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from roadseg.segnet.device import DeviceOptions
from roadseg.segnet.network import NetworkOptions
from roadseg.training.augmentation import AugmentationOptions
from roadseg.training.losses import LossOptions
from roadseg.training.optimizer import ConvolutionMuon
from roadseg.training.schedule import Rate, choose_learning_rate

DECIDING_SCORE = "val_mean_iou"
"""The epoch with the highest value is kept; plateau and early stopping wait for a higher one."""

NOT_DECAYED = ["bias", "gamma", "beta"]
"""Variables without weight decay."""


class AveragedWeights(keras.callbacks.SwapEMAWeights):
    """`keras.callbacks.SwapEMAWeights` for validation and for what is saved of an epoch."""

    def __init__(self) -> None:
        super().__init__(swap_on_epoch=True)

    def _finalize_ema_values(self) -> None:
        """Leaves weights and averages apart: joined, as Keras does at the end, they share memory on JAX."""


class PlateauOptions(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """Learning rate on a plateau of the validation mIoU.

    Attributes:
        factor: Above 0, below 1; the rate is multiplied by it.
        patience: Epochs without a better mIoU before that.
        floor: Least rate, below the rate at the start.
    """

    factor: Annotated[float, Field(gt=0, lt=1)]
    patience: PositiveInt
    floor: PositiveFloat


class TrainOptions(DeviceOptions, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """How a SegNet is trained.

    Attributes:
        epochs: At most so many.
        trial_epochs: At most so many if `scenes.limit` is set, to try a data set.
        batch_size: Scenes per step, shared by the devices.
        cache: Whether decoded scenes are kept in a file while the training lasts.
        loss: The loss.
        optimizer: `muon` moves the kernels of the convolutions by Muon and all else by Adam.
        learning_rate: At its highest, above 0.
        weight_decay: Share of the kernels, times the learning rate, taken away each step; not for `adam`.
        sgd_momentum: From 0, below 1; used by `sgd` alone, which takes Nesterov's.
        schedule: `cosine` and `polynomial` rise and fall to zero; `plateau` steps down; `constant`.
        warm_up: From 0, below 1; share of the steps in which `cosine` and `polynomial` rise.
        polynomial_power: Used by `polynomial` alone.
        plateau: Used by `plateau` alone.
        weight_average: Above 0, below 1; share of the averaged weights that a step keeps. The averages are then
            validated and saved, with batch norm statistics of the current weights. None averages nothing.
        early_stopping_patience: Epochs without a better validation mIoU after which training stops; None never stops.
        augmentation: Random changes of the training scenes.
        continue_from: Id of the run whose training is continued, a start of it that no other model has, or `latest`;
            None starts a new training.
    """

    epochs: PositiveInt
    trial_epochs: PositiveInt
    batch_size: PositiveInt
    cache: bool
    loss: LossOptions
    optimizer: Literal["muon", "adam", "adamw", "sgd"]
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    sgd_momentum: Annotated[float, Field(ge=0, lt=1)]
    schedule: Literal["cosine", "polynomial", "plateau", "constant"]
    warm_up: Annotated[float, Field(ge=0, lt=1)]
    polynomial_power: PositiveFloat
    plateau: PlateauOptions
    weight_average: Annotated[float, Field(gt=0, lt=1)] | None
    early_stopping_patience: PositiveInt | None
    augmentation: AugmentationOptions
    continue_from: Annotated[str, Field(min_length=1)] | None

    @model_validator(mode="after")
    def _check(self) -> "TrainOptions":
        if self.batch_size % self.devices:
            raise ValueError(f"batch_size must be a multiple of devices ({self.devices}), received {self.batch_size}")
        if self.weight_decay and self.optimizer == "adam":
            raise ValueError(f"weight_decay is for adamw, muon and sgd, received {self.weight_decay} with adam")
        if self.schedule == "plateau" and self.plateau.floor >= self.learning_rate:
            raise ValueError(
                f"plateau.floor must be below learning_rate ({self.learning_rate:g}), received {self.plateau.floor:g}"
            )
        return self

    def shortened(self) -> "TrainOptions":
        """Returns the same options for a trial of a data set: at most `trial_epochs` epochs."""
        return self.model_copy(update={"epochs": min(self.epochs, self.trial_epochs)})


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained, whatever the data and the machine.

    Attributes:
        network: The network.
        options: How to train it.
        seed: Repeats weights, order and augmentation.
    """

    network: NetworkOptions
    options: TrainOptions
    seed: int


def choose_optimizer(options: TrainOptions, steps: int) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a training.

    Args:
        options: How to train.
        steps: Of the whole training; the falling schedules end with them.
    """
    rate: Rate = options.learning_rate
    if options.schedule in ("cosine", "polynomial"):
        rate = choose_learning_rate(
            options.schedule, rate, steps=steps, warm_up=options.warm_up, power=options.polynomial_power
        )
    decay = options.weight_decay or None
    average = {"use_ema": options.weight_average is not None, "ema_momentum": options.weight_average or 0.0}
    match options.optimizer:
        case "muon":
            optimizer = ConvolutionMuon(
                rate, exclude_layers=["classifier"], ns_steps=3, weight_decay=decay, adam_weight_decay=decay, **average
            )
        case "sgd":
            optimizer = keras.optimizers.SGD(
                rate, momentum=options.sgd_momentum, nesterov=options.sgd_momentum > 0, weight_decay=decay, **average
            )
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=options.weight_decay, **average)
        case _:
            optimizer = keras.optimizers.Adam(rate, **average)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


def choose_steering_callbacks(options: TrainOptions) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that change the course of a training, in the order in which they must be called.

    Args:
        options: How to train.
    """
    steering: list[keras.callbacks.Callback] = []
    if options.weight_average is not None:
        steering.append(AveragedWeights())
    if options.early_stopping_patience is not None:
        steering.append(
            keras.callbacks.EarlyStopping(DECIDING_SCORE, mode="max", patience=options.early_stopping_patience)
        )
    if options.schedule == "plateau":
        plateau = options.plateau
        steering.append(
            keras.callbacks.ReduceLROnPlateau(
                DECIDING_SCORE, mode="max", factor=plateau.factor, patience=plateau.patience, min_lr=plateau.floor
            )
        )
    return steering
