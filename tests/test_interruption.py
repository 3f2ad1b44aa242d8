"""SIGTERM in this process; in whole runs it is tested in runs/test_training_again.py and runs/test_termination.py."""

import signal
import subprocess
import sys
import time
from threading import Thread

import pytest

from roadseg import interruption
from roadseg.interruption import TerminatedError, Termination, is_termination_asked_for, postponed_termination


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def test_sigterm_ends_what_is_at_hand_as_ctrl_c_does_and_is_given_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    assert not is_termination_asked_for()
    with Termination():
        assert not is_termination_asked_for()
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
            terminate()
        assert is_termination_asked_for()
    assert not is_termination_asked_for()
    assert (signal.getsignal(signal.SIGTERM), sys.unraisablehook) == before


def test_postponed_it_raises_nothing_and_can_be_seen() -> None:
    with Termination():
        with postponed_termination():
            terminate()
        assert is_termination_asked_for()


def test_whatever_it_led_to_ends_as_a_termination() -> None:
    def swallow() -> None:
        try:
            terminate()
        except TerminatedError:
            raise ImportError("numpy.core.multiarray failed to import") from None

    with Termination() as termination, pytest.raises(TerminatedError), termination.heeded():
        swallow()
    with Termination() as termination, pytest.raises(ValueError, match="other"), termination.heeded():
        raise ValueError("other")


def test_the_same_one_twice_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(interruption.os, "_exit", left.append)
    with Termination(), postponed_termination():
        terminate()
        terminate()
        assert left == []
        time.sleep(1.1 * interruption.TOGETHER)
        terminate()
        assert left == [143]


def test_swallowed_by_a_destructor_it_comes_again(capfd: pytest.CaptureFixture[str]) -> None:
    class Greedy:
        def __del__(self) -> None:
            terminate()

    def wait() -> None:
        Greedy()
        time.sleep(10)

    with Termination(), pytest.raises(TerminatedError):
        wait()
    assert capfd.readouterr().err == ""


def test_outside_the_main_thread_and_where_it_is_ignored_nothing_is_changed() -> None:
    def run() -> None:
        with Termination():
            seen.append(signal.getsignal(signal.SIGTERM))

    seen: list[object] = []
    thread = Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen[1] is signal.SIG_IGN


STUBBORN = """
import time
from roadseg.interruption import Termination, postponed_termination
with Termination(), postponed_termination():
    print("ready", flush=True)
    time.sleep(60)
"""


def test_the_second_one_ends_the_process_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        time.sleep(2 * interruption.TOGETHER)
        assert process.poll() is None
        process.terminate()
        assert process.wait(5) == 143
