import importlib.metadata
import re
from pathlib import Path

import pytest
import yaml
from kedro.io import DataCatalog, DatasetError, MemoryDataset, Version
from kedro_datasets.json import JSONDataset

from roadseg.datasets.folder import FolderDataset
from roadseg.datasets.provenance import Provenance, ProvenanceDataset
from roadseg.machine import describe_machine


@pytest.fixture
def catalog(tmp_path):
    for version in ("v1", "v2"):
        JSONDataset(filepath=str(tmp_path / "split.json"), version=Version(None, version)).save(version)
    return DataCatalog(
        {
            "split": JSONDataset(filepath=str(tmp_path / "split.json"), version=Version(None, "v3")),
            "pinned": JSONDataset(filepath=str(tmp_path / "split.json"), version=Version("v1", "v3")),
            "model": JSONDataset(filepath=str(tmp_path / "model.json"), version=Version(None, "v3")),
            "memory": MemoryDataset(1),
        }
    )


def load(catalog, of):
    dataset = ProvenanceDataset(data_set="idd", of=of, folders=[])
    parameters = {"seed": 1, "train": {"epochs": 2}}
    dataset.bind(catalog, run="v3", environment="camvid", commit="0123+", parameters=parameters)
    return dataset.load()


def test_provenance_tells_the_run():
    provenance = load(DataCatalog({}), [])
    assert isinstance(provenance, Provenance)
    assert (provenance.run, provenance.data_set, provenance.environment) == ("v3", "idd", "camvid")
    assert provenance.commit == "0123+"
    assert provenance.parameters == {"seed": 1, "train": {"epochs": 2}}
    assert provenance.packages["keras"] == importlib.metadata.version("keras")
    assert {"roadseg", "kedro", "numpy"} <= set(provenance.packages)
    assert provenance.machine == describe_machine()


def test_versions_are_those_that_a_node_would_load(catalog):
    assert load(catalog, ["split", "pinned"]).versions == {"split": "v2", "pinned": "v1"}


def test_data_sets_that_have_no_version_are_left_out(catalog):
    assert load(catalog, ["model", "memory", "split"]).versions == {"split": "v2"}


def test_what_the_run_has_saved_by_now_counts(catalog):
    dataset = ProvenanceDataset(data_set="idd", of=["model"], folders=[])
    dataset.bind(catalog, run="v3", environment="", commit=None, parameters={})
    assert dataset.load().versions == {}
    catalog["model"].save("weights")
    assert dataset.load().versions == {"model": "v3"}


def test_folders_are_told_and_stand_in_no_record(tmp_path):
    catalog = DataCatalog({"state": FolderDataset(filepath=str(tmp_path / "state"))})
    dataset = ProvenanceDataset(data_set="idd", of=[], folders=["state"])
    dataset.bind(catalog, run="v3", environment="", commit=None, parameters={})
    provenance = dataset.load()
    assert provenance.folders["state"].on_disk == tmp_path / "state"
    assert "folders" not in provenance.model_dump()
    assert "folders" not in provenance.model_dump_json()
    assert not (tmp_path / "state").exists()


def load_described(metadata):
    raw = MemoryDataset(1)
    raw.metadata = metadata
    dataset = ProvenanceDataset(data_set="idd", of=[], folders=[], raw="raw_scenes")
    dataset.bind(DataCatalog({"raw_scenes": raw}), run="v3", environment="", commit=None, parameters={})
    return dataset.load()


def test_name_and_terms_of_the_data_are_those_that_its_entry_has():
    found = load_described({"kedro-viz": {"layer": "raw"}, "data": {"name": "My streets", "terms": "mine alone"}})
    assert (found.data_name, found.data_terms) == ("My streets", "mine alone")
    for metadata in (None, {}, {"kedro-viz": {"layer": "raw"}}):
        found = load_described(metadata)
        assert (found.data_name, found.data_terms) == (None, None)


def test_the_lines_of_the_docs_name_the_data():
    text = (Path(__file__).parents[2] / "docs/own_data.md").read_text("utf-8")
    (lines,) = re.findall(r"```yaml\n(  metadata: .*\n)```", text)
    found = load_described(yaml.safe_load(lines)["metadata"])
    assert found.data_name == "Streets of our town"


@pytest.mark.parametrize("facts", ["My streets", {"name": "My streets"}, {"name": 1, "terms": "mine"}])
def test_other_facts_of_the_data_are_refused(facts):
    with pytest.raises(DatasetError, match=r"^metadata\.data of 'raw_scenes' .* expected name and terms, .* received"):
        load_described({"data": facts})


def test_unknown_data_set_is_named(catalog):
    with pytest.raises(DatasetError, match="modle"):
        load(catalog, ["modle"])


def test_provenance_outside_a_session_is_refused():
    with pytest.raises(DatasetError, match="only inside a Kedro session"):
        ProvenanceDataset(data_set="idd", of=[], folders=[]).load()


def test_provenance_is_not_saved():
    with pytest.raises(DatasetError, match="read only"):
        ProvenanceDataset(data_set="idd", of=[], folders=[]).save(1)


@pytest.mark.parametrize("name", [7, None, False, "", ["a"]])
def test_name_of_a_data_set_that_yaml_reads_as_something_else_is_refused(name):
    with pytest.raises(DatasetError, match=r"^data_set in globals\.yml .* expected text, in quotes .*, received"):
        ProvenanceDataset(data_set=name, of=[], folders=[])
