import pytest
from kedro.io import DatasetError

from roadseg.datasets.folder import FolderDataset


def test_folder_is_made_with_its_parents(tmp_path):
    path = FolderDataset(filepath=str(tmp_path / "a" / "b")).load()
    assert path == tmp_path / "a" / "b"
    assert path.is_dir()


def test_folder_keeps_what_is_in_it(tmp_path):
    (tmp_path / "state").write_text("half")
    assert (FolderDataset(filepath=str(tmp_path)).load() / "state").read_text() == "half"


def test_folder_is_not_made_before_it_is_loaded(tmp_path):
    assert FolderDataset(filepath=str(tmp_path / "a")).exists()
    assert not (tmp_path / "a").exists()


def test_folder_is_not_saved(tmp_path):
    with pytest.raises(DatasetError, match="write files into the path"):
        FolderDataset(filepath=str(tmp_path)).save("text")
