"""SegNet: the network, how it learns, and its files; Keras, started as they need it, for those who stand on them."""

from roadseg.segnet.backend import start_keras

start_keras()

import keras  # noqa: E402 - started above

__all__ = ["keras"]
