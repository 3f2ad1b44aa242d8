"""Cross-entropy over the pixels that carry a class, and the weights of the classes."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from roadseg.segnet.layers import compiled


@keras.saving.register_keras_serializable(package="roadseg")
class MaskedCrossentropy(keras.losses.Loss):
    """Mean cross-entropy of all pixels of a batch that are not void, each with the weight of its true class.

    Which image a pixel is in makes no difference; a batch of void pixels only has loss 0.

    Args:
        class_weights: One weight a class; None counts every pixel the same.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Example:
        >>> import numpy as np
        >>> labels = np.array([[[0, 255]]], "uint8")
        >>> logits = np.array([[[[0.0, 0.0], [9.0, -9.0]]]], "float32")
        >>> round(float(MaskedCrossentropy()(labels, logits)), 4)  # ln 2, from the first pixel
        0.6931
    """

    def __init__(
        self, class_weights: Sequence[float] | None = None, name: str = "masked_crossentropy", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_weights = None if class_weights is None else list(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of a batch.

        Args:
            y_true: (batch, height, width) class ids of any numeric dtype, 255 = void.
            y_pred: (batch, height, width, classes) logits.

        Returns:
            (batch,) in nats, each image with its share of the weights; their mean is that of all pixels.
            One value an image, not a scalar, because Keras divides among replicas only what it reduces itself.
        """
        return _image_losses(y_true, y_pred, self.class_weights or [1.0] * y_pred.shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "class_weights": self.class_weights}


def median_frequency_weights(pixels: NDArray[np.integer], limit: float) -> list[float]:
    """Returns a weight for each class: the median frequency of the classes over its own, at most `limit`.

    Args:
        pixels: (scenes, classes) pixels of each class in each training scene.
        limit: Largest weight, which a class without pixels gets too.

    Reference:
        Frequencies are shares of the pixels of the scenes in which a class occurs: Eigen and Fergus, 2015,
        https://arxiv.org/abs/1411.4734, section 6.3.2, as in the SegNet paper.
    """
    seen = (pixels > 0) * pixels.sum(axis=1, keepdims=True)
    frequencies = pixels.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    median = np.median(frequencies[frequencies > 0])
    weights = np.minimum(median / np.maximum(frequencies, median / limit), limit)
    return [round(float(weight), 4) for weight in weights]


@compiled
def _image_losses(y_true: Any, y_pred: Any, class_weights: Any) -> Any:
    labels = ops.cast(y_true, "int32")
    chosen = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)  # void is a row of zeros
    weights = ops.sum(chosen * ops.cast(class_weights, y_pred.dtype), axis=-1)
    losses = ops.logsumexp(y_pred, axis=-1) - ops.sum(chosen * y_pred, axis=-1)
    weight_an_image = ops.maximum(ops.sum(weights), keras.config.epsilon()) / ops.cast(
        ops.shape(labels)[0], weights.dtype
    )
    return ops.sum(losses * weights, axis=(1, 2)) / weight_an_image
