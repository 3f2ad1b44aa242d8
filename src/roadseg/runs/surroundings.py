"""What a run can see of where it takes place: the git commit, the packages, the machine."""

import os
import platform
import shlex
import sys
from importlib.metadata import distributions
from pathlib import Path

from roadseg.datasets.run_records import Place
from roadseg.machine import describe_machine, run_program


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
    commit = run_program("git", "-C", str(folder), "rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, bool(run_program("git", "-C", str(folder), "status", "--porcelain"))


def list_packages() -> dict[str, str]:
    """Returns the version of Python and of each installed package, by name."""
    versions = {each.name: each.version for each in distributions() if each.name}
    return {"python": platform.python_version()} | dict(sorted(versions.items()))


def describe_place() -> Place:
    """Returns this machine with its name, and this process."""
    return Place(host=platform.node(), process=os.getpid(), **describe_machine().model_dump())


def find_backend() -> str | None:
    """Returns the backend of Keras, or None where nothing has imported it: that would take seconds."""
    keras = sys.modules.get("keras")
    return keras.config.backend() if keras else None
