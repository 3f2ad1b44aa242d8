"""Messages of the library state facts: commands that correct a fault are known to pipelines, hooks and commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
LIBRARY = REPOSITORY / "src/roadseg"
ROOMS = ("scenes", "drawing", "reading", "segnet", "training", "scoring", "reporting", "predicting", "exporting")
CAPTION = "segnet_model {}"
"""Pictures name the versions that they are made from as the catalog does, to find them there."""

CATALOG = yaml.safe_load((REPOSITORY / "conf/base/catalog.yml").read_text("utf-8"))
ENTRIES = "|".join(name for name in CATALOG if "_" in name.strip("_"))
FOREIGN = {
    "a command": r"\bkedro\b|\bmake (run|prune|test)\b|\bpython -m\b",
    "an option of a command": r"(?<![\w-])--[a-z]",
    "a variable of the environment": r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b",
    "an entry of the catalog": rf"\b({ENTRIES})\b",
    "a class of Kedro": r"\b[A-Z]\w+Dataset\b",
}


def list_messages(source: str) -> Iterator[tuple[int, str]]:
    """Yields line and text of each string of several words that is no docstring."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | parts:
            text = node.value
        else:
            continue
        if " " in text.strip() and text != CAPTION and not text.startswith("import "):  # which begins a program
            yield node.lineno, text


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_of_the_library_names_what_only_its_users_know(room: str) -> None:
    found = [
        f"{path.relative_to(LIBRARY)}:{line} names {what}: {text}"
        for path in sorted((LIBRARY / room).rglob("*.py"))
        for line, text in list_messages(path.read_text("utf-8"))
        for what, pattern in FOREIGN.items()
        if re.search(pattern, text)
    ]
    assert found == []
