"""Several hosts that train together: processes of this machine."""

import signal
import time
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from training.hosts import end, read_learnt, start_hosts, wait_for_epoch

pytestmark = pytest.mark.scale

SLOWLY = {"SECONDS_PER_SCENE": "0.1"}


def train(count: int, folder: Path, *options: str) -> list[str]:
    codes, outputs = end(start_hosts(count, folder, *options))
    assert codes == [0] * count, outputs
    return outputs


def check_equal(folder: Path, other: Path, name: object = 0, as_learnt_by: object = "alone") -> None:
    ours, theirs = read_learnt(folder, name), read_learnt(other, as_learnt_by)
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        assert ours[key] == pytest.approx(values, abs=1e-5), key


def list_read(folder: Path, name: object) -> list[str]:
    return (folder / f"read_by_{name}.txt").read_text().split()


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_hosts_learn_what_one_learns_and_each_reads_its_part_alone(tmp_path, count):
    train(1, tmp_path / "one")
    train(count, tmp_path / "more")
    check_equal(tmp_path / "more", tmp_path / "one")
    for number in range(1, count):
        learnt = read_learnt(tmp_path / "more", number)
        assert learnt == {key: read_learnt(tmp_path / "more", 0)[key] for key in learnt}
    reads = [list_read(tmp_path / "more", number) for number in range(count)]
    all_reads = list_read(tmp_path / "one", "alone")
    assert [len(each) for each in reads] == [len(all_reads) // count] * count
    assert Counter(chain.from_iterable(reads)) == Counter(all_reads)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_host_ends_the_others_with_a_sentence_and_all_go_on_after_the_last_finished_epoch(tmp_path, killed):
    train(1, tmp_path / "one", "epochs=4")
    hosts = start_hosts(2, tmp_path / "two", "epochs=4", environment=SLOWLY)
    wait_for_epoch(tmp_path / "two", 2, hosts)
    hosts[killed].kill()
    killed_at = time.monotonic()
    codes, outputs = end(hosts)
    assert time.monotonic() - killed_at < 60
    other = 1 - killed
    assert codes[other] == 1, outputs[other]
    assert (
        f"Error: host {killed} was killed or can no longer be reached; start all hosts again, and the training "
        f"continues after its last finished epoch\n"
    ) in outputs[other]
    assert "Traceback" not in outputs[other]
    train(2, tmp_path / "two", "epochs=4")
    check_equal(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "asked", "expected"),
    # After Ctrl-C host 0 goes on with the best epoch so far, and so do its helpers if nobody asked them to end.
    [(signal.SIGINT, 0, [0, 0]), (signal.SIGINT, 1, [0, 130]), (signal.SIGTERM, 1, [143, 143])],
)
def test_a_signal_to_one_host_ends_all_after_the_same_step_and_all_can_go_on(tmp_path, number, asked, expected):
    train(1, tmp_path / "one", "epochs=4")
    hosts = start_hosts(2, tmp_path / "two", "epochs=4", environment=SLOWLY)
    wait_for_epoch(tmp_path / "two", 1, hosts)
    hosts[asked].send_signal(number)
    codes, outputs = end(hosts)
    assert codes == expected, outputs
    finished = len(read_learnt(tmp_path / "two", 0)["loss"])
    assert finished in (1, 2, 3)
    train(2, tmp_path / "two", "epochs=4")
    check_equal(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_a_fault_on_one_host_is_told_on_all(tmp_path):
    codes, outputs = end(start_hosts(2, tmp_path, environment={"BROKEN_SCENE": "3"}))
    assert codes == [1, 1], outputs
    assert sorted("host" in output.splitlines()[-1] for output in outputs) == [False, True]
    assert all(output.splitlines()[-1].endswith("scene 3 is broken") for output in outputs)


@pytest.mark.slow
def test_a_host_that_would_do_another_training_is_refused_on_all(tmp_path):
    codes, outputs = end(start_hosts(2, tmp_path, only_host_0=["jit_compile=false"]))
    assert codes == [1, 1], outputs
    for output in outputs:
        assert output.splitlines()[-1] == (
            "Error: host 1 would not do the training of host 0: give all hosts the same command, parameters, code, "
            "packages, data and kind of device"
        ), output


@pytest.mark.slow
def test_batches_that_hosts_cant_share_are_refused(tmp_path):
    codes, outputs = end(start_hosts(2, tmp_path, "batch_size=5"))
    assert codes == [1, 1]
    for output in outputs:
        assert output.splitlines()[-1].endswith(
            "train.batch_size is 5, but 2 hosts with 1 devices each share every batch: set it to a multiple of 2"
        ), output


@pytest.mark.slow
def test_a_host_that_does_not_come_is_not_waited_for_without_end(tmp_path):
    hosts = start_hosts(2, tmp_path, environment={"ROADSEG_WAIT_FOR_HOSTS": "5"})
    hosts[1].kill()
    codes, outputs = end(hosts)
    assert codes[0] == 1
    assert "2 hosts (KERAS_DISTRIBUTION_NUM_PROCESSES) did not meet at 127.0.0.1:" in outputs[0].splitlines()[-1]
