"""The session of a run: a fault that the user can mend ends it with one sentence, not with a traceback."""

import atexit
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from click.exceptions import Exit
from kedro.framework.session import KedroSession
from kedro.runner import AbstractRunner, SequentialRunner, ThreadRunner

from roadseg.errors import InputError
from roadseg.interruption import EXIT_CODE, TerminatedError, Termination
from roadseg.pipeline_registry import complete_names
from roadseg.sentences import describe_fault, is_mendable, told_in_a_sentence

logger = logging.getLogger(__name__)

INTERRUPTED = 130


class RoadSegSession(KedroSession):
    """A Kedro session that records its run, and separates faults of data and parameters from faults of the program."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Runs as `KedroSession.run` does, with a runner whose nodes run in this process.

        Raises:
            ClickException: If a user can correct the fault, see `told_in_a_sentence`.
            Exit: With the code 130 on Ctrl-C and 143 on SIGTERM, as shells expect it.
        """
        from roadseg.runs.mlflow_run import MLflowRun  # for these two no other command needs to wait
        from roadseg.runs.recorder import RunRecorder

        recorder = RunRecorder(_describe_end, MLflowRun() if find_spec("kedro_mlflow") else None)
        self._hook_manager.register(recorder)
        with Termination() as termination, told_in_a_sentence(), _ended_by_signals(), recorder, termination.heeded():
            _check_runner(kwargs.get("runner"))
            for option in ("node_names", "from_nodes", "to_nodes"):
                if kwargs.get(option):
                    kwargs[option] = complete_names(kwargs[option], kwargs.get("pipeline_names"))
            return super().run(*args, **kwargs)


def _check_runner(runner: AbstractRunner | None) -> None:
    if runner is not None and not isinstance(runner, SequentialRunner | ThreadRunner):
        raise InputError(
            f"{type(runner).__name__} runs nodes in other processes, so the run record would miss what they load and "
            f"save: leave out --runner, or give ThreadRunner; prepare shares its work among all cores anyway"
        )


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as interrupt:
        is_terminated = isinstance(interrupt, TerminatedError)
        code = EXIT_CODE if is_terminated else INTERRUPTED
        logger.warning("Aborted by %s", "SIGTERM" if is_terminated else "Ctrl-C")
        atexit.register(_leave_at_once, code)
        raise Exit(code) from None


def _describe_end(fault: BaseException) -> str:
    return describe_fault(fault) if is_mendable(fault) else repr(fault)


def _leave_at_once(code: int) -> None:
    # TensorFlow's threads, stopped during a step, would crash the interpreter, with another exit code.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
