"""The session of a run: a fault that the user can mend ends it with one sentence, not with a traceback."""

import atexit
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from click import ClickException
from click.exceptions import Exit
from kedro.config import MissingConfigException
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from kedro.runner import AbstractRunner, SequentialRunner, ThreadRunner
from kedro.validation import ParameterValidationError
from pydantic import ValidationError

logger = logging.getLogger(__name__)

OPTION = re.compile(
    r"^- Parameter '(\w+)'|^(?:(\S+)\n)?  (.+) \[type=\w+, input_value=(.*), input_type=\w+\]", re.MULTILINE
)
"""The facts in a message of Kedro's parameter validation: the parameter, then key, expectation and received value.

What holds for several keys together has no key, and the expectation is the whole sentence.
"""

WRAPPED = re.compile("Failed while |Failed to instantiate")
"""What marks the messages that Kedro puts around the error of a data set."""

INTERRUPTED = 130

FAULTS = (
    DatasetError,
    ParameterValidationError,
    ValidationError,
    MissingConfigException,
    ValueError,
    OSError,
    MemoryError,
)


class RoadSegSession(KedroSession):
    """A Kedro session whose `run` is recorded, and tells faults of data and parameters from faults of the program."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Runs as `KedroSession.run` does, with a runner whose nodes run in this process.

        Raises:
            ClickException: On a fault in FAULTS; the traceback is in the log at level DEBUG, and on the screen with
                `kedro --verbose run`.
            Exit: With the code 130, as shells expect it, on Ctrl-C.
        """
        from roadseg.records.mlflow_run import MLflowRun  # for these two no other command needs to wait
        from roadseg.records.recorder import RunRecorder

        recorder = RunRecorder(_describe_end, MLflowRun() if find_spec("kedro_mlflow") else None)
        self._hook_manager.register(recorder)
        with _told_in_a_sentence(), recorder:
            _check_runner(kwargs.get("runner"))
            return super().run(*args, **kwargs)


def _check_runner(runner: AbstractRunner | None) -> None:
    if runner is not None and not isinstance(runner, SequentialRunner | ThreadRunner):
        raise ValueError(
            f"{type(runner).__name__} runs nodes in other processes, and the record of the run would not see what they "
            f"load and save: leave out --runner, or give ThreadRunner; prepare shares its work among all cores anyway"
        )


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except FAULTS as fault:
        if KedroCliError.VERBOSE_ERROR:
            raise
        logger.debug("The run failed", exc_info=True)
        raise ClickException(describe_fault(fault)) from fault
    except KeyboardInterrupt:
        logger.warning("Aborted by Ctrl-C")
        atexit.register(_leave_at_once)
        raise Exit(INTERRUPTED) from None


def _describe_end(fault: BaseException) -> str:
    return describe_fault(fault) if isinstance(fault, FAULTS) else repr(fault)


def _leave_at_once() -> None:
    # TensorFlow's threads, stopped amid a step, would end the interpreter with a fault and another exit code.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def describe_fault(fault: Exception) -> str:
    """Returns the sentence that matters, without what Kedro and pydantic put around it."""
    if isinstance(fault, ParameterValidationError):
        return _describe_options(str(fault))
    if isinstance(fault, ValidationError):
        facts = ((".".join(map(str, each["loc"])), each["msg"], each["input"]) for each in fault.errors())
        return "; ".join(f"{fault.title} {key}: {expected}, received {received!r}" for key, expected, received in facts)
    inner = fault.__cause__ if isinstance(fault, DatasetError) and WRAPPED.search(str(fault)) else None
    return describe_fault(inner) if isinstance(inner, FAULTS) else str(fault)


def _describe_options(message: str) -> str:
    parameter, sentences = "", []
    for name, key, expectation, received in OPTION.findall(message):
        parameter = name or parameter
        expected = expectation.removeprefix("Value error, ")
        expected = expected.replace("Extra inputs are not permitted", "there is no such parameter")
        if key:
            sentences.append(f"{parameter}.{key}: {expected[0].lower()}{expected[1:]}, received {received}")
        elif expected:
            sentences.append(f"{parameter}: {expected}")
    return "; ".join(sentences) or message
