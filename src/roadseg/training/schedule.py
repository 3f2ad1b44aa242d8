"""The learning rate over the steps of a training."""

from typing import Any, Literal

import keras
from keras import ops
from keras.optimizers import schedules

from roadseg.segnet.registration import registered

Rate = float | schedules.LearningRateSchedule


@registered
class WarmUp(schedules.LearningRateSchedule):
    """A rise in equal steps to the first rate of another schedule, and then that schedule.

    Args:
        peak: The first rate of `then`.
        steps: Length of the rise; after so many steps the rate is the peak.
        then: The schedule that follows.

    Examples:
        >>> warm_up = WarmUp(0.3, 3, schedules.PolynomialDecay(0.3, 2, 0.0))
        >>> [round(float(warm_up(step)), 2) for step in range(6)]
        [0.1, 0.2, 0.3, 0.3, 0.15, 0.0]
    """

    def __init__(self, peak: float, steps: int, then: schedules.LearningRateSchedule) -> None:
        super().__init__()
        self.peak, self.steps, self.then = peak, steps, then

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rising = self.peak * (step + 1) / max(1, self.steps)
        return ops.where(step < self.steps, rising, self.then(ops.maximum(step - self.steps, 0.0)))

    def get_config(self) -> dict[str, Any]:
        then = keras.saving.serialize_keras_object(self.then)
        return {"peak": self.peak, "steps": self.steps, "then": then}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        return cls(**{**config, "then": keras.saving.deserialize_keras_object(config["then"])})


def choose_learning_rate(
    kind: Literal["cosine", "polynomial"], peak: float, *, steps: int, warm_up: float, power: float
) -> WarmUp:
    """Returns a rise to `peak` in the share `warm_up` of the steps, and a fall to zero in the others.

    Args:
        kind: The fall: half a `cosine`, or a straight line to the power `power` (`polynomial`).
        peak: Highest rate.
        steps: Of the whole training.
        warm_up: Share of the steps.
        power: Used by `polynomial` alone; 0.9 as in DeepLab, https://arxiv.org/abs/1606.00915.
    """
    rising = round(warm_up * steps)
    falling = max(1, steps - rising)
    if kind == "cosine":
        return WarmUp(peak, rising, schedules.CosineDecay(peak, falling))
    return WarmUp(peak, rising, schedules.PolynomialDecay(peak, falling, end_learning_rate=0.0, power=power))
