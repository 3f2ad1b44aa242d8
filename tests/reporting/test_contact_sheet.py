import numpy as np
import pytest

from roadseg.reporting.contact_sheet import draw_contact_sheet
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScene

CLASSES = (SegmentationClass(name="road", colour=(200, 0, 50)), SegmentationClass(name="sky", colour=(0, 100, 250)))
WHITE, BLENDED_ROAD, BLENDED_SKY, PLAIN = [255] * 3, [150, 50, 75], [50, 100, 175], [100] * 3


def scene(label_map):
    label_map = None if label_map is None else np.array(label_map, np.uint8)
    return PreparedScene(np.full((2, 4, 3), 100, np.uint8), label_map, (2, 4))


ROAD_SKY_VOID = scene([[0, 0, 1, 255]] * 2)


def test_labels_lie_over_the_image_at_half_strength_and_void_shows_it():
    sheet = draw_contact_sheet([ROAD_SKY_VOID], Palette(CLASSES), columns=1, width=4)
    assert sheet.dtype == np.uint8
    assert sheet[:2, :4].tolist() == [[BLENDED_ROAD, BLENDED_ROAD, BLENDED_SKY, PLAIN]] * 2


def test_scene_without_labels_is_shown_as_it_is():
    assert (draw_contact_sheet([scene(None)], Palette(CLASSES), columns=1, width=4)[:2, :4] == 100).all()


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (1, 3, 1), (3, 3, 1), (4, 3, 2), (4, 1, 4)])
def test_sheet_has_rows_of_columns_with_a_margin_of_four(count, columns, rows):
    sheet = draw_contact_sheet([scene(None)] * count, Palette(CLASSES), columns=columns, width=4)
    assert sheet.shape == (rows * (2 + 4), columns * (4 + 4), 3)
    shown = sheet.reshape(rows, 6, columns, 8, 3)[:, 0, :, 0].reshape(-1, 3).tolist()
    assert shown == [PLAIN] * count + [WHITE] * (rows * columns - count)
    assert (sheet[2:6] == 255).all()
    assert (sheet[:, 4:8] == 255).all()


def test_scenes_stand_in_order_row_by_row():
    shades = [PreparedScene(np.full((2, 4, 3), shade, np.uint8), None, (2, 4)) for shade in (10, 20, 30)]
    sheet = draw_contact_sheet(shades, Palette(CLASSES), columns=2, width=4)
    assert [sheet[0, 0, 0], sheet[0, 8, 0], sheet[6, 0, 0], sheet[6, 8, 0]] == [10, 20, 30, 255]


@pytest.mark.parametrize(("width", "size"), [(2, (1, 2)), (8, (4, 8)), (4, (2, 4))])
def test_pictures_keep_their_proportions(width, size):
    sheet = draw_contact_sheet([scene(None)], Palette(CLASSES), columns=1, width=width)
    assert sheet.shape == (size[0] + 4, size[1] + 4, 3)
    assert (sheet[: size[0], : size[1]] == 100).all()


def test_scenes_are_left_as_they_were():
    before = ROAD_SKY_VOID.image.copy()
    draw_contact_sheet([ROAD_SKY_VOID], Palette(CLASSES), columns=1, width=4)
    np.testing.assert_array_equal(ROAD_SKY_VOID.image, before)
