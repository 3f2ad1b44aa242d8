"""What the code imports is declared in pyproject.toml, and what is declared is used."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

COMMANDS = {"kedro-viz", "tensorboard"}
"""What people start and no code imports."""

CHOSEN = ("coco", "dask", "export", "openvino", "litert", "mlflow", "jax", "s3", "torch")
"""Extras whose packages the code imports."""


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", each)[0].lower().replace("_", "-") for each in requirements}


def imported(folder: str) -> set[str]:
    """Returns the top modules that the code of a folder imports, those of Python and of the project left out."""
    found = set()
    for path in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"roadseg"}


def distributions(modules: set[str]) -> set[str]:
    """Returns the distributions that bring some modules, and the name of a module that is not installed."""
    known = packages_distributions()
    return names([each for module in modules for each in known.get(module, [module])])


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    declared = names(PROJECT["dependencies"])
    optional = names([each for extra in CHOSEN for each in PROJECT["optional-dependencies"][extra]])
    used = distributions(imported("src/roadseg"))
    assert used - declared - optional == set(), "imported, not declared"
    assert declared - used - COMMANDS == set(), "declared, not imported"


def test_packages_of_extras_are_imported_only_where_they_are_used() -> None:
    modules = set()
    for path in (REPOSITORY / "src/roadseg").rglob("*.py"):
        lines = ast.parse(path.read_text(encoding="utf-8")).body  # not what functions and `if TYPE_CHECKING` contain
        modules |= {each.name for node in lines if isinstance(node, ast.Import) for each in node.names}
        modules |= {node.module for node in lines if isinstance(node, ast.ImportFrom) and node.module}
    optional = names([each for extra in CHOSEN for each in PROJECT["optional-dependencies"][extra]])
    at_once = distributions({each.partition(".")[0] for each in modules})
    assert (optional - names(PROJECT["dependencies"])) & at_once == set()


LIBRARY = ("scenes", "drawing", "reading", "segnet", "training", "scoring", "reporting", "exporting")


def test_messages_of_the_library_name_no_command():
    texts = [
        (path, node.value)
        for room in LIBRARY
        for path in (REPOSITORY / "src/roadseg" / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(texts) > 1000
    found = [(path, text) for path, text in texts if re.search(r"(?<!var\()--[a-z]|\b[Kk]edro\b", text)]
    assert not found
