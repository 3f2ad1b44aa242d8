import pytest

from predicting.pictures import PALETTE, draw_halves, model_of_colours, predict_options, save_picture, save_video
from roadseg.errors import FileError
from roadseg.predicting.predicted_pictures import predict_source
from roadseg.reading.picture_source import list_pictures


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    save_picture(tmp_path / "source/a.png", draw_halves((12, 16), 0, 1))
    (tmp_path / "out").touch()
    with pytest.raises(FileError, match=f"^'{tmp_path / 'out'}' can't be written: "):
        predict_source(
            list_pictures(tmp_path / "source"), model_of_colours(), tmp_path / "out", PALETTE, predict_options(), 0
        )


def test_what_can_not_be_read_is_counted_beside_what_the_source_has(tmp_path, caplog):
    broken = tmp_path / "source/broken.jpg"
    broken.parent.mkdir()
    broken.write_bytes(b"nothing")
    predict_it = (model_of_colours(), tmp_path / "out", PALETTE, predict_options(), 0)
    with pytest.raises(FileError, match=r"^nothing of 1 picture can be read: broken: 'broken.jpg' is no image"):
        predict_source(list_pictures(tmp_path / "source"), *predict_it)
    save_video(tmp_path / "source/film.avi", [draw_halves((12, 16), 0, 1)] * 3)
    with caplog.at_level("INFO"):
        predict_source(list_pictures(tmp_path / "source"), *predict_it)
    assert "1 of 1 picture and 1 of 1 video to predict" in caplog.messages
    assert "1 fault in 1 picture and 1 video: broken: 'broken.jpg' is no image" in caplog.text
