"""Faults that a user can correct, each in one sentence, without the texts that libraries put around it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from click import ClickException
from kedro.config import MissingConfigException
from kedro.framework.cli.utils import KedroCliError
from kedro.io import DatasetError
from kedro.validation import ParameterValidationError
from pydantic import ValidationError
from yaml import YAMLError

from roadseg.errors import RoadSegError, describe_validation
from roadseg.reading.store_faults import describe_store_fault, list_store_faults

logger = logging.getLogger(__name__)

FAULTS = (
    RoadSegError,
    DatasetError,
    ParameterValidationError,
    ValidationError,
    MissingConfigException,
    YAMLError,
    OSError,
    MemoryError,
)
"""Errors about data, settings or the machine, whatever code raises them.

About the machine: full disks, files without read permission, too little memory. They may come from any line of any
library that opens a file, and say which file; a bug is rarely one of them.
"""

OPTION = re.compile(
    r"^- Parameter '(\w+)'(: value is None)?|^(?:(\S+)\n)?  (.+) \[type=\w+, input_value=(.*), input_type=\w+\]",
    re.MULTILINE,
)
"""The facts in a message of Kedro's parameter validation: the parameter, then key, expectation and received value.

What holds for several keys together has no key, and the expectation is the whole sentence. This text is all that Kedro
keeps of what pydantic found: the error has neither a cause nor a list of faults.
"""

IS_LIST = re.compile(r"a valid (list|tuple)|as a Sequence value")
"""What pydantic says where a list is expected."""

PARSING = re.compile(
    r"^An exception occurred when parsing config for dataset '(.+?)':\s+(.+?)(?:\s+Hint:.*)?$", re.DOTALL
)
"""The facts in Kedro's message about a catalog entry whose class can't be found, name and reason: only text."""


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Ends a command with one sentence if a user can correct the fault; all other errors show their traceback.

    Raises:
        ClickException: With the sentence; the traceback is in the log at level DEBUG, and with `kedro --verbose` on the
            screen in the place of the sentence.
    """
    try:
        yield
    except _list_faults() as fault:
        if KedroCliError.VERBOSE_ERROR or not is_mendable(fault):
            raise
        logger.debug("The command failed", exc_info=True)
        raise ClickException(describe_fault(fault)) from fault


def _list_faults() -> tuple[type[Exception], ...]:
    return (*FAULTS, *list_store_faults(), ValueError)


def is_mendable(fault: BaseException) -> bool:
    """Returns whether a user can correct the fault; if not, it is a fault of the program."""
    first, caught_in = _unwrap(fault)
    if caught_in == "from_config":
        return True  # an entry of the catalog
    is_of_others = not any(module.startswith("roadseg.") for module in _list_modules(first))
    if caught_in == "load" and isinstance(first, ValueError) and is_of_others:
        return True  # a file that is damaged: this is what data sets of libraries raise that can't parse it
    return isinstance(first, (*FAULTS, *list_store_faults())) or _is_wrong_name(first)


def describe_fault(fault: BaseException) -> str:
    """Returns the important sentence, without the texts that Kedro and pydantic put around it."""
    if isinstance(fault, ParameterValidationError):
        return _describe_options(str(fault))
    if isinstance(fault, ValidationError):
        return describe_validation(fault, f"{fault.title} ")
    if isinstance(fault, DatasetError) and (entry := PARSING.match(str(fault))):
        return ": ".join(entry.groups())
    first, caught_in = _unwrap(fault)
    if of_store := describe_store_fault(first):
        return of_store
    return describe_fault(first) if caught_in and isinstance(first, (*FAULTS, ValueError)) else str(fault)


def _unwrap(fault: BaseException) -> tuple[BaseException, str]:
    """Returns the error of a data set, and the name of Kedro's function that put its own message around it.

    Kedro always raises the same class, so this is found by where Kedro caught the fault: there a traceback begins.
    A fault without another message around it is returned with an empty name.
    """
    cause = fault.__cause__
    if isinstance(fault, DatasetError) and cause is not None and cause.__traceback__ is not None:
        catcher = cause.__traceback__.tb_frame
        if catcher.f_globals["__name__"] == "kedro.io.core":
            return cause, catcher.f_code.co_name
        if catcher.f_globals["__name__"] == "kedro.io.data_catalog":  # it adds the name of the data set
            first, caught_in = _unwrap(cause)
            return (first, caught_in) if caught_in else (fault, "")
    return fault, ""


def _is_wrong_name(fault: BaseException) -> bool:
    """Returns whether Kedro refuses a name of the command line; it raises a plain ValueError for this."""
    modules = _list_modules(fault)
    is_kedros = isinstance(fault, ValueError) and modules[-1].startswith("kedro.")
    return is_kedros and "kedro.pipeline.node" not in modules  # where nodes run


def _list_modules(fault: BaseException) -> list[str]:
    """Returns the module of each function that a fault came through, the one that raised it last."""
    return [str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(fault.__traceback__)] or [""]


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
    is_item = place.isdecimal() and received.startswith("'")
    if is_item or IS_LIST.search(expected):
        items = items if is_item else name
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
