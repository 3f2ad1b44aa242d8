"""Too little memory: a warning before on a processor, an explanation after an error of a backend."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import psutil

from roadseg.errors import OutOfMemoryError
from roadseg.segnet.backend import is_out_of_memory, memory_errors

logger = logging.getLogger(__name__)


class BatchMemoryError(OutOfMemoryError):
    """Memory that ran out with what a network computes at once."""


@contextmanager
def explaining_memory(wanted: str, advice: str) -> Iterator[None]:
    """Turns errors of the backend within, when memory runs out, into an error that a user understands.

    Args:
        wanted: What did not fit.
        advice: What to try.

    Raises:
        BatchMemoryError: With both, instead of the backend's own error.
        OutOfMemoryError: As it was raised within, if it already says what did not fit.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except memory_errors() as error:
        if not is_out_of_memory(error):
            raise
        raise BatchMemoryError(f"memory ran out with {wanted}; try {advice}") from error


def foretell_memory(network: keras.Model, batch_size: int, advice: str) -> None:
    """Warns if a training needs more memory than is free.

    The system kills a program that takes too much without a message, so there is no error to catch.

    Args:
        network: Compiled or not.
        batch_size: Scenes per step.
        advice: What to try.
    """
    needed, free = estimate_memory(network, batch_size), psutil.virtual_memory().available
    if needed > free:
        logger.warning(
            "This training takes about %.1f GB of memory and %.1f GB are free: if the system kills it, try %s",
            needed / 1e9,
            free / 1e9,
            advice,
        )


def estimate_memory(network: keras.Model, batch_size: int) -> int:
    """Returns about how many bytes a training step takes: what each layer returns, and four times the parameters.

    Measured with TensorFlow on a processor, 240x480, batch 4: 1.0 GB and 3.2 GB at widths 0.25 and 1 beyond the 0.6 GB
    of the program itself; this says 0.8 GB and 3.3 GB.
    """
    outputs = [output for layer in network.layers for output in keras.tree.flatten(layer.output)]
    activations: int = sum(math.prod(each.shape[1:]) * _width(each.dtype) for each in outputs)
    parameters: int = sum(math.prod(each.shape) * _width(each.dtype) for each in network.weights)
    return batch_size * activations + 4 * parameters


def _width(dtype: str) -> int:
    """Returns the bytes of a number."""
    return {"float32": 4, "bfloat16": 2, "uint8": 1}.get(keras.backend.standardize_dtype(dtype), 4)
