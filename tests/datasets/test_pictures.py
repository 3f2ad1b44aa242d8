import pytest
from kedro.io import DataCatalog, DatasetError

from reading.pictures import photograph, save
from roadseg.datasets.pictures import PicturesDataset

ENTRY = "roadseg.datasets.pictures.PicturesDataset"


def test_an_entry_of_the_catalog_loads_as_pictures_to_read(tmp_path):
    save(photograph(4, 6), tmp_path / "a.png")
    catalog = DataCatalog.from_config({"pictures": {"type": ENTRY, "filepath": str(tmp_path)}})
    (picture,) = catalog.load("pictures")
    assert (picture.name, picture.read().tolist()) == ("a", photograph(4, 6).tolist())


def test_an_entry_without_a_source_says_how_to_tell_it():
    dataset = PicturesDataset(filepath=None)
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="no source of pictures is given: add --params source=PATH"):
        dataset.load()


def test_a_name_that_yaml_takes_for_a_number_is_refused():
    with pytest.raises(DatasetError, match=r"must be text, received 2024: write it as ./NAME"):
        PicturesDataset(filepath=2024)


def test_pictures_are_not_saved(tmp_path):
    with pytest.raises(DatasetError, match="read only"):
        PicturesDataset(filepath=str(tmp_path)).save([])
