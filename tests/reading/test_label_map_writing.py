import io

import numpy as np
import pytest
from PIL import Image

from roadseg.errors import InputError
from roadseg.reading.label_map_writing import LabelMapOptions, encode_label_map, read_values
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette

PALETTE = Palette(
    (SegmentationClass(name="road", colour=(200, 100, 0)), SegmentationClass(name="sky", colour=(0, 0, 250)))
)
LABEL_MAP = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)


@pytest.mark.parametrize("ids", [None, [7, 255]])
def test_values_stay_and_viewers_show_colours(tmp_path, ids):
    values = LabelMapOptions(ids=ids).list_values(2, "ids")
    (tmp_path / "map.png").write_bytes(encode_label_map(LABEL_MAP, values, PALETTE))
    expected = np.array([[0, 1], [7, 255]])[0 if ids is None else 1][LABEL_MAP]
    assert (read_values(tmp_path / "map.png") == expected).all()
    with Image.open(tmp_path / "map.png") as picture:
        shown = np.asarray(picture.convert("RGB"))
    assert (shown == np.array([(200, 100, 0), (0, 0, 250)])[LABEL_MAP]).all()


def test_without_a_palette_a_file_is_grey():
    with Image.open(io.BytesIO(encode_label_map(LABEL_MAP, np.array([3, 9], np.uint8)))) as picture:
        assert picture.mode == "L"
        assert (np.asarray(picture) == np.array([3, 9])[LABEL_MAP]).all()


def test_one_id_per_class_is_asked_for():
    with pytest.raises(InputError, match=r"predict\.label_maps\.ids must be 3, one per class, received 2"):
        LabelMapOptions(ids=[1, 2]).list_values(3, "predict.label_maps.ids")
