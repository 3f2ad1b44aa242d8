import copy
import pickle
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from kedro.io import DatasetError, Version
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pandas import CSVDataset
from kedro_datasets.text import TextDataset
from matplotlib.figure import Figure

from full_disk import FullDisk
from roadseg.datasets.catalog import RunCatalog
from roadseg.errors import FileError
from roadseg.reading.whole_file import WholeFiles


def names_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_is_written_is_there_when_the_file_is_closed(tmp_path):
    path = str(tmp_path / "folder" / "a.txt")
    with WholeFiles(fsspec.filesystem("file")).open(path, "w", encoding="utf-8") as file:
        file.write("Straße")
        assert not Path(path).exists()
    with WholeFiles(fsspec.filesystem("file")).open(path, "rb") as file:
        assert file.read() == "Straße".encode()
    assert names_under(tmp_path) == ["folder", "folder/a.txt"]


def write(fs, path, fault=None):
    with WholeFiles(fs).open(str(path), "wb") as file:
        file.write(b"two")
        if fault:
            raise fault


@pytest.mark.parametrize("fault", [ValueError("wrong"), KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_who_is_stopped_amid_writing_leaves_nothing(tmp_path, fault):
    with pytest.raises(type(fault)):
        write(fsspec.filesystem("file"), tmp_path / "v1" / "a.txt", fault)
    assert names_under(tmp_path) == []


def test_what_was_there_stays_when_it_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(FileError, match=f"the disk is full: '{tmp_path}/a.txt' could not be saved"):
        write(FullDisk(), tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "one"
    assert names_under(tmp_path) == ["a.txt"]


def test_it_copies_and_pickles_as_a_file_system_does(tmp_path):
    files = WholeFiles(fsspec.filesystem("file"))
    for each in (copy.deepcopy(files), pickle.loads(pickle.dumps(files))):  # noqa: S301
        assert each.exists(str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "data"),
    [(CSVDataset, pd.DataFrame({"a": [1]})), (TextDataset, "text"), (MatplotlibDataset, Figure())],
    ids=lambda each: getattr(each, "__name__", ""),
)
@pytest.mark.parametrize("fault", [FullDisk.fault, KeyboardInterrupt()], ids=["full", "ctrl_c"])
def test_data_sets_of_others_leave_no_half_version(tmp_path, monkeypatch, kind, data, fault):
    monkeypatch.setattr(FullDisk, "fault", fault)
    dataset = kind(filepath=f"fulldisk://{tmp_path}/a.file", version=Version(None, "v1"))
    with pytest.raises((DatasetError, KeyboardInterrupt)):
        RunCatalog({"entry": dataset}).save("entry", data)
    assert not [name for name in names_under(tmp_path) if "v1" in name]
