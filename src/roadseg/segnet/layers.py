"""Layers that Keras does not have: pooling that records positions, unpooling that uses them, and a fast batch norm.

The positions are local to their 2x2 window, 0..3 in one byte: they need no batch offset, cannot overflow, and stay
integers under mixed precision.
"""

from typing import Any

import keras
from keras import ops

from roadseg.segnet.backend import Tensor, count_replicas, is_tensorflow
from roadseg.segnet.kernels import choose_kernels
from roadseg.segnet.registration import registered


@registered
class MaxPoolingWithIndices2D(keras.layers.Layer):
    """Maximum of each 2x2 window, stride 2, and its position in the window.

    An odd last row or column forms windows of its own: 15 rows pool to 8. Positions count row by row: 0 and 1 are
    the upper pixels, 2 and 3 the lower ones. The first of equal maxima wins, as in `tf.nn.max_pool_with_argmax`.
    Arguments are those of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, height, width, channels); height and width are known when the layer is called.

    Output shape:
        Two tensors of (batch, ceil(height / 2), ceil(width / 2), channels): maxima and uint8 positions 0..3.

    Examples:
        >>> import numpy as np
        >>> image = np.array([[1.0, 5.0, 0.0], [2.0, 3.0, 9.0]], "float32").reshape(1, 2, 3, 1)
        >>> maxima, indices = MaxPoolingWithIndices2D()(image)
        >>> np.ravel(maxima).tolist(), np.ravel(indices).tolist()
        ([5.0, 9.0], [1, 2])

    Reference:
        Section 3 of SegNet, https://arxiv.org/abs/1511.00561: "2 bits for each 2x2 pooling window".
    """

    def call(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return choose_kernels().pool(inputs)

    def compute_output_spec(self, inputs: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        batch, height, width, channels = inputs.shape
        shape = (batch, _half(height), _half(width), channels)
        return keras.KerasTensor(shape, self.compute_dtype), keras.KerasTensor(shape, "uint8")


@registered
class MaxUnpooling2D(keras.layers.Layer):
    """Values at the positions that pooling recorded, zeros elsewhere.

    Args:
        output_size: (height, width) of the map that was pooled.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        Two tensors of (batch, ceil(height / 2), ceil(width / 2), channels): values and uint8 positions 0..3.

    Output shape:
        (batch, height, width, channels), with (height, width) the `output_size`.

    Examples:
        >>> import numpy as np
        >>> maxima = np.array([5.0, 9.0], "float32").reshape(1, 1, 2, 1)
        >>> indices = np.array([1, 2], "uint8").reshape(1, 1, 2, 1)
        >>> np.squeeze(MaxUnpooling2D((2, 3))(maxima, indices)).tolist()
        [[0.0, 5.0, 0.0], [0.0, 0.0, 9.0]]

    Reference:
        Figure 3 of SegNet, https://arxiv.org/abs/1511.00561.
    """

    def __init__(self, output_size: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = (int(output_size[0]), int(output_size[1]))

    def build(self, inputs_shape: tuple[int | None, ...], indices_shape: tuple[int | None, ...]) -> None:
        expected = tuple(_half(length) for length in self.output_size)
        if tuple(inputs_shape[1:3]) != expected:
            raise ValueError(
                f"layer {self.name!r}: output_size {self.output_size} is unpooled from {expected}, "
                f"but the input has the shape {tuple(inputs_shape)}"
            )

    def call(self, inputs: Tensor, indices: Tensor) -> Tensor:
        return choose_kernels().unpool(inputs, indices, self.output_size)

    def compute_output_spec(self, inputs: keras.KerasTensor, indices: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((inputs.shape[0], *self.output_size, inputs.shape[3]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size}


@registered
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` through TensorFlow's fused kernel: same weights, numbers and arguments.

    Keras normalises in about ten operations, each a pass over the map; the fused kernel takes two. It serves the
    channels of (batch, height, width, channels) maps; other ranks, axes, options and backends run Keras' own code.
    Where TensorFlow shares a batch among devices, the statistics are those of the whole batch; `synchronized` is set by
    that, and not saved.

    Input shape:
        (batch, height, width, channels), or whatever `keras.layers.BatchNormalization` takes.

    Output shape:
        That of the input.

    Examples:
        >>> import numpy as np
        >>> pixels = np.array([-1.0, 1.0], "float32").reshape(1, 1, 2, 1)
        >>> normalised = BatchNormalization(epsilon=0.5625)(pixels, training=True)  # divides by the root of 1.5625
        >>> [round(float(value), 2) for value in np.ravel(normalised)]
        [-0.8, 0.8]

    Reference:
        Ioffe and Szegedy, https://arxiv.org/abs/1502.03167.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        if count_replicas() > 1:
            self.synchronized = True

    def get_config(self) -> dict[str, Any]:
        # How many devices shared a training is no property of the network, and stops Keras on other backends.
        return {**super().get_config(), "synchronized": False}

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        if mask is not None or not self._has_fused_kernel(inputs):
            return super().call(inputs, training=training, mask=mask)
        if not (training and self.trainable):
            return self._normalize(inputs, self.moving_mean, self.moving_variance, training=False)[0]
        measured_by_kernel = ops.zeros((0,), "float32")
        outputs, mean, variance = self._normalize(inputs, measured_by_kernel, measured_by_kernel, training=True)
        # The kernel returns the unbiased variance, Keras averages the biased one.
        pixels = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (pixels - 1) / pixels)
        return outputs

    def _normalize(
        self, inputs: Tensor, mean: Tensor, variance: Tensor, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        import tensorflow as tf

        scale, offset, mean, variance = map(ops.convert_to_tensor, (self.gamma, self.beta, mean, variance))
        statistics = {"scale": scale, "offset": offset, "mean": mean, "variance": variance}
        outputs, batch_mean, batch_variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, **statistics, epsilon=self.epsilon, is_training=training
        )
        return outputs, batch_mean, batch_variance

    def _move(self, average: Tensor, value: Tensor) -> None:
        average.assign(average * self.momentum + value * (1 - self.momentum))

    def _has_fused_kernel(self, inputs: Tensor) -> bool:
        return (
            is_tensorflow()
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not self.renorm
            and not self.synchronized
            and keras.backend.standardize_dtype(inputs.dtype) != "float64"
        )


def _half(length: int) -> int:
    return (length + 1) // 2
