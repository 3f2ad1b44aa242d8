"""The pipelines that `kedro run` knows."""

from difflib import get_close_matches
from pkgutil import iter_modules

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from roadseg.errors import InputError
from roadseg.pipelines import __path__ as folder

DEFAULT = ("prepare", "train", "evaluate")
"""What a plain `kedro run` runs; another pipeline runs only where it is asked for."""


def register_pipelines() -> dict[str, Pipeline]:
    """Returns all pipelines, each under its name, and those of `DEFAULT` together as the default.

    Raises:
        InputError: If there is no pipeline of a name that is asked for, or if Keras can't start, which training and
            scoring need.
    """
    try:
        pipelines = find_pipelines(raise_errors=True)
    except ImportError as fault:
        if fault.__cause__:
            raise fault.__cause__ from None
        name = str(fault).partition(".pipelines.")[2].partition("'")[0]
        known = sorted(module.name for module in iter_modules(folder) if module.ispkg)
        close = get_close_matches(name, known, 1) or known
        raise InputError(f"there is no pipeline '{name}'; did you mean {' or '.join(close)}?") from fault
    if "__default__" in pipelines:  # else Kedro has loaded only those that a command asks for
        pipelines["__default__"] = sum((pipelines[name] for name in DEFAULT), Pipeline([]))
    return pipelines
