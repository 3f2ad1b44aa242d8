import pytest

from roadseg.errors import InputError
from roadseg.hosts import Hosts, read_hosts

GIVEN = {"KERAS_DISTRIBUTION_NUM_PROCESSES": "4", "KERAS_DISTRIBUTION_JOB_ADDRESSES": "node1:29400"}


@pytest.mark.parametrize(
    "environment",
    [{}, {"KERAS_DISTRIBUTION_NUM_PROCESSES": "1"}, {"SLURM_PROCID": "3", "JOB_COMPLETION_INDEX": "3"}],
)
def test_a_process_is_alone_unless_it_is_told_how_many_there_are(environment):
    assert read_hosts(environment) is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"KERAS_DISTRIBUTION_PROCESS_ID": "0"}, Hosts(4, 0, "node1:29400", 300)),
        ({"KERAS_DISTRIBUTION_PROCESS_ID": "2", "SLURM_PROCID": "0"}, Hosts(4, 2, "node1:29400", 300)),
        ({"SLURM_PROCID": "3"}, Hosts(4, 3, "node1:29400", 300)),
        ({"OMPI_COMM_WORLD_RANK": "1", "ROADSEG_WAIT_FOR_HOSTS": "20"}, Hosts(4, 1, "node1:29400", 20)),
        (
            {"JOB_COMPLETION_INDEX": "1", "KERAS_DISTRIBUTION_JOB_ADDRESSES": "node1:29400,node2:29400"},
            Hosts(4, 1, "node1:29400", 300),
        ),
    ],
)
def test_environment_says_how_many_hosts_there_are_and_which_this_is(more, expected):
    assert read_hosts(GIVEN | more) == expected
    assert read_hosts(GIVEN | more).is_first == (expected.number == 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"KERAS_DISTRIBUTION_JOB_ADDRESSES": ""},
            "set KERAS_DISTRIBUTION_JOB_ADDRESSES too, to the address of",
        ),
        ({"KERAS_DISTRIBUTION_JOB_ADDRESSES": "node1"}, "expected a name and a port, such as node1:29400, received 'n"),
        (
            {},
            "KERAS_DISTRIBUTION_NUM_PROCESSES is 4: set KERAS_DISTRIBUTION_PROCESS_ID too, to the number",
        ),
        ({"SLURM_PROCID": "4"}, r"SLURM_PROCID: expected a number below 4 \(KERAS_DISTRIBUTION_NUM_PROCESSES\), rec"),
        ({"SLURM_PROCID": "one"}, "SLURM_PROCID: expected a whole number from 0, received 'one'"),
        ({"KERAS_DISTRIBUTION_NUM_PROCESSES": "0"}, "NUM_PROCESSES: expected a whole number from 1, received '0'"),
        (
            {"SLURM_PROCID": "1", "ROADSEG_WAIT_FOR_HOSTS": "0"},
            "WAIT_FOR_HOSTS: expected a whole number from 1",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        read_hosts(GIVEN | changes)
