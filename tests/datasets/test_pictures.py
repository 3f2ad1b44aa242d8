import uuid

import fsspec
import pytest
from kedro.io import DataCatalog, DatasetError

from predicting.pictures import draw_halves, save_video
from reading.pictures import photograph, save
from roadseg.datasets.pictures import PicturesDataset
from roadseg.reading.video import VideoOptions

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


@pytest.fixture
def stored(tmp_path):
    """Pictures and a video in an object store: two in folders, one beside them."""
    files = fsspec.filesystem("memory")
    place = f"/{uuid.uuid4().hex}"
    save(photograph(4, 6), tmp_path / "a.png")
    save_video(tmp_path / "film.avi", [draw_halves((12, 16), 0, 1)] * 3)
    for name, target in (("a.png", "1/a.png"), ("a.png", "2/a.PNG"), ("a.png", "top.png"), ("film.avi", "2/film.avi")):
        files.put_file(str(tmp_path / name), f"{place}/{target}")
    files.pipe_file(f"{place}/notes.txt", b"")
    return f"memory://{place}"


@pytest.mark.parametrize(
    ("source", "names"),
    [("", ["1/a", "2/a", "2/film", "top"]), ("/2", ["a", "film"]), ("/*/a.png", ["1/a", "2/a"]), ("/1/a.png", ["a"])],
)
def test_pictures_may_be_in_a_store(stored, source, names):
    loaded = PicturesDataset(filepath=stored + source).load()
    assert [each.name for each in loaded] == names
    assert loaded[0].read().tolist() == photograph(4, 6).tolist()
    assert loaded[0].fingerprint.endswith(loaded[0].place)
    assert loaded[0].place.startswith(stored)


def test_a_video_in_a_store_is_on_the_disk_while_it_is_read(stored):
    (video,) = PicturesDataset(filepath=f"{stored}/2/film.avi").load()
    with video.fetched() as fetched:
        assert fetched.fingerprint == video.fingerprint
        assert fetched.read_header().size == (12, 16)
        assert len(list(fetched.read_frames(VideoOptions(every=1, start=0.0, end=None)))) == 3
        copy = fetched.copy
    assert not copy.parent.exists()


def test_a_place_in_a_store_without_pictures_is_named(stored):
    with pytest.raises(DatasetError, match=r"no picture or video in 'memory://.*/nothing', expected one that ends in "):
        PicturesDataset(filepath=f"{stored}/nothing").load()
    with pytest.raises(DatasetError, match=r"no file in 'memory://.*' fits '\*\.jpg'"):
        PicturesDataset(filepath=f"{stored}/*.jpg").load()
