import pytest
from kedro.io import DatasetError, Version

from roadseg.datasets.exported_model import ExportedModelDataset
from roadseg.exporting.exported_model import ExportedModel

FILES = {"segnet.json": b"{}", "saved_model/variables/index": b"\x00\xff"}


def test_files_come_back_from_the_folder_of_their_version(tmp_path):
    filepath = str(tmp_path / "exported_model")
    ExportedModelDataset(filepath=filepath, version=Version(None, "v1")).save(ExportedModel(FILES))
    folder = tmp_path / "exported_model/v1/exported_model"
    assert (folder / "saved_model/variables/index").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["exported_model"]
    assert ExportedModelDataset(filepath=filepath, version=Version("v1", None)).load().files == FILES


def test_without_a_version_the_files_take_the_place_of_older_ones(tmp_path):
    dataset = ExportedModelDataset(filepath=str(tmp_path / "exported_model"))
    dataset.save(ExportedModel(FILES))
    dataset.save(ExportedModel({"segnet.onnx": b"2"}))
    assert dataset.load().files == {"segnet.onnx": b"2"}


def test_a_folder_that_can_not_be_written_is_not_there(tmp_path):
    dataset = ExportedModelDataset(filepath=str(tmp_path / "exported_model"))
    with pytest.raises(DatasetError):
        dataset.save(ExportedModel({"a": b"1", "a/b": b"2"}))
    assert not dataset.exists()
    assert list(tmp_path.iterdir()) == []
