"""YAML files that people write: one sentence says what is wrong, with the name of the file and the line."""

from collections.abc import Iterator
from typing import Any

import yaml

from roadseg.errors import InputError

MERGE = "tag:yaml.org,2002:merge"
"""Tag of the key `<<`, which may occur several times."""

TEXT = "tag:yaml.org,2002:str"


def read_mapping(content: bytes, name: str) -> dict[str, Any]:
    """Returns what a YAML file of keys and values says; an empty file says nothing.

    Args:
        content: Of the file.
        name: Of the file, as messages are to begin.

    Raises:
        InputError: As `list_keys` does.
    """
    list_keys(content, name)
    text = content.decode("utf-8")
    try:
        mapping: dict[str, Any] = yaml.safe_load(text) or {}
        return mapping
    except yaml.YAMLError as fault:
        raise InputError(f"{name}, {describe_yaml_fault(fault, text)}") from fault
    except ValueError as fault:  # of a value with a tag such as !!int
        raise InputError(f"{name}: {fault}") from fault


def list_keys(content: bytes, name: str) -> list[str]:
    """Returns the keys at the top of a YAML file of keys and values.

    Args:
        content: Of the file.
        name: Of the file, as messages are to begin.

    Raises:
        InputError: If it is not UTF-8 or not YAML, if it is a list or a single value, if one of its keys is not text,
            or if a key occurs twice: PyYAML would drop the first.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise InputError(
            f"{name}, line {line}: the byte {content[fault.start]:#04x} is not UTF-8 text; save the file as UTF-8"
        ) from fault
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as fault:
        raise InputError(f"{name}, {describe_yaml_fault(fault, text)}") from fault
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else f"'{root.value}'"
        raise InputError(f"{name}, {_place(root)}: expected keys with values, such as 'seed: 1', found {found}")
    for key, _ in root.value:
        if key.tag not in (TEXT, MERGE):
            raise InputError(f"{name}, {_place(key)}: expected a key that is text, found {key.value}; put it in quotes")
    for key in _find_repeated(root):
        raise InputError(f"{name}, {_place(key)}: the key '{key.value}' occurs twice")
    return [key.value for key, _ in root.value if key.tag == TEXT]


def describe_yaml_fault(fault: yaml.YAMLError, text: str) -> str:
    """Returns what is wrong with a text that is not YAML, and the line."""
    if isinstance(fault, yaml.reader.ReaderError):
        line = text.count("\n", 0, fault.position) + 1
        return f"line {line}: the character {text[fault.position]!r} is not allowed in YAML"
    if not isinstance(fault, yaml.MarkedYAMLError) or fault.problem_mark is None:
        return str(fault).partition("\n")[0]
    line = fault.problem_mark.line + 1
    context = f", {fault.context}" if fault.context else ""
    if fault.context_mark and fault.context_mark.line + 1 != line:
        context += f" that begins in line {fault.context_mark.line + 1}"
    return f"line {line}: {fault.problem}{context}"


def _find_repeated(node: yaml.Node, seen: frozenset[int] = frozenset()) -> Iterator[yaml.ScalarNode]:
    """Yields the second of each two equal keys of a mapping, in it or in a mapping or list within."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:  # an alias may lead back
        return
    seen |= {id(node)}
    keys: set[tuple[str, str]] = set()
    for each in node.value:
        key, value = each if isinstance(node, yaml.MappingNode) else (None, each)
        if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
            if (key.tag, key.value) in keys:
                yield key
            keys.add((key.tag, key.value))
        yield from _find_repeated(value, seen)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"
