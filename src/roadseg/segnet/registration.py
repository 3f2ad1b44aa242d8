"""The names by which Keras finds the classes of this package in the file of a model."""

from typing import TypeVar

import keras

Class = TypeVar("Class", bound=type)

PACKAGE = "roadseg"
"""Prefix of the name of a class in models that were saved without the advice."""

ADVICE = "install roadseg, then import {room}"
"""Prefix in all others: if the class is missing, Keras' message shows it."""


def registered(saved_class: Class) -> Class:
    """Registers a class under its name, so that a model that holds one can be loaded once its room is imported.

    Args:
        saved_class: With `get_config`, as Keras needs it.
    """
    room = ".".join(saved_class.__module__.split(".")[:2])
    # The last one is saved. Models in which all classes have the advice of the layers exist.
    for package in (PACKAGE, ADVICE.format(room="roadseg.segnet"), ADVICE.format(room=room)):
        keras.saving.register_keras_serializable(package=package)(saved_class)
    return saved_class
