import pytest
from kedro.io import DatasetError

from roadseg.datasets.folder import FolderDataset


def test_folder_keeps_what_is_in_it(tmp_path):
    (tmp_path / "state").write_text("half")
    assert FolderDataset(filepath=str(tmp_path)).load().read("state") == b"half"


def test_folder_is_made_by_who_writes_into_it(tmp_path):
    assert FolderDataset(filepath=str(tmp_path / "a")).exists()
    assert FolderDataset(filepath=str(tmp_path / "a")).load().on_disk == tmp_path / "a"
    assert not (tmp_path / "a").exists()


def test_folder_is_not_saved(tmp_path):
    with pytest.raises(DatasetError, match="write files into what"):
        FolderDataset(filepath=str(tmp_path)).save("text")
