"""Windows around regions, and what they show."""

import numpy as np

from roadseg.reporting.suspect_crops import crop_suspect, place_window
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scoring.prediction import Prediction

PALETTE = Palette((SegmentationClass(name="road", colour=(9, 9, 9)), SegmentationClass(name="car", colour=(0, 0, 9))))


def span(frame, size):
    return [(each.start, each.stop) for each in place_window(frame, size)]


def test_a_window_has_the_form_of_the_scene_and_at_least_a_quarter_of_its_length():
    # 10 of 200 columns: a quarter is more than twice that. Its middle is that of the region.
    assert span((40, 100, 49, 109), (100, 200)) == [(32, 57), (80, 130)]


def test_a_window_is_twice_as_wide_as_a_wide_region_and_the_whole_scene_at_most():
    assert span((40, 60, 49, 119), (100, 200)) == [(15, 75), (30, 150)]  # 60 of 200 columns: 0.6 of each length
    assert span((0, 0, 99, 9), (100, 200)) == [(0, 100), (0, 200)]


def test_a_window_stays_inside_the_scene():
    assert span((-1, -1, 3, 3), (100, 200)) == [(0, 25), (0, 50)]
    assert span((96, 196, 100, 200), (100, 200)) == [(75, 100), (150, 200)]
    assert span((-1, -1, 1, 1), (1, 1)) == [(0, 1), (0, 1)]


def test_a_region_is_framed_in_image_annotation_and_prediction():
    truth, label_map = np.zeros((16, 32), np.uint8), np.zeros((16, 32), np.uint8)
    label_map[8, 16:18] = 1
    image = np.full((16, 32, 3), 200, np.uint8)
    prediction = Prediction("a/0", truth, label_map, np.ones((16, 32), np.float32))
    region = {"rank": 1, "split": "test", "scene": "a/0", "truth": "road", "predicted": "car"}
    region |= {"top": 8, "left": 16, "height": 1, "width": 2}
    example = crop_suspect(region, prediction, image, PALETTE)
    assert example.title == "1, test: a/0, road or car?"
    assert example.image.shape == (6, 12, 3)  # the frame is 3 of 16 rows high
    framed = (example.image == PALETTE.wrong).all(axis=-1)
    assert framed.sum() == 10  # 3 x 4 pixels around the two
    assert example.prediction[~framed].sum() == 2
    assert not example.truth.any()
    assert (image == 200).all()
