"""Errors that a user can correct: only these end with one sentence, all others show a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten

from pydantic import ValidationError

LONGEST = 80
"""Most letters of a received value in a message."""


class RoadSegError(Exception):
    """A fault of data, settings or the machine; its message says what is wrong, and what was expected."""


class InputError(RoadSegError, ValueError):
    """An input is not valid, or does not match another one."""


class FileError(RoadSegError, OSError):
    """A file or folder that is missing, can't be read or written, or does not hold what it should."""


class OutOfMemoryError(RoadSegError, MemoryError):
    """Memory that ran out; the message says with what."""


class HostError(RoadSegError):
    """Another host of the same training that ended, or that can no longer be reached."""


@contextmanager
def advising(advice: str, of: type[RoadSegError] = InputError) -> Iterator[None]:
    """Adds advice to an error, which the caller knows and the function that raises it does not.

    Args:
        advice: Text after the message, with its leading punctuation.
        of: Which errors get it.

    Raises:
        RoadSegError: The same error, with the advice.
    """
    try:
        yield
    except of as fault:
        raise of(f"{fault}{advice}") from fault


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
        if each["loc"] not in places  # pydantic also counts what contains a fault, so its count would be too high
    )
