"""Versions in an object store, as the catalog of a run sees them."""

from collections import Counter

import pandas as pd
import pytest
from kedro.io import DatasetError, Version

from conftest import make_run_record
from roadseg import settings  # noqa: F401  # no listing is kept
from roadseg.datasets.catalog import RunCatalog
from roadseg.datasets.exported_model import ExportedModelDataset
from roadseg.exporting.exported_model import ExportedModel
from roadseg.runs.pruning import prune_versions

VERSIONS = [f"2026-01-0{day}T00.00.00.000Z" for day in range(1, 8)]
RUN = "2026-02-01T00.00.00.000Z"
EXPORTED = "roadseg.datasets.exported_model.ExportedModelDataset"

pytestmark = pytest.mark.scale


@pytest.fixture
def bucket(s3):
    return s3.make_bucket()


@pytest.fixture
def open_catalog(s3, bucket):
    """Opens the catalog as another run does: a process of its own, which knows of nothing."""

    def open_it(version=RUN):
        store = {"credentials": dict(s3.credentials), "fs_args": dict(s3.fs_args)}
        entries = {
            "table": {"type": "pandas.CSVDataset", "filepath": f"{bucket}/table.csv", "versioned": True},
            "exported": {"type": EXPORTED, "filepath": f"{bucket}/exported", "versioned": True},
            "run_records": {
                "type": "roadseg.datasets.run_records.RunRecordsDataset",
                "filepath": f"{bucket}/runs",
            },
        }
        return RunCatalog.from_config({name: {**each, **store} for name, each in entries.items()}, save_version=version)

    return open_it


def save_tables(open_catalog):
    for version in VERSIONS:
        open_catalog(version).save("table", pd.DataFrame({"version": [version]}))


def test_versions_are_listed_newest_first_with_one_request(s3, open_catalog):
    save_tables(open_catalog)
    catalog = open_catalog()
    s3.take_requests()
    assert catalog["table"].list_versions(full_path=False) == VERSIONS[::-1]
    assert s3.count_requests() == Counter(LIST=1)
    assert catalog.load("table")["version"].tolist() == [VERSIONS[-1]]
    assert catalog.load("table", version=VERSIONS[0])["version"].tolist() == [VERSIONS[0]]


def test_what_another_run_saves_meanwhile_is_seen(open_catalog):
    catalog = open_catalog()
    assert (catalog["table"].list_versions(), catalog.exists("table")) == ([], False)
    assert not catalog["table"]._fs.dircache.use_listings_cache
    save_tables(open_catalog)
    catalog.release("table")
    assert catalog["table"].list_versions(full_path=False)[0] == VERSIONS[-1]
    assert catalog.exists("table")


def test_a_file_of_another_name_is_no_version(s3, bucket, open_catalog):
    for name in (
        "table.csv/2026/other.csv",
        "table.csv/2026/a/table.csv",
        "table.csv/table.csv",
        "table.csvs/1/table.csv",
    ):
        s3.fs.pipe_file(f"{bucket}/{name}", b"")
    assert open_catalog()["table"].list_versions() == []


def test_of_two_runs_in_the_same_millisecond_one_gets_the_name(open_catalog):
    record = make_run_record(RUN)
    first, second = (open_catalog()["run_records"] for _ in range(2))
    first.create(record)
    with pytest.raises(DatasetError, match=f"^there is a run '{RUN}' already: another run began in the same"):
        second.create(record.model_copy(update={"seconds": 9.0}))
    assert second.load() == [record]
    first.save(record.model_copy(update={"state": "failed"}))
    assert second.read(RUN).state == "failed"


FILES = {"segnet.onnx": b"onnx", "saved_model/a.pb": b"pb", "segnet.json": b"{}"}


def test_an_exported_model_comes_back_and_its_description_was_written_last(s3, open_catalog):
    s3.take_requests()
    open_catalog(VERSIONS[0]).save("exported", ExportedModel(FILES))
    written = [each.key.rpartition("/")[2] for each in s3.take_requests() if each.kind == "PUT"]
    assert (sorted(written), written[-1]) == (["a.pb", "segnet.json", "segnet.onnx"], "segnet.json")
    assert open_catalog().load("exported").files == FILES


def test_a_version_whose_upload_was_killed_does_not_count_and_is_pruned_later(s3, bucket, open_catalog, monkeypatch):
    for version in VERSIONS[:2]:
        open_catalog(version).save("exported", ExportedModel(FILES))
    monkeypatch.setattr("roadseg.reading.folder.Folder.take", _stop_before_the_last(ExportedModelDataset.LAST))
    with pytest.raises(KeyboardInterrupt):
        open_catalog(VERSIONS[2]).save("exported", ExportedModel(FILES))
    assert s3.fs.find(f"{bucket}/exported/{VERSIONS[2]}")
    catalog = open_catalog()
    assert catalog["exported"].list_versions(full_path=False) == [VERSIONS[1], VERSIONS[0]]
    assert not catalog.get("exported", version=Version(VERSIONS[2], None)).exists()
    prune_versions(open_catalog(), keep=1)
    assert {path.split("/")[2] for path in s3.fs.find(f"{bucket}/exported")} == set(VERSIONS[1:3])
    monkeypatch.setattr("roadseg.runs.pruning.KEPT_FOR", pd.Timedelta(0))
    prune_versions(open_catalog(), keep=1)
    assert {path.split("/")[2] for path in s3.fs.find(f"{bucket}/exported")} == {VERSIONS[1]}


def _stop_before_the_last(last):
    def take(folder, source, _):
        for path in source.rglob("*"):
            if path.is_file() and path.name != last:
                folder.write(path.relative_to(source).as_posix(), path.read_bytes())
        raise KeyboardInterrupt

    return take
