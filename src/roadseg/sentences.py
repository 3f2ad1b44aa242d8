"""Faults that a user can mend, and the one sentence that tells each, without what libraries put around it."""

import re

from kedro.config import MissingConfigException
from kedro.io import DatasetError
from kedro.validation import ParameterValidationError
from pydantic import ValidationError
from yaml import YAMLError

from roadseg.errors import RoadSegError, describe_validation

FAULTS = (
    DatasetError,
    ParameterValidationError,
    ValidationError,
    MissingConfigException,
    YAMLError,
    RoadSegError,
    ValueError,
    OSError,
    MemoryError,
)

OPTION = re.compile(
    r"^- Parameter '(\w+)'(: value is None)?|^(?:(\S+)\n)?  (.+) \[type=\w+, input_value=(.*), input_type=\w+\]",
    re.MULTILINE,
)
"""The facts in a message of Kedro's parameter validation: the parameter, then key, expectation and received value.

What holds for several keys together has no key, and the expectation is the whole sentence.
"""

WRAPPED = re.compile("Failed while |Failed to instantiate")
"""What marks the messages that Kedro puts around the error of a data set."""

PARSING = re.compile(
    r"^An exception occurred when parsing config for dataset '(.+?)':\s+(.+?)(?:\s+Hint:.*)?$", re.DOTALL
)
"""The facts in what Kedro says of an entry of the catalog whose class can't be found: its name, and why."""


def describe_fault(fault: Exception) -> str:
    """Returns the sentence that matters, without what Kedro and pydantic put around it."""
    if isinstance(fault, ParameterValidationError):
        return _describe_options(str(fault))
    if isinstance(fault, ValidationError):
        return describe_validation(fault, f"{fault.title} ")
    if isinstance(fault, DatasetError) and (entry := PARSING.match(str(fault))):
        return ": ".join(entry.groups())
    inner = fault.__cause__ if isinstance(fault, DatasetError) and WRAPPED.search(str(fault)) else None
    return describe_fault(inner) if isinstance(inner, FAULTS) else str(fault)


def describe_parameter(name: str, expectation: str, received: str) -> str:
    """Returns the sentence that says what is wrong with the value of a parameter.

    Args:
        name: Of the parameter, dotted.
        expectation: As pydantic puts it.
        received: The value as Python writes it.
    """
    expected = expectation.replace("Extra inputs are not permitted", "there is no such parameter")
    hint = f"; put text in quotes: --params \"{name}='...'\"" if "valid string" in expected else ""
    items, _, place = name.rpartition(".")
    if place.isdecimal() and received.startswith("'"):
        hint = f"; write a list as --params '{items}=[value,value]'"
    return f"{name}: {expected[0].lower()}{expected[1:]}, received {received}{hint}"


def _describe_options(message: str) -> str:
    parameter, sentences = "", []
    for name, is_none, key, expectation, received in OPTION.findall(message):
        parameter = name or parameter
        expected = expectation.removeprefix("Value error, ")
        if is_none:
            sentences.append(f"{parameter}: expected a value, received null")
        elif key or (expected and expected == expectation):
            sentences.append(describe_parameter(f"{parameter}.{key}" if key else parameter, expected, received))
        elif expected:  # what options of a group must hold together
            sentences.append(f"{parameter}: {expected}")
    return "; ".join(sentences) or message
