"""Processes that train one network together, as hosts do."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HOST = Path(__file__).parent / "host.py"

NO_TENSORFLOW = "raise ImportError('these hosts have JAX alone')\n"


def start_hosts(
    count: int,
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    only_host_0: Sequence[str] = (),
) -> list[subprocess.Popen[str]]:
    """Starts so many hosts of a training in a folder, with options for all and for host 0; 1 trains alone."""
    blocked = folder / "blocked/tensorflow"  # it takes seconds to load, only to write for TensorBoard
    blocked.mkdir(parents=True, exist_ok=True)
    (blocked / "__init__.py").write_text(NO_TENSORFLOW)
    common = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(blocked.parent), *sys.path]),
        **(environment or {}),
    }
    return [
        subprocess.Popen(
            [sys.executable, str(HOST), str(folder), *options, *([] if number else only_host_0)],
            env=common | each,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, each in enumerate(name_hosts(count))
    ]


def name_hosts(count: int) -> list[dict[str, str]]:
    """Returns the environment variables that make processes the hosts of one training."""
    if count == 1:
        return [{}]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return [
        {
            "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
            "KERAS_DISTRIBUTION_NUM_PROCESSES": str(count),
            "KERAS_DISTRIBUTION_PROCESS_ID": str(number),
        }
        for number in range(count)
    ]


def end(hosts: list[subprocess.Popen[str]], seconds: float = 400) -> tuple[list[int], list[str]]:
    """Returns the exit codes and outputs of hosts; kills those that do not end in time."""
    last = time.monotonic() + seconds
    try:
        outputs = [each.communicate(timeout=max(last - time.monotonic(), 0.1))[0] for each in hosts]
    finally:
        for each in hosts:
            each.kill()
    return [each.returncode for each in hosts], outputs


def wait_for_epoch(folder: Path, epoch: int, hosts: list[subprocess.Popen[str]]) -> None:
    """Waits until the checkpoint of a training has the state after an epoch, counted from 1."""
    history = folder / "state/history.csv"
    while not history.exists() or len(history.read_text().splitlines()) <= epoch:
        assert all(each.poll() is None for each in hosts), end(hosts)
        time.sleep(0.02)


def read_learnt(folder: Path, name: object) -> dict:
    """Returns the history of a training on a host, and of host 0 the mean logits of its network."""
    return json.loads((folder / f"learnt_by_{name}.json").read_text())
