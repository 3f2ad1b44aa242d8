import importlib.metadata

import pytest
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
    assert provenance.folders == {"state": tmp_path / "state"}
    assert "folders" not in provenance.model_dump()
    assert "folders" not in provenance.model_dump_json()
    assert not (tmp_path / "state").exists()


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
