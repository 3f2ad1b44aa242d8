"""What ends a run after SIGTERM, where the node that was at work ended by itself."""

import signal

import pytest

from roadseg.hooks.termination import TerminationHooks
from roadseg.interruption import TerminatedError, Termination, postponed_termination


def test_after_sigterm_no_node_loads_anything() -> None:
    hooks = TerminationHooks()
    hooks.before_dataset_loaded()
    with Termination():
        hooks.before_dataset_loaded()
        with postponed_termination():
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(TerminatedError):
            hooks.before_dataset_loaded()
    hooks.before_dataset_loaded()
