import pytest

from predicting.pictures import PALETTE, draw_halves, model_of_colours, predict_options, save_picture
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
