"""What a run can see of where it takes place: the git commit, the packages, the machine."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import psutil

from roadseg.datasets.run_records import Machine


def describe_command() -> str:
    """Returns the command line of this process, with the name of the program instead of its path."""
    return shlex.join([name_program(), *sys.argv[1:]])


def name_program() -> str:
    """Returns the name of the program that this process runs, such as `kedro`, also where it is run as a module."""
    path = Path(sys.argv[0])
    name = path.parent.name if path.stem == "__main__" else path.name
    return name.removeprefix("python -m ")


def find_commit(folder: Path) -> tuple[str | None, bool | None]:
    """Returns the commit that is checked out in a folder, and whether files differ from it.

    Both are None where there is no git, no checkout, or no commit in it.
    """
    commit = _ask("git", "-C", str(folder), "rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, bool(_ask("git", "-C", str(folder), "status", "--porcelain"))


def list_packages() -> dict[str, str]:
    """Returns the version of Python and of each installed package, by name."""
    versions = {each.name: each.version for each in distributions() if each.name}
    return {"python": platform.python_version()} | dict(sorted(versions.items()))


def describe_machine() -> Machine:
    """Returns what this machine is."""
    gpus = _ask("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or ""
    return Machine(
        host=platform.node(),
        process=os.getpid(),
        system=f"{platform.system()} {platform.machine()}",
        cores=psutil.cpu_count(),
        memory=psutil.virtual_memory().total,
        gpus=tuple(gpus.splitlines()),
    )


def find_backend() -> str | None:
    """Returns the backend of Keras, or None where nothing has imported it: that would take seconds."""
    keras = sys.modules.get("keras")
    return keras.config.backend() if keras else None


def _ask(program: str, *arguments: str) -> str | None:
    """Returns what a program prints, or None if it is not there or fails."""
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, *arguments], capture_output=True, check=False)  # noqa: S603 - asked above
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
