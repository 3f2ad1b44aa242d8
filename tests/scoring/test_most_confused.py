"""The choice of classes for pictures, by hand."""

import numpy as np
import pytest

from roadseg.scoring.most_confused import choose_most_confused, gather_others

NAMES = ["road", "car", "sky", "person"]
# Missed and invented pixels: road 1 + 4, car 3 + 0, sky 4 + 4, person 0 + 0.
MATRIX = np.array([[90, 0, 1, 0], [0, 5, 3, 0], [4, 0, 7, 0], [0, 0, 0, 60]])


@pytest.mark.parametrize(("count", "ids"), [(0, []), (1, [2]), (2, [0, 2]), (3, [0, 1, 2]), (9, [0, 1, 2, 3])])
def test_classes_with_the_most_wrong_pixels_are_chosen_in_their_order(count, ids):
    assert choose_most_confused(MATRIX, count) == ids


def test_all_others_share_a_row_and_a_column_and_no_pixel_is_lost():
    matrix, names = gather_others(MATRIX, NAMES, 2)
    assert names == ["road", "sky", "2 others"]
    assert matrix.tolist() == [[90, 1, 0], [4, 7, 0], [0, 3, 65]]


def test_classes_that_have_room_are_left_as_they_are():
    matrix, names = gather_others(MATRIX, NAMES, 4)
    assert names == NAMES
    assert matrix is MATRIX
