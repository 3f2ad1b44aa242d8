"""Cross-entropy over the pixels that carry a class."""

from typing import Any

import keras
from keras import ops

from roadseg.scenes.labels import VOID
from roadseg.segnet.layers import compiled


@keras.saving.register_keras_serializable(package="roadseg")
class MaskedCrossentropy(keras.losses.Loss):
    """Mean cross-entropy of all pixels of a batch that are not void.

    Every pixel counts the same, whichever image it is in; a batch of void pixels only has loss 0.

    Args:
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Example:
        >>> import numpy as np
        >>> labels = np.array([[[0, 255]]], "uint8")
        >>> logits = np.array([[[[0.0, 0.0], [9.0, -9.0]]]], "float32")
        >>> round(float(MaskedCrossentropy()(labels, logits)), 4)  # ln 2, from the first pixel
        0.6931
    """

    def __init__(self, name: str = "masked_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of a batch.

        Args:
            y_true: (batch, height, width) class ids of any numeric dtype, 255 = void.
            y_pred: (batch, height, width, classes) logits.

        Returns:
            (batch,) in nats, each image with its share of the valid pixels; their mean is that of all valid pixels.
            One value an image, not a scalar, because Keras divides among replicas only what it reduces itself.
        """
        return _image_losses(y_true, y_pred)


@compiled
def _image_losses(y_true: Any, y_pred: Any) -> Any:
    labels = ops.cast(y_true, "int32")
    valid = ops.cast(ops.not_equal(labels, VOID), y_pred.dtype)
    chosen = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)  # void is a row of zeros
    losses = ops.logsumexp(y_pred, axis=-1) - ops.sum(chosen * y_pred, axis=-1)
    valid_an_image = ops.maximum(ops.sum(valid), 1) / ops.cast(ops.shape(labels)[0], valid.dtype)
    return ops.sum(losses * valid, axis=(1, 2)) / valid_an_image
