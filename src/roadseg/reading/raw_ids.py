"""Raw ids from the numbers of a label map, whatever their type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import InputError

LARGEST_ID = 2**16 - 1


def as_raw_ids(numbers: NDArray[Any]) -> NDArray[Any]:
    """Returns numbers as raw ids: uint8 and uint16 as they are, others as uint16.

    Args:
        numbers: Of any type and shape.

    Raises:
        InputError: If one of them is not a whole number from 0 to 65,535; the first such one is named.
    """
    if numbers.dtype in (np.uint8, np.uint16):
        return numbers
    with np.errstate(invalid="ignore"):  # of NaN and infinity, which are found anyway
        ids = numbers.astype(np.uint16)
    wrong = (ids != numbers) | (numbers < 0)
    if wrong.any():
        raise InputError(
            f"holds {numbers[wrong][0]:.10g} in {np.count_nonzero(wrong)} pixels, "
            f"expected whole numbers from 0 to {LARGEST_ID}"
        )
    return ids
