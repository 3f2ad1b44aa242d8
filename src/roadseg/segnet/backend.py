"""The backend that Keras runs on: all that differs between backends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, NamedTuple

import keras
from keras import ops

Tensor = Any  # of the backend that Keras runs on

Capability = tuple[int, int]
"""Of an NVIDIA GPU, as in 9.0."""


class Traits(NamedTuple):
    """How a backend differs from others when a device and a way to compute are chosen.

    Attributes:
        compiler: Name of what compiles a whole step.
        compiles_best_on: Kinds of devices on which a compiled step is the faster.
        shares_batches: Whether several devices can share a batch.
        shares_compiled: Whether they can in a compiled step.
        has_quick_bfloat16: Whether its convolutions use the bfloat16 units of a processor.
    """

    compiler: str
    compiles_best_on: tuple[str, ...]
    shares_batches: bool
    shares_compiled: bool
    has_quick_bfloat16: bool


TRAITS = {
    # On a CPU, TensorFlow's own convolutions are faster than XLA's.
    "tensorflow": Traits("XLA", ("gpu",), shares_batches=True, shares_compiled=False, has_quick_bfloat16=True),
    "jax": Traits("XLA", ("cpu", "gpu"), shares_batches=True, shares_compiled=True, has_quick_bfloat16=False),
    "torch": Traits("torch.compile", (), shares_batches=False, shares_compiled=False, has_quick_bfloat16=True),
}


def name_backend() -> str:
    """Returns `tensorflow`, `jax` or `torch`."""
    return str(keras.backend.backend())


def is_tensorflow() -> bool:
    """Returns whether Keras runs on TensorFlow."""
    return name_backend() == "tensorflow"


_xla_is_wanted = ContextVar("xla_is_wanted", default=True)


@contextmanager
def without_xla() -> Iterator[None]:
    """Lets TensorFlow trace all within as plain operations: exported graphs can't contain calls of XLA functions.

    A model that has been called keeps the graph that was traced then; exporting a model traces it again.
    """
    before = _xla_is_wanted.set(False)
    try:
        yield
    finally:
        _xla_is_wanted.reset(before)


def uses_xla() -> bool:
    """Returns whether XLA compiles the functions that are `compiled` where they are called here."""
    return is_tensorflow() and _xla_is_wanted.get()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function compiled by XLA on TensorFlow; elsewhere and within `without_xla` it is called as it is.

    For element-wise work only: on a processor, XLA's convolutions and reductions are slower than TensorFlow's kernels.
    """

    @cache
    def compile_by_xla() -> Callable[..., Any]:
        import tensorflow as tf

        function_of_tensors: Callable[..., Any] = tf.function(function, jit_compile=True, autograph=False)
        return function_of_tensors

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        return (compile_by_xla() if uses_xla() else function)(*arguments, **options)

    return call


def count_values(values: Tensor, num_values: int) -> Tensor:
    """Returns how often each of 0..num_values - 1 occurs, (num_values,) int32.

    Unlike `ops.bincount` it can be traced by every backend and compiled by XLA: the length of the result is known.

    Args:
        values: (count,) int32, 0..num_values - 1.
        num_values: Number of different values.
    """
    if not is_tensorflow():
        return ops.segment_sum(ops.ones_like(values), values, num_segments=num_values)
    import tensorflow as tf

    no_weights = tf.zeros((0,), "int32")
    return tf.raw_ops.DenseBincount(input=values, size=num_values, weights=no_weights, binary_output=False)


def find_gpus() -> list[Capability]:
    """Returns the compute capability of each GPU that the backend sees."""
    match name_backend():
        case "tensorflow":
            import tensorflow as tf

            found = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
            return [details.get("compute_capability", (0, 0)) for details in found]
        case "torch":
            import torch

            return [torch.cuda.get_device_capability(number) for number in range(torch.cuda.device_count())]
        case _:
            import jax

            versions = [str(device.compute_capability) for device in jax.local_devices() if device.platform == "gpu"]
            return [(int(major), int(minor)) for major, minor in (version.split(".") for version in versions)]


def count_cpus() -> int:
    """Returns how many processors of this machine the backend sees as devices."""
    match name_backend():
        case "torch":  # which keras.distribution does not know
            return 1
        case "tensorflow":
            return len(keras.distribution.list_devices("cpu"))
        case _:
            import jax

            return len(jax.local_devices(backend="cpu"))


def find_host() -> tuple[int, int]:
    """Returns the number of this host among those that are connected, and how many these are; 0 and 1 without any."""
    if name_backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def name_devices(kind: str, count: int) -> tuple[str, ...]:
    """Returns Keras' names of the first devices of a kind on each host, host by host.

    Args:
        kind: `cpu` or `gpu`.
        count: How many of each host.
    """
    hosts = find_host()[1]
    if hosts == 1:
        return tuple(f"{kind}:{number}" for number in range(count))
    import jax

    of_hosts = [[each for each in jax.devices(kind) if each.process_index == host] for host in range(hosts)]
    return tuple(f"{each.platform}:{each.id}" for devices in of_hosts for each in devices[:count])


@contextmanager
def sharing_batches(devices: Sequence[str]) -> Iterator[None]:
    """Lets several devices share each batch of the networks that are made and trained within."""
    if is_tensorflow():
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(list(devices)).scope():
            yield
    else:
        before = keras.distribution.distribution()
        shared = keras.distribution.DataParallel(devices=list(devices), auto_shard_dataset=False)
        keras.distribution.set_distribution(shared)
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)


@contextmanager
def on_this_host() -> Iterator[None]:
    """Keeps the networks that are made within from the devices of other hosts."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def count_replicas() -> int:
    """Returns the number of devices among which TensorFlow's strategy shares a batch; on other backends 1.

    JAX does not need this: there a step sees the whole batch, wherever its parts are.
    """
    if not is_tensorflow():
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def mean_over_replicas(value: Tensor) -> Tensor:
    """Returns the mean of a value over the devices that share a batch."""
    if count_replicas() == 1:
        return value
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()  # None while Keras tries the loss on shapes, outside of a step
    return value if replica is None else replica.all_reduce("mean", value)


OUT_OF_MEMORY = ("resource_exhausted", "out of memory", "can't allocate memory")
"""Messages of JAX and PyTorch contain one of them, in large or small letters; TensorFlow has a type for it."""


def memory_errors() -> tuple[type[Exception], ...]:
    """Returns the types of what is raised when memory runs out; JAX and PyTorch raise these for other faults too."""
    match name_backend():
        case "tensorflow":
            import tensorflow as tf

            return (MemoryError, tf.errors.ResourceExhaustedError)
        case "torch":
            return (MemoryError, RuntimeError)  # torch.OutOfMemoryError is one; on a CPU it is a plain one
        case _:
            import jax

            return (MemoryError, jax.errors.JaxRuntimeError)


def is_out_of_memory(error: Exception) -> bool:
    """Returns whether one of `memory_errors` says that memory ran out."""
    has_type = isinstance(error, MemoryError) or is_tensorflow()
    return has_type or any(words in str(error).lower() for words in OUT_OF_MEMORY)
