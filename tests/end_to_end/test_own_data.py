"""A user's own data: what `docs/own_data.md` says, word by word."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from end_to_end.project import REPOSITORY, Project

RECIPE = re.compile(r"^`(conf/mine/[\w.]+)`.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_recipe_for_own_data_works_word_by_word(project: Project, mine_folder: Path) -> None:
    text = (REPOSITORY / "docs/own_data.md").read_text()
    files = RECIPE.findall(text)
    assert [name for name, _ in files] == [f"conf/mine/{name}.yml" for name in ("globals", "catalog", "classes")]
    (project.folder / "conf/mine").mkdir()
    for name, content in files:
        (project.folder / name).write_text(content)
    command = re.search(r"^    kedro run (--env mine)$", text, re.MULTILINE)
    assert command
    (project.folder / "data/01_raw").mkdir(parents=True)
    mine_folder.rename(project.folder / "data/01_raw/mine")
    small = yaml.safe_load((project.folder / "conf/local/parameters.yml").read_text())
    project.configure("mine", "parameters.yml", small)  # beyond the recipe: small, so that it takes seconds

    output = project.run(*command[1].split())
    assert "12 scenes, 12 of them to prepare" in output
    assert "Fault" not in output
    path = max(project.folder.glob("data/03_primary/mine/class_pixels.csv/*/*.csv"))
    held = pd.read_csv(path, dtype={"drive": str}, keep_default_na=False)
    assert set(held["drive"]) == {"north", "NA", "0001", "1e5"}
    pixels = held.pivot(index="scene", columns="class", values="pixels")[["road", "vehicles", "sky"]]
    shares = pixels.div(pixels.sum(axis=1), axis=0).to_numpy()
    assert np.abs(shares - (1 / 4, 1 / 2, 1 / 4)).max() < 0.03  # of five bands one is void, two are vehicles
    assert len(project.versions("08_reporting/mine/scores.json")) == 1
