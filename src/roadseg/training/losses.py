"""Losses over the pixels that carry a class, and the weights of the classes."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeFloat, PositiveFloat

from roadseg.scenes.labels import VOID
from roadseg.segnet.layers import compiled, count_replicas, mean_over_replicas
from roadseg.segnet.registration import registered


class LossOptions(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What training makes small.

    Attributes:
        kind: `crossentropy`; `crossentropy_dice` adds the soft Dice loss; `focal` is mild on pixels that are right.
        focal_gamma: How much milder, from 0 on; used by `focal` alone, 0 is `crossentropy`.
        class_weights: `median_frequency` makes up for rare classes; `none` counts every pixel the same.
        class_weight_limit: Largest of the median frequency weights; None leaves them as they are.
    """

    kind: Literal["crossentropy", "crossentropy_dice", "focal"]
    focal_gamma: NonNegativeFloat
    class_weights: Literal["none", "median_frequency"]
    class_weight_limit: PositiveFloat | None


@registered
class MaskedCrossentropy(keras.losses.Loss):
    """Mean cross-entropy of all pixels of a batch that are not void, each with the weight of its true class.

    Which image a pixel is in makes no difference; a batch of void pixels only has loss 0.

    Args:
        class_weights: One weight a class; None counts every pixel the same.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Examples:
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
        return self._shared(_focal_losses(y_true, y_pred, self._weights(y_pred), gamma=0.0), y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "class_weights": self.class_weights}

    def _weights(self, y_pred: Any) -> list[float]:
        return self.class_weights or [1.0] * y_pred.shape[-1]

    def _shared(self, losses: Any, y_true: Any, y_pred: Any) -> Any:
        """Returns the losses of one device, which may see fewer pixels than others, as shares of the batch."""
        if count_replicas() == 1:
            return losses
        weight = ops.sum(_one_hot(y_true, y_pred) * ops.cast(self._weights(y_pred), y_pred.dtype))
        return losses * weight / ops.maximum(mean_over_replicas(weight), keras.config.epsilon())


@registered
class MaskedFocal(MaskedCrossentropy):
    """Cross-entropy of each pixel times (1 - probability of its true class) ** gamma: hard pixels count more.

    Pixels, void and weights count as in `MaskedCrossentropy`; the sum is divided by the weights of the classes alone.

    Args:
        gamma: At least 0; 0 is `MaskedCrossentropy`.
        class_weights: One weight a class; None counts every pixel the same.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Examples:
        >>> import numpy as np
        >>> labels = np.array([[[0]]], "uint8")
        >>> logits = np.array([[[[0.0, 0.0]]]], "float32")
        >>> round(float(MaskedFocal(gamma=2.0)(labels, logits)), 4)  # ln 2, times a half squared
        0.1733

    Reference:
        Lin et al., https://arxiv.org/abs/1708.02002, equation 5.
    """

    def __init__(
        self, gamma: float, class_weights: Sequence[float] | None = None, name: str = "masked_focal", **kwargs: Any
    ) -> None:
        super().__init__(class_weights, name=name, **kwargs)
        self.gamma = gamma

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of a batch, (batch,) in nats, from labels and logits as in `MaskedCrossentropy`."""
        return self._shared(_focal_losses(y_true, y_pred, self._weights(y_pred), gamma=self.gamma), y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma": self.gamma}


@registered
class CrossentropyWithDice(MaskedCrossentropy):
    """`MaskedCrossentropy` plus the mean soft Dice loss of the classes that occur in the truth of the batch.

    The Dice loss of a class is 1 - 2 * overlap / (predicted + true): the overlap sums its probability over its own
    pixels, `predicted` over all. The sums go over all pixels of the batch that are not void, or, where TensorFlow
    shares a batch among devices, over those of each device. Each class counts the same, whatever its size and weight.

    Args:
        class_weights: One weight a class, for the cross-entropy; None counts every pixel the same.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Examples:
        >>> import numpy as np
        >>> labels = np.array([[[0, 0]]], "uint8")
        >>> logits = np.array([[[[0.0, 0.0], [0.0, 0.0]]]], "float32")
        >>> round(float(CrossentropyWithDice()(labels, logits)), 4)  # ln 2, and 1 - 2 * 1 / (1 + 2)
        1.0265

    Reference:
        Milletari et al., https://arxiv.org/abs/1606.04797, section 3, there with squares in the denominator.
    """

    def __init__(
        self, class_weights: Sequence[float] | None = None, name: str = "crossentropy_with_dice", **kwargs: Any
    ) -> None:
        super().__init__(class_weights, name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of a batch from labels and logits as in `MaskedCrossentropy`.

        Returns:
            (batch,) each image's share of the cross-entropy in nats, plus the Dice loss of the batch, 0..1.
        """
        return _dice_losses(y_true, y_pred, self._weights(y_pred))


def choose_loss(options: LossOptions, class_weights: Sequence[float] | None) -> keras.losses.Loss:
    """Returns the loss of that kind with one weight a class; None counts every pixel the same."""
    if options.kind == "focal":
        return MaskedFocal(options.focal_gamma, class_weights)
    if options.kind == "crossentropy_dice":
        return CrossentropyWithDice(class_weights)
    return MaskedCrossentropy(class_weights)


def median_frequency_weights(pixels: NDArray[np.integer], limit: float | None) -> list[float]:
    """Returns a weight for each class: the median frequency of the classes over its own, at most `limit`.

    A class without pixels gets `limit`, or 1 where there is none: no training pixel has it, so any number will do.

    Args:
        pixels: (scenes, classes) pixels of each class in each training scene.
        limit: Largest weight; None leaves them as they are.

    Reference:
        Frequencies are shares of the pixels of the scenes in which a class occurs: Eigen and Fergus, 2015,
        https://arxiv.org/abs/1411.4734, section 6.3.2, as in the SegNet paper.
    """
    seen = (pixels > 0) * pixels.sum(axis=1, keepdims=True)
    frequencies = pixels.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    occurs = frequencies > 0
    median = np.median(frequencies[occurs])
    weights = np.full(len(frequencies), 1.0 if limit is None else limit)
    np.divide(median, frequencies, out=weights, where=occurs)
    return [float(weight) for weight in np.minimum(weights, limit or np.inf)]


@compiled
def _focal_losses(y_true: Any, y_pred: Any, class_weights: Any, gamma: float) -> Any:
    truth = _one_hot(y_true, y_pred)
    losses = ops.logsumexp(y_pred, axis=-1) - ops.sum(truth * y_pred, axis=-1)
    if gamma:
        # Void pixels may be below zero here, where the exponential overflows. A power of 0 has no finite gradient
        # where gamma < 1, and XLA is slower at powers than at their logarithms.
        losses = losses * ops.sum(truth, axis=-1)
        wrong = ops.maximum(-ops.expm1(-losses), keras.config.epsilon())
        losses = losses * ops.exp(gamma * ops.log(wrong))
    return _shares(losses, truth, class_weights)


@compiled
def _dice_losses(y_true: Any, y_pred: Any, class_weights: Any) -> Any:
    truth = _one_hot(y_true, y_pred)
    normalisers = ops.logsumexp(y_pred, axis=-1, keepdims=True)
    probabilities = ops.exp(y_pred - normalisers) * ops.sum(truth, axis=-1, keepdims=True)
    overlap, predicted, pixels = map(_count, (probabilities * truth, probabilities, truth))
    epsilon = keras.config.epsilon()
    dice_losses = 1 - (2 * overlap + epsilon) / (predicted + pixels + epsilon)
    occurs = ops.cast(pixels > 0, y_pred.dtype)
    mean_dice_loss = ops.sum(dice_losses * occurs) / ops.maximum(ops.sum(occurs), 1)
    losses = normalisers[..., 0] - ops.sum(truth * y_pred, axis=-1)
    return _shares(losses, truth, class_weights) + mean_dice_loss


def _one_hot(y_true: Any, y_pred: Any) -> Any:
    """Returns (batch, height, width, classes) ones and zeros; those of void are all zeros."""
    labels = ops.cast(y_true, "int32")
    labels = ops.where(labels == VOID, -1, labels)  # torch refuses ids above the classes
    return ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)


def _shares(losses: Any, truth: Any, class_weights: Any) -> Any:
    """Returns (batch,) what each image has of the mean of (batch, height, width) losses, times the number of images."""
    weights = ops.sum(truth * ops.cast(class_weights, truth.dtype), axis=-1)
    num_images = ops.cast(ops.shape(truth)[0], truth.dtype)
    weight_an_image = ops.maximum(ops.sum(weights), keras.config.epsilon()) / num_images
    return ops.sum(losses * weights, axis=(1, 2)) / weight_an_image


def _count(pixels: Any) -> Any:
    """Returns (classes,) sums over (batch, height, width, classes), image by image, exact to 2**24 pixels each."""
    return ops.sum(ops.sum(pixels, axis=(1, 2)), axis=0)
