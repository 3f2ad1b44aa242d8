"""The session of a run: a fault that the user can mend ends it with one sentence, not with a traceback."""

import atexit
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

from click.exceptions import Exit
from kedro.framework.session import KedroSession
from kedro.runner import AbstractRunner, SequentialRunner, ThreadRunner

from roadseg.errors import InputError
from roadseg.hooks.continuation import ContinuationHooks
from roadseg.hooks.hosts import TRAINING, HostHooks
from roadseg.hooks.parameters import ParameterHooks
from roadseg.hooks.provenance import ProvenanceHooks
from roadseg.hooks.termination import TerminationHooks
from roadseg.hooks.versions import VersionHooks
from roadseg.hosts import COUNT, Hosts, read_hosts
from roadseg.interruption import EXIT_CODE, TerminatedError, Termination
from roadseg.meeting import Meeting
from roadseg.pipeline_registry import complete_names
from roadseg.sentences import describe_fault, is_mendable, told_in_a_sentence

logger = logging.getLogger(__name__)

INTERRUPTED = 130

HELPING = (ParameterHooks, ProvenanceHooks, VersionHooks, ContinuationHooks, TerminationHooks, HostHooks)
"""Hooks on a host that helps host 0; others, and those of Kedro's plugins, write files, which host 0 does already."""


class RoadSegSession(KedroSession):
    """A Kedro session that records its run, and separates faults of data and parameters from faults of the program."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Runs as `KedroSession.run` does, with a runner whose nodes run in this process.

        Raises:
            ClickException: If a user can correct the fault, see `told_in_a_sentence`.
            Exit: With the code 130 on Ctrl-C and 143 on SIGTERM, as shells expect it.
        """
        with Termination() as termination, told_in_a_sentence(), _ended_by_signals():
            hosts = read_hosts()
            if hosts and not hosts.is_first:
                with _joined(hosts) as meeting, termination.heeded():
                    return self._help(meeting)
            with self._recorded(), _joined(hosts), termination.heeded():
                _check_runner(kwargs.get("runner"))
                for option in ("node_names", "from_nodes", "to_nodes"):
                    if kwargs.get(option):
                        kwargs[option] = complete_names(kwargs[option], kwargs.get("pipeline_names"))
                return super().run(*args, **kwargs)

    def _recorded(self) -> AbstractContextManager[Any]:
        from roadseg.runs.mlflow_run import MLflowRun  # for these two no other command needs to wait
        from roadseg.runs.recorder import RunRecorder

        recorder = RunRecorder(_describe_end, MLflowRun() if find_spec("kedro_mlflow") else None)
        self._hook_manager.register(recorder)
        return recorder

    def _help(self, meeting: Meeting) -> dict[str, Any]:
        """Takes part in the training of the run of host 0, and in nothing else; writes nothing."""
        hosts, told = meeting.hosts, meeting.hear(TRAINING)
        if told is None:
            logger.info("Host %d of %d had nothing to do: the run of host 0 has no training", *_count(hosts))
            return {}
        plan = json.loads(told)
        logger.info("Host %d of %d helps with the training of run %s", *_count(hosts), plan["run"])
        for plugin in self._hook_manager.get_plugins():
            if not isinstance(plugin, HELPING):
                self._hook_manager.unregister(plugin)
        logging.getLogger("roadseg").setLevel(logging.WARNING)
        self._store["session_id"] = plan["run"]
        return super().run(pipeline_names=["train"], load_versions=plan["versions"])


def _count(hosts: Hosts) -> tuple[int, int]:
    return hosts.number, hosts.count


@contextmanager
def _joined(hosts: Hosts | None) -> Iterator[Any]:
    """Connects this host to the others of its training, if there are any."""
    if hosts is None:
        yield None
        return
    from roadseg.segnet.backend import name_backend  # brings Keras

    if (backend := name_backend()) != "jax":
        raise InputError(
            f"{COUNT} is {hosts.count}, but Keras' backend is {backend}, with which it trains on one host only: "
            f"set KERAS_BACKEND to jax on all hosts, or unset {COUNT}"
        )
    with Meeting(hosts, lambda fault: describe_fault(fault) if is_mendable(fault) else None) as meeting:
        yield meeting


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
