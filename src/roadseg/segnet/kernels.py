"""The functions that pooling and unpooling consist of: plain, or compiled by XLA with their own gradients.

Everything is written in `keras.ops`; on TensorFlow the same functions are compiled by XLA one by one, and the
convolutions between them are left to oneDNN or cuDNN.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import keras
from keras import ops

from roadseg.segnet.backend import Tensor, compiled, uses_xla


class Kernels(NamedTuple):
    """The three functions that pooling and unpooling are made of.

    Attributes:
        pool: From a map to its maxima and their positions.
        unpool: From values, positions and a (height, width) to the map that has each value at its position.
        gather: From a map and positions to the values at these positions; the reverse of `unpool`.
    """

    pool: Callable[[Tensor], tuple[Tensor, Tensor]]
    unpool: Callable[[Tensor, Tensor, tuple[int, int]], Tensor]
    gather: Callable[[Tensor, Tensor], Tensor]


def choose_kernels() -> Kernels:
    """Returns the kernels to call here: those compiled by XLA on TensorFlow, but within `without_xla` the plain ones.

    They are the same at every call, so nothing is traced twice.
    """
    return _compile_kernels() if uses_xla() else PLAIN_KERNELS


@cache
def _compile_kernels() -> Kernels:
    """Returns the plain kernels, each compiled by XLA, and each the gradient of another.

    The gradient of pooling is unpooling, that of unpooling is gathering, and that of gathering is unpooling again:
    none of them needs the zero-padded sums that automatic differentiation makes of slices.
    """
    import tensorflow as tf

    # XLA slices bfloat16 slowly on a processor: as float32, exact too, pooling takes a quarter to a half of the time.
    def pool_widened(inputs: Tensor) -> tuple[Tensor, Tensor]:
        maxima, indices = _pool(_widened(inputs))
        return ops.cast(maxima, inputs.dtype), indices

    def gather_widened(inputs: Tensor, indices: Tensor) -> Tensor:
        return ops.cast(_gather(_widened(inputs), indices), inputs.dtype)

    fast = Kernels(compiled(pool_widened), compiled(_unpool), compiled(gather_widened))

    @tf.custom_gradient
    def pool(inputs: Tensor) -> tuple[tuple[Tensor, Tensor], Callable[..., Tensor]]:
        maxima, indices = fast.pool(inputs)
        return (maxima, indices), lambda gradient, _: unpool(gradient, indices, _size(inputs))

    def unpool(inputs: Tensor, indices: Tensor, output_size: tuple[int, int]) -> Tensor:
        @tf.custom_gradient
        def apply(inputs: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
            return fast.unpool(inputs, indices, output_size), lambda gradient: gather(gradient, indices)

        return apply(inputs)

    def gather(inputs: Tensor, indices: Tensor) -> Tensor:
        @tf.custom_gradient
        def apply(inputs: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
            return fast.gather(inputs, indices), lambda gradient: unpool(gradient, indices, _size(inputs))

        return apply(inputs)

    return Kernels(pool, unpool, gather)


def _pool(inputs: Tensor) -> tuple[Tensor, Tensor]:
    first, *others = _corners(inputs)
    maxima, indices = first, ops.zeros_like(first, dtype="uint8")
    for position, values in enumerate(others, start=1):
        larger = values > maxima
        maxima = ops.where(larger, values, maxima)
        indices = ops.where(larger, ops.cast(position, "uint8"), indices)
    return maxima, indices


def _unpool(inputs: Tensor, indices: Tensor, output_size: tuple[int, int]) -> Tensor:
    upper_left, upper_right, lower_left, lower_right = (
        ops.where(indices == position, inputs, ops.zeros_like(inputs)) for position in range(4)
    )
    # One where() over (batch, rows, 2, columns, 2, channels) does the same, but at 16 channels in bfloat16 XLA takes
    # five times as long for it on a processor.
    upper, lower = ops.stack([upper_left, upper_right], axis=3), ops.stack([lower_left, lower_right], axis=3)
    batch, rows, columns, channels = ops.shape(inputs)
    height, width = output_size
    spread = ops.stack([upper, lower], axis=2)  # (batch, rows, 2, columns, 2, channels)
    return ops.reshape(spread, (batch, 2 * rows, 2 * columns, channels))[:, :height, :width]


def _gather(inputs: Tensor, indices: Tensor) -> Tensor:
    values, *others = _corners(inputs)
    for position, corner in enumerate(others, start=1):
        values = ops.where(indices == position, corner, values)
    return values


def _widened(maps: Tensor) -> Tensor:
    return ops.cast(maps, keras.backend.result_type(maps.dtype, "float32"))


def _corners(inputs: Tensor) -> list[Tensor]:
    """Returns the four pixels of every window, row by row, each (batch, rows, columns, channels).

    An odd last row or column occurs twice: its copy is never larger, so the pixel itself wins, whatever its value. An
    infinite padding would be NaN in exported graphs, which multiply by masks, and no finite one is below all maps.
    """
    height, width = _size(inputs)
    if height % 2:
        inputs = ops.concatenate([inputs, inputs[:, -1:]], axis=1)
    if width % 2:
        inputs = ops.concatenate([inputs, inputs[:, :, -1:]], axis=2)
    return [inputs[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]


def _size(maps: Tensor) -> tuple[int, int]:
    _, height, width, _ = maps.shape
    return height, width


PLAIN_KERNELS = Kernels(_pool, _unpool, _gather)
