import signal

import pytest

from roadseg.interruption import TerminatedError, Termination
from roadseg.training.callbacks import Interruption, TrainingInterruptedError


def test_sigterm_waits_for_a_step_once_an_epoch_of_this_process_is_finished(caplog):
    before = signal.getsignal(signal.SIGINT)
    with Termination(), Interruption(finished=3) as interruption:
        interruption.on_train_batch_end(0)
        interruption.on_epoch_end(3)
        interruption.on_train_batch_end(0)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(TrainingInterruptedError):
            interruption.on_train_batch_end(1)
    assert signal.getsignal(signal.SIGINT) is before
    assert "SIGTERM: training ends with its best epoch so far; the same command continues it" in caplog.text


def test_sigterm_waits_for_no_step_before(caplog):
    with Termination() as termination, Interruption(finished=3), pytest.raises(TerminatedError):
        signal.raise_signal(signal.SIGTERM)
    assert termination.is_asked_for
    assert caplog.text == ""


def test_without_sigterm_training_goes_on_to_its_end():
    with Termination(), Interruption(finished=0) as interruption:
        for epoch in range(2):
            interruption.on_train_batch_end(0)
            interruption.on_test_batch_end(0)
            interruption.on_epoch_end(epoch)
