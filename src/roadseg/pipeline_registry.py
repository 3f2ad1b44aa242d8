"""The pipelines that `kedro run` knows."""

from collections.abc import Sequence
from difflib import get_close_matches
from pkgutil import iter_modules

from kedro.framework.project import find_pipelines, pipelines
from kedro.pipeline import Pipeline

from roadseg.errors import InputError
from roadseg.pipelines import __path__ as folder

DEFAULT = ("prepare", "train", "evaluate")
"""What a plain `kedro run` runs; other pipelines run only if they are asked for."""


def register_pipelines() -> dict[str, Pipeline]:
    """Returns all pipelines, each under its name, and those of `DEFAULT` together as the default.

    Raises:
        InputError: If there is no pipeline of a name that is asked for, or if Keras can't start, which training and
            scoring need.
    """
    try:
        found = find_pipelines(raise_errors=True)
    except ImportError as fault:
        if fault.__cause__:
            raise fault.__cause__ from None
        name = str(fault).partition(".pipelines.")[2].partition("'")[0]
        known = sorted(module.name for module in iter_modules(folder) if module.ispkg)
        close = get_close_matches(name, known, 1) or known
        raise InputError(f"there is no pipeline '{name}'; did you mean {' or '.join(close)}?") from fault
    if "__default__" in found:  # else Kedro has loaded only those that a command asks for
        found["__default__"] = sum((found[name] for name in DEFAULT), Pipeline([]))
    return found


def complete_names(names: Sequence[str], asked_for: Sequence[str] | None) -> list[str]:
    """Returns the names of nodes as Kedro knows them, with their namespaces: `train.draw_curves` for `draw_curves`.

    Args:
        names: With their namespaces or without.
        asked_for: The pipelines that they are in; None is the default one.

    Raises:
        InputError: If one of these pipelines has no node of a name.
    """
    pipelines.set_requested(list(asked_for) if asked_for else None)
    chosen = [pipelines[each] for each in asked_for or ["__default__"] if each in pipelines]
    full = {node.short_name: node.name for each in chosen for node in each.nodes}
    known = full | {name: name for name in full.values()}
    for name in names:
        if chosen and name not in known:
            close = get_close_matches(name, known, 1) or sorted(full)
            raise InputError(f"there is no node '{name}' in this run; did you mean {' or '.join(close)}?")
    return [known.get(name, name) for name in names]
