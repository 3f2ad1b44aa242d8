"""Swapping the data set: by environment, by two catalog entries, by a link or a path."""

import shutil
from pathlib import Path

import pytest
import yaml

from runs.project import SMALL, Project


@pytest.fixture
def both(project: Project) -> Project:
    """A project with small settings for CamVid too."""
    settings = project.folder / "conf/camvid/parameters.yml"
    settings.write_text(yaml.safe_dump({**SMALL["parameters.yml"], "split": {"method": "published"}}))
    return project


def test_an_environment_swaps_the_data_set_and_results_lie_side_by_side(both: Project, camvid_folder: Path) -> None:
    both.run()
    drawn = both.files()
    (both.folder / "data/01_raw").mkdir()
    (both.folder / "data/01_raw/camvid").symlink_to(camvid_folder)
    both.run("--env", "camvid")
    assert drawn.items() <= both.files().items()
    assert len(both.versions("06_models/camvid/segnet.keras")) == 1
    assert len(both.versions("06_models/drawn/segnet.keras")) == 1


def test_a_path_on_the_command_line_says_where_the_data_are(both: Project, camvid_folder: Path) -> None:
    where = camvid_folder.rename(camvid_folder.parent / "elsewhere")
    output = both.run("--env", "camvid", "--pipelines", "prepare", "--params", f"raw_folder={where}")
    assert "Split validation" in output


def test_two_catalog_entries_in_local_swap_the_data_set(both: Project, camvid_folder: Path) -> None:
    both.run("--pipelines", "prepare")
    before = both.files()
    shutil.copy(both.folder / "conf/camvid/catalog.yml", both.folder / "conf/local/catalog.yml")
    both.run("--pipelines", "prepare", "--params", f"raw_folder={camvid_folder}")
    assert before.items() <= both.files().items()
    assert len(both.versions("03_primary/drawn/split_table.csv")) == 2
