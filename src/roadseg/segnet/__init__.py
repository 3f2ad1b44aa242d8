"""SegNet: all that is needed to run one.

Importing it starts Keras as these networks need it, and registers their layers, so that `keras.saving.load_model` opens
the file of a model.
"""

from roadseg.segnet.keras_settings import start_keras

start_keras()

import keras  # noqa: E402 - started above

from roadseg.segnet import layers  # noqa: E402

__all__ = ["keras", "layers"]
