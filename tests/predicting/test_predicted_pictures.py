import os
from functools import partial

import numpy as np
import pytest
from PIL import Image

from predicting.pictures import PALETTE, draw_halves, model_of_colours, predict_options, save_picture, save_video
from roadseg.errors import FileError
from roadseg.predicting.predicted_pictures import predict_source
from roadseg.reading.folder import Folder
from roadseg.reading.folder_lock import locked
from roadseg.reading.picture_source import list_pictures


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    save_picture(tmp_path / "source/a.png", draw_halves((12, 16), 0, 1))
    (tmp_path / "half_done").touch()
    predict_it = (
        model_of_colours(),
        tmp_path / "half_done",
        Folder.at(tmp_path / "out"),
        PALETTE,
        predict_options(),
        0,
    )
    with pytest.raises(FileError, match=f"^'{tmp_path / 'half_done'}' can't be written: "):
        predict_source(list_pictures(tmp_path / "source"), *predict_it)


def test_what_can_not_be_read_is_counted_beside_what_the_source_has(tmp_path, caplog):
    broken = tmp_path / "source/broken.jpg"
    broken.parent.mkdir()
    broken.write_bytes(b"nothing")
    predict_it = (
        model_of_colours(),
        tmp_path / "half_done",
        Folder.at(tmp_path / "out"),
        PALETTE,
        predict_options(),
        0,
    )
    with pytest.raises(FileError, match=r"^nothing of 1 picture can be predicted: broken: 'broken.jpg' is no image"):
        predict_source(list_pictures(tmp_path / "source"), *predict_it)
    save_video(tmp_path / "source/film.avi", [draw_halves((12, 16), 0, 1)] * 3)
    with caplog.at_level("INFO"):
        predict_source(list_pictures(tmp_path / "source"), *predict_it)
    assert "1 of 1 picture and 1 of 1 video to predict" in caplog.messages
    assert "1 fault in 1 picture and 1 video: broken: 'broken.jpg' is no image" in caplog.text


def predict(source, out, **changes):
    """Predicts a source, and returns a finished folder as it is saved."""
    options = predict_options(**changes)
    predicted = predict_source(
        list_pictures(source), model_of_colours(), out / "half_done", Folder.at(out), PALETTE, options, 0
    )
    version = out / f"v{len(list(out.glob('v*')))}" / "out"
    version.parent.mkdir()
    predicted.folder.on_disk.rename(version)
    predicted.release()
    return version


def test_nothing_stays_where_a_version_was_made(tmp_path):
    save_picture(tmp_path / "source/a.png", draw_halves((12, 16), 0, 0))
    predict(tmp_path / "source", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["half_done", "v0"]
    assert list((tmp_path / "out/half_done").iterdir()) == []


def read_red(version, name):
    """Returns whether a label map is of one class, the first one."""
    with Image.open(version / f"label_maps/{name}.png") as label_map:
        return not np.asarray(label_map).any()


def test_equal_names_sizes_and_times_in_two_sources_are_two_pictures(tmp_path):
    for place in (0, 1):
        save_picture(tmp_path / f"{place}/a.bmp", draw_halves((12, 16), place, place))
        os.utime(tmp_path / f"{place}/a.bmp", ns=(10**18, 10**18))
    versions = [predict(tmp_path / str(place), tmp_path / "out") for place in (0, 1)]
    assert [read_red(version, "a") for version in versions] == [True, False]


def test_older_versions_give_what_the_newest_has_not(tmp_path, caplog):
    for place in (0, 1):
        save_picture(tmp_path / f"{place}/a.png", draw_halves((12, 16), place, place))
    versions = [predict(tmp_path / str(place), tmp_path / "out") for place in (0, 1)]
    with caplog.at_level("INFO"):
        again = predict(tmp_path / "0", tmp_path / "out")
    assert "0 of 1 picture to predict" in caplog.messages
    assert (again / "label_maps/a.png").samefile(versions[0] / "label_maps/a.png")


def test_a_folder_belongs_to_its_run_until_it_is_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("roadseg.predicting.predicted_pictures.locked", partial(locked, patience=0.0))
    for place in (0, 1):
        save_picture(tmp_path / f"{place}/a.png", draw_halves((12, 16), place, place))
    predict_it = (
        model_of_colours(),
        tmp_path / "half_done",
        Folder.at(tmp_path / "out"),
        PALETTE,
        predict_options(),
        0,
    )
    first = predict_source(list_pictures(tmp_path / "0"), *predict_it)
    with pytest.raises(FileError, match="another run is doing the same prediction"):
        predict_source(list_pictures(tmp_path / "0"), *predict_it)
    predict_source(list_pictures(tmp_path / "1"), *predict_it)
    first.release()
    assert predict_source(list_pictures(tmp_path / "0"), *predict_it).folder.path == first.folder.path


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    name = "ä" * 125
    save_picture(tmp_path / f"source/{name}.jpg", draw_halves((12, 16), 0, 0))
    assert read_red(predict(tmp_path / "source", tmp_path / "out"), name)
