"""Ends a run after SIGTERM before its next node."""

from kedro.framework.hooks import hook_impl

from roadseg.interruption import TerminatedError, is_termination_asked_for


class TerminationHooks:
    """Ends a run after SIGTERM before its next node, where the node before ended by itself."""

    @hook_impl
    def before_dataset_loaded(self) -> None:
        """Lets no node start.

        Raises:
            TerminatedError: If SIGTERM has come.
        """
        if is_termination_asked_for():
            raise TerminatedError
