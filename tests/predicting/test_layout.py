import numpy as np

from roadseg.predicting.layout import describe_layout, stack_layouts


def test_each_cell_counts_its_classes():
    label_map = np.zeros((64, 128), np.uint8)
    label_map[:16, :32] = 200  # the first cell
    label_map[48:, 96:112] = 3  # the left half of the last one
    assert describe_layout(label_map) == {
        0: (0, *[256] * 14, 128),
        3: (*[0] * 15, 128),
        200: (256, *[0] * 15),
    }


def test_a_picture_of_one_pixel_is_of_one_class_throughout():
    assert describe_layout(np.full((1, 1), 254, np.uint8)) == {254: (256,) * 16}


def test_layouts_of_other_classes_are_put_side_by_side():
    one, other = {3: tuple(range(16))}, {1: (7,) * 16, 3: (0,) * 16}
    stacked = stack_layouts([one, other])
    assert stacked.dtype == np.int16
    assert stacked.tolist() == [[0] * 16 + list(range(16)), [7] * 16 + [0] * 16]
