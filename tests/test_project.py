"""The project agrees with itself: catalog, parameters and pipelines, and what the README says."""

import re
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from pydantic import TypeAdapter

from data import table
from roadseg.scenes.faults import FaultKind

REPOSITORY = Path(__file__).parents[1]
RECORDS = {"run_records", "run_comparison"}
"""Data sets that a hook and `kedro runs` use, and no pipeline."""

FOLDERS = {
    "training_state", "tensorboard_folder", "tensorboard_store", "predictions_folder", "half_done_pictures",
    "predicted_pictures_folder", "exported_models_folder",
}  # fmt: skip
"""Which nodes get by the provenance."""

ENVIRONMENTS = sorted({path.parent.name for path in REPOSITORY.glob("conf/*/globals.yml")} - {"base"})


@pytest.fixture(scope="module")
def datasets() -> set[str]:
    """Every name that a pipeline reads or writes."""
    configure_project("roadseg")
    pipelines.set_requested(None)
    return set().union(*(each.datasets() for each in pipelines.values()))


def configuration(environment: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        str(REPOSITORY / "conf"), env=environment, base_env="base", merge_strategy={"parameters": "soft"}
    )


@pytest.mark.parametrize("environment", ["base", *ENVIRONMENTS])
def test_catalog_and_pipelines_name_the_same_data_sets(datasets: set[str], environment: str) -> None:
    named = {name for name in datasets if not name.startswith("params:")}
    assert set(configuration(environment)["catalog"]) == named | RECORDS | FOLDERS


@pytest.mark.parametrize("environment", ["base", *ENVIRONMENTS])
def test_every_parameter_is_read(datasets: set[str], environment: str) -> None:
    read = {name.removeprefix("params:") for name in datasets if name.startswith("params:")}
    assert set(configuration(environment)["parameters"]) == read


def test_every_text_of_the_catalog_names_its_encoding() -> None:
    texts = {
        name: entry["fs_args"]
        for environment in ["base", *ENVIRONMENTS]
        for name, entry in configuration(environment)["catalog"].items()
        if entry["type"] in ("text.TextDataset", "json.JSONDataset")
    }
    pages = {"data_report", "evaluation_report", "model_card", "export_page", "prediction_page", "run_comparison"}
    assert set(texts) == {*pages, "export_report", "scores"}
    named = {f"open_args_{kind}": {"encoding": "utf-8"} for kind in ("load", "save")}
    assert all(each == named for each in texts.values())


def test_every_data_set_has_its_environment() -> None:
    assert set(ENVIRONMENTS) == set(table.ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_names_its_data_set_where_that_lies_and_its_label_space(environment: str) -> None:
    data_set, catalog = table.ENVIRONMENTS[environment], configuration(environment)["catalog"]
    reader = f"{data_set.reader.__module__}.{data_set.reader.__qualname__}"
    assert catalog["raw_scenes"]["type"] == reader
    assert catalog["raw_scenes"]["filepath"] == f"data/01_raw/{data_set.name}"
    assert catalog["label_space"]["name"] == data_set.environments[environment]
    assert catalog["segnet_model"]["filepath"] == f"data/06_models/{environment}/segnet.keras"


def test_an_environment_gives_only_what_differs() -> None:
    base = configuration("base")["parameters"]
    for environment in ENVIRONMENTS:
        given = {}
        for path in (REPOSITORY / "conf" / environment).glob("parameters*.yml"):
            given |= yaml.safe_load(path.read_text())
        assert given, environment
        for group, values in given.items():
            for key, value in values.items():
                assert base[group][key] != value, f"{environment}: {group}.{key} is what base says"


@pytest.mark.parametrize("environment", ["base", *ENVIRONMENTS])
def test_all_parameters_are_valid_options(datasets: set[str], environment: str) -> None:
    given = configuration(environment)["parameters"]
    checked = set()
    for node in {node for pipeline in pipelines.values() for node in pipeline.nodes}:
        types = get_type_hints(node.func)
        inputs = node._inputs if isinstance(node._inputs, dict) else dict(zip(types, node.inputs, strict=False))
        for argument, data_set in inputs.items():
            group = data_set.removeprefix("params:")
            if group != data_set:
                TypeAdapter(types[argument]).validate_python(given[group])
                checked.add(group)
    assert checked == set(given)


def test_the_recipes_give_parameters_that_exist() -> None:
    base = configuration("base")["parameters"]
    recipes = list((REPOSITORY / "conf/recipes").glob("*.yml"))
    assert recipes
    for path in recipes:
        for group, values in yaml.safe_load(path.read_text())["run"]["params"].items():
            assert set(values) <= set(base[group]), path


def test_every_kind_of_fault_is_explained() -> None:
    explained = re.findall(r"^\| ([\w ]+) \|", (REPOSITORY / "docs/data.md").read_text(), re.MULTILINE)
    assert set(FaultKind) <= set(explained)


def test_the_table_of_data_sets_holds_each_environment_and_the_folder_of_its_data_set() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.+?\| `(\w+)` \|", (REPOSITORY / "docs/data.md").read_text(), re.MULTILINE)
    assert dict(rows) == {name: each.name for name, each in table.ENVIRONMENTS.items()}
    assert len(rows) == len(ENVIRONMENTS)


def test_environments_that_the_readme_names_are_there() -> None:
    named = re.findall(r"--env (\w+)", (REPOSITORY / "README.md").read_text())
    assert named
    assert set(named) <= set(ENVIRONMENTS)


def test_lock_files_hold_no_index_address() -> None:
    files = list(REPOSITORY.glob("requirements*.lock"))
    assert len(files) == 2
    for path in files:
        assert "://" not in path.read_text()


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 120
