import numpy as np
import pytest

from roadseg.scoring.prior import fit_class_prior


def label_map(*rows):
    return np.array(rows, np.uint8)


def test_each_pixel_gets_its_most_frequent_class():
    maps = [label_map([0, 1], [2, 2]), label_map([0, 2], [1, 2]), label_map([1, 2], [1, 0])]
    np.testing.assert_array_equal(fit_class_prior(maps, 3), [[0, 2], [1, 2]])


def test_of_equally_frequent_classes_the_lower_id_is_taken():
    np.testing.assert_array_equal(fit_class_prior([label_map([2, 1]), label_map([1, 2])], 3), [[1, 1]])


def test_void_is_not_counted_and_pixels_without_a_label_get_class_0():
    maps = [label_map([255, 255]), label_map([255, 255]), label_map([2, 255])]
    np.testing.assert_array_equal(fit_class_prior(maps, 3), [[2, 0]])


def test_more_label_maps_than_a_byte_can_count():
    maps = [label_map([1])] * 300 + [label_map([0])] * 299
    np.testing.assert_array_equal(fit_class_prior(iter(maps), 2), [[1]])


def test_without_label_maps_there_is_no_prior():
    with pytest.raises(ValueError, match="received none"):
        fit_class_prior([], 3)
