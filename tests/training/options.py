"""Options that several test files start from."""

from roadseg.training.augmentation import AugmentationOptions
from roadseg.training.losses import LossOptions
from roadseg.training.recipe import PlateauOptions, TrainOptions


def train_options(**changes: object) -> TrainOptions:
    """Returns options of a short, plain training, with changes."""
    given = {
        "device": "cpu",
        "devices": 1,
        "precision": "float32",
        "jit_compile": "auto",
        "epochs": 3,
        "trial_epochs": 2,
        "batch_size": 2,
        "cache": False,
        "loss": LossOptions(kind="crossentropy", focal_gamma=2.0, class_weights="none", class_weight_limit=None),
        "optimizer": "adam",
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "sgd_momentum": 0.5,
        "schedule": "constant",
        "warm_up": 0.05,
        "polynomial_power": 0.9,
        "plateau": PlateauOptions(factor=0.5, patience=1, floor=0.001),
        "weight_average": None,
        "early_stopping_patience": None,
        "augmentation": AugmentationOptions(flip=False, scale=(1.0, 1.0), saturation=0.0, gamma=1.0),
        "continue_from": None,
    }
    return TrainOptions(**{**given, **changes})
