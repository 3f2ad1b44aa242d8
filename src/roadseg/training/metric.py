"""Mean intersection over union of everything seen since the last reset."""

from typing import Any

import keras
from keras import ops

from roadseg.scenes.labels import VOID
from roadseg.segnet.backend import compiled, count_values
from roadseg.segnet.registration import registered

PART = 2**24
"""Limit of the low part of a count; the high part counts how often it was reached."""


@registered
class RunningMeanIoU(keras.metrics.Metric):
    """Mean IoU from one confusion matrix that grows over batches; not a mean of the IoU of batches.

    Void pixels are not counted. A class that neither occurs nor is predicted is left out of the mean. Each count is a
    pair of integers, exact up to 2**55 pixels: JAX's widest are int32, and an epoch of large images has more pixels.

    Args:
        num_classes: Number of classes, void not counted.
        name: Name of the metric.
        **kwargs: `dtype` of `keras.metrics.Metric`.

    Examples:
        >>> import numpy as np
        >>> mean_iou = RunningMeanIoU(num_classes=2)
        >>> mean_iou.update_state(np.array([[[0, 1, 1]]]), np.array([[[[9, 0], [9, 0], [0, 9]]]], "float32"))
        >>> float(mean_iou.result())  # each class: 1 of 2 pixels
        0.5
    """

    def __init__(self, num_classes: int, name: str = "mean_iou", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.counts = self.add_variable((2, num_classes, num_classes), initializer="zeros", dtype="int", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: None = None) -> None:
        """Counts the pixels of a batch.

        Args:
            y_true: (batch, height, width) class ids of any numeric dtype, 255 = void.
            y_pred: (batch, height, width, num_classes) logits.
            sample_weight: Not supported; every pixel counts once.
        """
        cells = ops.reshape(_confusion_cells(y_true, y_pred), (-1,))
        counts = ops.cast(count_values(cells, self.num_classes**2 + 1)[:-1], self.counts.dtype)
        low = self.counts[0] + ops.reshape(counts, (self.num_classes, self.num_classes))
        self.counts.assign(ops.stack([low % PART, self.counts[1] + low // PART]))

    def result(self) -> Any:
        """Returns the mean IoU, 0..1; 0 before the first pixel."""
        low, high = ops.cast(self.counts[0], "float32"), ops.cast(self.counts[1], "float32")
        confusion = low + high * PART
        hits = ops.diagonal(confusion)
        union = ops.sum(confusion, axis=0) + ops.sum(confusion, axis=1) - hits
        present = ops.cast(union > 0, "float32")
        iou = hits / ops.maximum(union, 1)
        return ops.sum(iou * present) / ops.maximum(ops.sum(present), 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


@compiled
def _confusion_cells(y_true: Any, y_pred: Any) -> Any:
    """Returns the cell of the flattened confusion matrix of every pixel; void falls in the one after the last."""
    num_classes = y_pred.shape[-1]
    truth = ops.cast(y_true, "int32")
    cells = truth * num_classes + ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    return ops.where(truth == VOID, num_classes**2, cells)
