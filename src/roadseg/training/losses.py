"""Losses over the pixels that have a class, and the weights of the classes."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeFloat, PositiveFloat

from roadseg.scenes.labels import VOID
from roadseg.segnet.backend import compiled, count_replicas, mean_over_replicas
from roadseg.segnet.registration import registered


class LossOptions(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """What a training minimises.

    Attributes:
        kind: `crossentropy`; `crossentropy_dice` adds the soft Dice loss; `focal` counts pixels that are right less.
        focal_gamma: How much less, from 0 on; used only by `focal`, 0 is `crossentropy`.
        class_weights: `median_frequency` gives rare classes more weight; `none` counts every pixel the same.
        class_weight_limit: Largest of the median frequency weights; None leaves them as they are.
    """

    kind: Literal["crossentropy", "crossentropy_dice", "focal"]
    focal_gamma: NonNegativeFloat
    class_weights: Literal["none", "median_frequency"]
    class_weight_limit: PositiveFloat | None


@registered
class MaskedCrossentropy(keras.losses.Loss):
    """Mean cross-entropy of all pixels of a batch that are not void, with focal weights or Dice loss if asked for.

    All pixels of a batch count alike, whatever their image; a batch with only void pixels has loss 0.

    The Dice loss of a class is 1 - 2 * overlap / (predicted + true): the overlap sums its probability over its own
    pixels, `predicted` over all. The sums go over all pixels of the batch that are not void, or, where TensorFlow
    shares a batch among devices, over those of each device. Each class counts the same, whatever its size and weight.

    Args:
        class_weights: One weight per class, for the cross-entropy of its pixels; None counts every pixel the same.
        focal_gamma: From 0 on; the cross-entropy of a pixel counts (1 - probability of its true class) ** gamma times,
            so that hard pixels count more. The sum is divided by the weights of the classes alone.
        with_dice: Whether the mean soft Dice loss of the classes that occur in the truth of the batch is added.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

    Examples:
        >>> import numpy as np
        >>> labels = np.array([[[0, 255]]], "uint8")
        >>> logits = np.array([[[[0.0, 0.0], [9.0, -9.0]]]], "float32")
        >>> round(float(MaskedCrossentropy()(labels, logits)), 4)  # ln 2, from the first pixel
        0.6931
        >>> round(float(MaskedCrossentropy(focal_gamma=2.0)(labels, logits)), 4)  # times a half squared
        0.1733
        >>> round(float(MaskedCrossentropy(with_dice=True)(labels, logits)), 4)  # ln 2, and 1 - 2 * 0.5 / (0.5 + 1)
        1.0265

    Reference:
        Focal: Lin et al., https://arxiv.org/abs/1708.02002, equation 5. Dice: Milletari et al.,
        https://arxiv.org/abs/1606.04797, section 3, there with squares in the denominator.
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        *,
        focal_gamma: float = 0.0,
        with_dice: bool = False,
        name: str = "masked_crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_weights = None if class_weights is None else list(class_weights)
        self.focal_gamma, self.with_dice = focal_gamma, with_dice

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of a batch.

        Args:
            y_true: (batch, height, width) class ids of any numeric dtype, 255 = void.
            y_pred: (batch, height, width, classes) logits.

        Returns:
            (batch,) in nats, each image with its share of the weights, plus the Dice loss of the batch, 0..1, where it
            is asked for; their mean is that of all pixels. One value per image, not a scalar, because Keras divides
            among replicas only what it reduces itself.
        """
        weights = self.class_weights or [1.0] * y_pred.shape[-1]
        losses, dice_loss = _losses(y_true, y_pred, weights, self.focal_gamma, self.with_dice)
        if count_replicas() > 1:  # a device may see fewer pixels than others
            weight = ops.sum(_one_hot(y_true, y_pred) * ops.cast(weights, y_pred.dtype))
            losses = losses * weight / ops.maximum(mean_over_replicas(weight), keras.config.epsilon())
        return losses if dice_loss is None else losses + dice_loss

    def get_config(self) -> dict[str, Any]:
        parts = {"class_weights": self.class_weights, "focal_gamma": self.focal_gamma, "with_dice": self.with_dice}
        return {**super().get_config(), **parts}


@registered
class MaskedFocal(MaskedCrossentropy):
    """The name in older models, for which the focal loss was its own class; loads `MaskedCrossentropy`."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedCrossentropy:
        others = {name: value for name, value in config.items() if name != "gamma"}
        return MaskedCrossentropy(focal_gamma=config["gamma"], **others)


@registered
class CrossentropyWithDice(MaskedCrossentropy):
    """The name in older models, for which the Dice loss was its own class; loads `MaskedCrossentropy`."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedCrossentropy:
        return MaskedCrossentropy(with_dice=True, **config)


def choose_loss(options: LossOptions, class_weights: Sequence[float] | None) -> keras.losses.Loss:
    """Returns the loss of that kind with one weight per class; None counts every pixel the same."""
    return MaskedCrossentropy(
        class_weights,
        focal_gamma=options.focal_gamma if options.kind == "focal" else 0.0,
        with_dice=options.kind == "crossentropy_dice",
    )


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
def _losses(y_true: Any, y_pred: Any, class_weights: Any, focal_gamma: float, with_dice: bool) -> tuple[Any, Any]:
    """Returns the (batch,) shares of the cross-entropy, and the Dice loss of the batch, a number, or None."""
    truth = _one_hot(y_true, y_pred)
    normalisers = ops.logsumexp(y_pred, axis=-1, keepdims=True)
    losses = normalisers[..., 0] - ops.sum(truth * y_pred, axis=-1)
    if focal_gamma:
        losses = _focus(losses, truth, focal_gamma)
    dice_loss = _dice_loss(y_pred, normalisers, truth) if with_dice else None
    return _shares(losses, truth, class_weights), dice_loss


def _focus(losses: Any, truth: Any, gamma: float) -> Any:
    """Returns (batch, height, width) cross-entropies, those of pixels that are nearly right made smaller."""
    # Void pixels may be below zero here, where the exponential overflows. A power of 0 has no finite gradient
    # where gamma < 1, and XLA is slower at powers than at their logarithms.
    losses = losses * ops.sum(truth, axis=-1)
    wrong = ops.maximum(-ops.expm1(-losses), keras.config.epsilon())
    return losses * ops.exp(gamma * ops.log(wrong))


def _dice_loss(logits: Any, normalisers: Any, truth: Any) -> Any:
    probabilities = ops.exp(logits - normalisers) * ops.sum(truth, axis=-1, keepdims=True)
    overlap, predicted, pixels = map(_count, (probabilities * truth, probabilities, truth))
    epsilon = keras.config.epsilon()
    dice_losses = 1 - (2 * overlap + epsilon) / (predicted + pixels + epsilon)
    occurs = ops.cast(pixels > 0, logits.dtype)
    return ops.sum(dice_losses * occurs) / ops.maximum(ops.sum(occurs), 1)


def _one_hot(y_true: Any, y_pred: Any) -> Any:
    """Returns (batch, height, width, classes) ones and zeros; those of void are all zeros."""
    labels = ops.cast(y_true, "int32")
    labels = ops.where(labels == VOID, -1, labels)  # torch refuses ids above the classes
    return ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)


def _shares(losses: Any, truth: Any, class_weights: Any) -> Any:
    """Returns (batch,) the part of each image in the mean of (batch, height, width) losses, times the batch size."""
    weights = ops.sum(truth * ops.cast(class_weights, truth.dtype), axis=-1)
    num_images = ops.cast(ops.shape(truth)[0], truth.dtype)
    weight_per_image = ops.maximum(ops.sum(weights), keras.config.epsilon()) / num_images
    return ops.sum(losses * weights, axis=(1, 2)) / weight_per_image


def _count(pixels: Any) -> Any:
    """Returns (classes,) sums over (batch, height, width, classes), image by image, exact to 2**24 pixels each."""
    return ops.sum(ops.sum(pixels, axis=(1, 2)), axis=0)
