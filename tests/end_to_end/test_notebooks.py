"""The notebooks: stored without output, and each runs from top to bottom on what the pipelines left."""

import json
from pathlib import Path

import nbclient
import nbformat
import pytest

from end_to_end.project import REPOSITORY, Project

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def name_notebook(path: Path) -> str:
    """Returns the name of a notebook without its ending."""
    return path.stem


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["01_look_at_the_data", "02_understand_the_errors", "03_compare_runs"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_notebook)
def test_a_notebook_is_stored_without_output(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_notebook)
def test_a_notebook_runs_from_top_to_bottom(trained_copy: Project, path: Path) -> None:
    leave_older_runs(trained_copy)
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(trained_copy.folder)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    assert not [output for output in outputs if "Warning" in output.get("text", "")]


def leave_older_runs(project: Project) -> None:
    """Leaves a record of the same scores in 2025, and in 2024 one of scores of other data, whose table is gone."""
    (path,) = project.folder.glob("data/08_reporting/drawn/runs/*.json")
    record = json.loads(path.read_text())
    for year, change in {"2024": {"digests": {}, "saved": {}}, "2025": {}}.items():
        older = {**record, "run": f"{year}{record['run'][4:]}", "started": f"{year}{record['started'][4:]}", **change}
        path.with_stem(older["run"]).write_text(json.dumps(older))
