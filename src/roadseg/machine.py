"""The machine that this process runs on, described the same for models, scores and records of runs."""

import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from pydantic import BaseModel

CPU_INFO = Path("/proc/cpuinfo")
"""Where Linux names the processor."""


class Machine(BaseModel, frozen=True):
    """A machine; None means that a value was not recorded when the record was written.

    Attributes:
        platform: Operating system with its version and the processor architecture.
        system: Operating system and processor architecture alone.
        processor: Model of the processor.
        cores: Those that the process may use.
        memory: Bytes.
        gpus: Names of the NVIDIA GPUs.
        python: Version of Python.
    """

    platform: str | None = None
    system: str | None = None
    processor: str | None = None
    cores: int | None = None
    memory: int | None = None
    gpus: tuple[str, ...] | None = None
    python: str | None = None


@cache  # asking for GPUs starts a program, and nothing of this changes while the process runs
def describe_machine() -> Machine:
    """Returns what this machine is."""
    import psutil  # these two only where a run needs them
    from joblib import cpu_count

    gpus = run_program("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or ""
    return Machine(
        platform=platform.platform(),
        system=f"{platform.system()} {platform.machine()}",
        processor=name_processor(),
        cores=cpu_count(),
        memory=psutil.virtual_memory().total,
        gpus=tuple(gpus.splitlines()),
        python=platform.python_version(),
    )


def name_processor() -> str:
    """Returns the model of the processor where Linux tells it, else its architecture."""
    lines = CPU_INFO.read_text("utf-8").splitlines() if CPU_INFO.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def run_program(program: str, *arguments: str) -> str | None:
    """Returns what a program prints, or None if it is not there or fails."""
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, *arguments], capture_output=True, check=False)  # noqa: S603 - looked up above
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
