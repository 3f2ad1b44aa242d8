"""Options that several test files start from: those of the project, for a short, plain training."""

from pathlib import Path
from typing import Any

import yaml

from roadseg.training.augmentation import AugmentationOptions
from roadseg.training.losses import LossOptions
from roadseg.training.recipe import PlateauOptions, TrainOptions

PARAMETERS = yaml.safe_load((Path(__file__).parents[2] / "conf/base/parameters_train.yml").read_text("utf-8"))["train"]

PLAIN: dict[str, Any] = {
    "device": "cpu",
    "precision": "float32",
    "epochs": 3,
    "trial_epochs": 2,
    "batch_size": 2,
    "optimizer": "adam",
    "learning_rate": 0.1,
    "sgd_momentum": 0.5,
    "schedule": "constant",
    "polynomial_power": 0.9,
}
PLAIN_GROUPS: dict[str, tuple[Any, dict[str, Any]]] = {
    "loss": (LossOptions, {"class_weight_limit": None}),
    "plateau": (PlateauOptions, {"factor": 0.5, "patience": 1, "floor": 0.001}),
    "augmentation": (AugmentationOptions, {"flip": False, "scale": (1.0, 1.0)}),
}
"""Group -> its options, and the values that differ from those of the project."""


def train_options(**changes: object) -> TrainOptions:
    """Returns options of a short, plain training, with changes."""
    groups = {name: model(**{**PARAMETERS[name], **plain}) for name, (model, plain) in PLAIN_GROUPS.items()}
    return TrainOptions(**{**PARAMETERS, **PLAIN, **groups, **changes})
