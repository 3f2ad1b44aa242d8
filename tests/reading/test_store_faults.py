"""What is said when an object store can't be used; data sets pass on what it says."""

import socket
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from click import ClickException
from fsspec.registry import _registry

from roadseg.datasets.catalog import RunCatalog
from roadseg.errors import RoadSegError
from roadseg.reading.picture import Picture
from roadseg.reading.stored_path import StoredPath
from roadseg.reading.whole_file import WholeFiles
from roadseg.scenes.faults import UnusableSceneError
from roadseg.sentences import told_in_a_sentence

NEVER_AGAIN = {"retries": {"max_attempts": 0}}


def entry(path, s3=None, **store):
    reached = {**s3.credentials, **s3.fs_args} if s3 else {}
    table = {"type": "pandas.CSVDataset", "filepath": path, "versioned": True}
    return RunCatalog.from_config({"table": {**table, "credentials": {**reached, **store}}}, save_version="v1")


def end(do):
    """Returns the sentence that a command ends with."""
    with pytest.raises(ClickException) as raised, told_in_a_sentence():
        do()
    return raised.value.message


def save(catalog):
    catalog.save("table", pd.DataFrame({"a": [1]}))


@pytest.mark.parametrize(("protocol", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("abfs", "adlfs")])
def test_a_package_that_is_missing_is_named_with_how_to_install_it(protocol, package, monkeypatch):
    for name in _registry.keys() & {"s3", "s3a"}:
        monkeypatch.delitem(_registry, name)
    monkeypatch.setitem(sys.modules, package, None)
    how = {"s3fs": "-e '.[s3]'"}.get(package, package)
    assert end(lambda: entry(f"{protocol}://bucket/a.csv").exists("table")) == (
        f"the package {package} is missing, which reads and writes this object store: pip install {how}"
    )
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert any(each.startswith("s3fs") for each in project["optional-dependencies"]["s3"])


@pytest.mark.scale
def test_without_credentials_the_sentence_says_where_they_go(s3, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    catalog = entry("s3://bucket/a.csv", **s3.fs_args)
    expected = (
        "there are no credentials for the object store (Unable to locate credentials): set its variables, or write "
        "credentials.yml, see docs/scale.md"
    )
    assert end(lambda: catalog.exists("table")) == end(lambda: save(catalog)) == expected


@pytest.mark.scale
def test_a_bucket_that_is_missing_is_named_and_not_made(s3):
    catalog = entry("s3://nobody-has-this/a.csv", s3)
    expected = (
        "there is no bucket 'nobody-has-this' in the object store: make it, or correct the path in globals.yml or "
        "catalog"
    )
    assert end(lambda: catalog.exists("table")) == end(lambda: save(catalog)) == expected
    assert not s3.fs.exists("nobody-has-this")


@pytest.mark.scale
def test_refused_credentials_are_told(s3):
    catalog = entry(f"{s3.make_bucket()}/a.csv", s3)
    s3.fail(status=403)
    assert end(lambda: catalog.exists("table")) == (
        "the object store refuses ListObjectsV2 (403: Forbidden): it needs other rights, or correct credentials.yml, "
        "see docs/scale.md"
    )


@pytest.mark.scale
@pytest.mark.parametrize("status", [0, 503])
def test_a_store_that_fails_for_a_moment_is_asked_again(s3, status):
    catalog = entry(f"{s3.make_bucket()}/a.csv", s3)
    s3.fail(3, status)
    save(catalog)
    s3.fail(3, status)
    assert catalog.load("table")["a"].tolist() == [1]


@pytest.mark.scale
def test_a_store_that_stays_broken_is_given_up(s3):
    catalog = entry(f"{s3.make_bucket()}/a.csv", s3, config_kwargs=NEVER_AGAIN)
    s3.fail(status=503)
    assert (
        end(lambda: catalog.exists("table")) == "the object store answers ListObjectsV2 with 503: Service Unavailable"
    )
    s3.recover()
    s3.fail(status=0)
    assert end(lambda: catalog.exists("table")).startswith(
        "the object store can't be reached, after several tries: Connection was closed before we received a valid "
    )
    assert s3.count_requests()["LIST"] <= 10


@pytest.mark.scale
def test_a_store_that_does_not_answer_is_no_fault_of_the_picture_that_is_read(s3):
    bucket = s3.make_bucket()
    s3.fs.pipe_file(f"{bucket}/a.png", b"no image")
    files = WholeFiles.reached_by("s3", s3.credentials, {**s3.fs_args, "config_kwargs": NEVER_AGAIN})
    picture = Picture("a.png", StoredPath(files, f"{bucket}/a.png"))
    with pytest.raises(UnusableSceneError):
        picture.read()
    s3.fail(status=503, kinds=["GET"])
    with pytest.raises(RoadSegError, match=r"^the object store answers GetObject with 503: Service Unavailable$"):
        picture.read()


@pytest.mark.scale
def test_a_store_that_is_not_there_is_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        catalog = entry("s3://bucket/a.csv", key="a", secret="b", endpoint_url=endpoint, config_kwargs=NEVER_AGAIN)  # noqa: S106
        sentence = end(lambda: catalog.exists("table"))
    assert sentence.startswith(
        f"the object store can't be reached, after several tries: Could not connect to the endpoint URL: \"{endpoint}/"
    )
