"""The hosts that train one network together: how many there are, and which of them this process is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from roadseg.errors import InputError

ADDRESS = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
NUMBERS = ("KERAS_DISTRIBUTION_PROCESS_ID", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "JOB_COMPLETION_INDEX")
"""Environment variables of Keras and, for the number of a host, of launchers; the first one that is set counts.

A launcher that only starts several processes does not make them hosts of one training: they may be trainings of
different seeds. So it takes the first two.
"""

PATIENCE = "ROADSEG_WAIT_FOR_HOSTS"
"""Environment variable with the seconds in which all hosts must have started."""

DEFAULT_PATIENCE = 300


@dataclass(frozen=True)
class Hosts:
    """The hosts that train one network together, and which of them this process is.

    Attributes:
        count: How many, 2 or more.
        number: Of this one, from 0. Host 0 writes all files.
        address: Where host 0 listens, `name:port`.
        patience: Seconds in which all of them must have started.
    """

    count: int
    number: int
    address: str
    patience: int

    @property
    def is_first(self) -> bool:
        """Whether this is host 0."""
        return self.number == 0


def read_hosts(environment: Mapping[str, str] = os.environ) -> Hosts | None:
    """Returns the hosts that environment variables name; None if this process trains without others.

    Raises:
        InputError: If a variable is missing, or its value is none that it can have.
    """
    if COUNT not in environment:
        return None
    count = _read_number(environment, COUNT, least=1)
    if count == 1:
        return None
    if not (address := environment.get(ADDRESS, "").partition(",")[0]):
        raise InputError(f"{COUNT} is {count}: set {ADDRESS} too, to the address of host 0, such as node1:29400")
    if not address.rpartition(":")[2].isdecimal():
        raise InputError(f"{ADDRESS}: expected a name and a port, such as node1:29400, received '{address}'")
    source = next((name for name in NUMBERS if name in environment), None)
    if source is None:
        raise InputError(f"{COUNT} is {count}: set {NUMBERS[0]} too, to the number of this host, from 0")
    number = _read_number(environment, source, least=0)
    if number >= count:
        raise InputError(f"{source}: expected a number below {count} ({COUNT}), received {number}")
    patience = _read_number(environment, PATIENCE, least=1) if PATIENCE in environment else DEFAULT_PATIENCE
    return Hosts(count, number, address, patience)


def _read_number(environment: Mapping[str, str], name: str, least: int) -> int:
    text = environment[name]
    if not text.isdecimal() or int(text) < least:
        raise InputError(f"{name}: expected a whole number from {least}, received '{text}'")
    return int(text)
