"""What a user can mend: only such errors are told in one sentence, all others show where the program went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten

from pydantic import ValidationError

LONGEST = 80
"""Letters of a value that was received."""


class RoadSegError(Exception):
    """A fault of data, settings or the machine; its message says what is wrong, and what was expected."""


class InputError(RoadSegError, ValueError):
    """Something that was given is not valid, or does not fit something else that was given."""


class FileError(RoadSegError, OSError):
    """A file or folder that is missing, can't be read or written, or does not hold what it should."""


@contextmanager
def advising(advice: str) -> Iterator[None]:
    """Adds to what is refused what to do about it, which the caller knows and the one who refuses does not.

    Args:
        advice: What follows the message, with the mark that comes first.

    Raises:
        InputError: For an InputError, with the advice.
    """
    try:
        yield
    except InputError as fault:
        raise InputError(f"{fault}{advice}") from fault


def describe_validation(fault: ValidationError, prefix: str = "") -> str:
    """Returns key, expectation and received value of each fault that pydantic found.

    Args:
        fault: What pydantic raised.
        prefix: What comes before each key.
    """
    faults = fault.errors()
    places = {each["loc"][:depth] for each in faults for depth in range(len(each["loc"]))}
    return "; ".join(
        f"{prefix}{'.'.join(map(str, each['loc']))}: {each['msg']}"
        + (f", received {shorten(repr(each['input']), LONGEST)}" if each["type"] != "missing" else "")
        for each in faults
        if each["loc"] not in places  # what holds a fault is at fault too, and then pydantic counts wrongly
    )
