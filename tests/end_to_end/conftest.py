"""Projects to run: one in which nothing has run, one in which everything has, and copies of it."""

import shutil
from pathlib import Path

import pytest

from end_to_end.project import Project, copy_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in which nothing has run."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the whole of `kedro run` is done; do not change it, copy it."""
    project = copy_project(tmp_path_factory.mktemp("trained"))
    (project.folder / "output.txt").write_text(project.run())
    return project


@pytest.fixture
def trained_copy(trained: Project, tmp_path: Path) -> Project:
    """A copy of the project in which everything has run."""
    shutil.copytree(trained.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")
