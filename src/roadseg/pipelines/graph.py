"""Which pipelines make and read a data set, and what it is made from, in all pipelines together."""

from collections.abc import Collection, Iterable

from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node


def find_makers(name: str) -> list[str]:
    """Returns the names of the pipelines that make a data set."""
    return [maker for maker, each in _list_pipelines() if name in each.all_outputs()]


def find_readers(name: str) -> list[str]:
    """Returns the names of the pipelines that read a data set and do not make it."""
    return [reader for reader, each in _list_pipelines() if name in each.inputs()]


def find_origins(name: str, among: Collection[str], *, until: str) -> set[str]:
    """Returns from which of some data sets, or together with which of them, another is made.

    Args:
        name: The data set that is made.
        among: Those that are looked for.
        until: One of them; what only this one is made from does not count.
    """
    makers = _map_makers({name, *among} - {until})
    found: set[str] = set()
    seen, waiting = {until}, [name]
    while waiting:
        each = waiting.pop()
        node = makers.get(each)
        if node is not None and each not in seen:
            found.update({*node.inputs, *node.outputs} - {each})
            waiting += node.inputs
        seen.add(each)
    return found & set(among)


def _list_pipelines() -> list[tuple[str, Pipeline]]:
    """Returns all pipelines but the default by name; Kedro has loaded only those that this run asks for."""
    pipelines.set_requested(None)
    return sorted((name, each) for name, each in pipelines.items() if name != "__default__")


def _map_makers(names: Collection[str]) -> dict[str, Node]:
    """Returns which node makes each data set, in the loaded pipelines if they make all of these, else in all."""
    loaded = _map_nodes(pipelines.values())
    # Only `prepare` makes all of them without the others, and the others take seconds to load.
    return loaded if set(names) <= loaded.keys() else _map_nodes(each for _, each in _list_pipelines())


def _map_nodes(of: Iterable[Pipeline]) -> dict[str, Node]:
    return {output: node for each in of for node in each.nodes for output in node.outputs}
