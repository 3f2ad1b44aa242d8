"""Nested mappings, such as the parameters of two runs: their values, and which of them differ."""

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = "-"
"""In the place of a value that one of the two lacks."""


def compare_values(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns what differs between two mappings, which may be nested: dotted name -> both values.

    Examples:
        >>> compare_values({"train": {"epochs": 3, "seed": 1}}, {"train": {"epochs": 5, "seed": 1}, "width": 2})
        {'train.epochs': (3, 5), 'width': ('-', 2)}
    """
    ours, theirs = flatten_values(first), flatten_values(second)
    pairs = {name: (ours.get(name, MISSING), theirs.get(name, MISSING)) for name in {**ours, **theirs}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def flatten_values(values: Mapping[str, Any], separator: str = ".") -> dict[str, Any]:
    """Returns the values of a mapping, which may be nested, by joined names.

    Examples:
        >>> flatten_values({"train": {"epochs": 3, "loss": {"kind": "focal"}}, "seed": 1})
        {'train.epochs': 3, 'train.loss.kind': 'focal', 'seed': 1}
    """
    return dict(_flatten(values, separator))


def _flatten(values: Mapping[str, Any], separator: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, separator, f"{prefix}{name}{separator}")
        else:
            yield f"{prefix}{name}", value
