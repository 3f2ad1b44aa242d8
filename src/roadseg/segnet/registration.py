"""The names by which Keras finds the classes of this package in the file of a model."""

from typing import TypeVar

import keras

Class = TypeVar("Class", bound=type)

PACKAGE = "roadseg"
"""Stands before the name of a class in models that were saved without the advice."""

ADVICE = "install roadseg, then import roadseg.segnet"
"""Stands before the name in all others: where the class is missing, Keras' message shows it."""


def registered(saved_class: Class) -> Class:
    """Registers a class under its name, so that a model that holds one can be loaded once this package is imported.

    Args:
        saved_class: With `get_config`, as Keras needs it.
    """
    for package in (PACKAGE, ADVICE):  # the last one is saved
        keras.saving.register_keras_serializable(package=package)(saved_class)
    return saved_class
