"""Which values differ between two nested mappings, such as the parameters of two runs."""

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = "-"
"""Stands where one of the two lacks a name."""


def compare_values(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns what differs between two mappings, which may be nested: dotted name -> both values.

    Examples:
        >>> compare_values({"train": {"epochs": 3, "seed": 1}}, {"train": {"epochs": 5, "seed": 1}, "width": 2})
        {'train.epochs': (3, 5), 'width': ('-', 2)}
    """
    ours, theirs = dict(_flatten(first)), dict(_flatten(second))
    pairs = {name: (ours.get(name, MISSING), theirs.get(name, MISSING)) for name in {**ours, **theirs}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
