"""SegNet: the network, how it learns, and its files.

Importing it starts Keras as these need it, and registers all that the file of a model may hold, so that
`keras.saving.load_model` opens one.
"""

from roadseg.segnet.backend import start_keras

start_keras()

import keras  # noqa: E402 - started above

from roadseg.segnet import layers, losses, metric, optimizer, schedule  # noqa: E402

__all__ = ["keras", "layers", "losses", "metric", "optimizer", "schedule"]
