"""Windows around regions, and what they show."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from roadseg.reporting.suspect_crops import crop_suspect, draw_crops, frame_suspect, picture_suspect, place_window
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScene
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


REGION = {"rank": 1, "split": "test", "scene": "a/0", "truth": "road", "predicted": "car"}
REGION |= {"top": 8, "left": 16, "height": 1, "width": 2}


def crop_region(image):
    """Returns the region of two cars in a road of 16 rows and 32 columns."""
    truth, label_map = np.zeros((16, 32), np.uint8), np.zeros((16, 32), np.uint8)
    label_map[8, 16:18] = 1
    return crop_suspect(REGION, Prediction("a/0", truth, label_map, np.ones((16, 32), np.float32)), image)


def test_a_region_is_framed_in_image_annotation_and_prediction():
    image = np.full((16, 32, 3), 200, np.uint8)
    example = frame_suspect(crop_region(image), PALETTE)
    assert example.title == "1, test: a/0, road or car?"
    assert example.image.shape == (6, 12, 3)  # the frame is 3 of 16 rows high
    framed = (example.image == PALETTE.wrong).all(axis=-1)
    assert framed.sum() == 10  # 3 x 4 pixels around the two
    assert example.prediction[~framed].sum() == 2
    assert not example.truth.any()
    assert (image == 200).all()


def test_a_page_frames_the_pixels_of_the_region_in_a_window_without_a_frame():
    framed = picture_suspect(crop_region(np.full((16, 32, 3), 200, np.uint8)), PALETTE)
    assert framed.pictures.size == (6, 12)
    # Rows 6 to 11 and columns 11 to 22 of the scene are in the window: the region begins at 2 of 6 and 5 of 12.
    assert framed.frame == pytest.approx((100 * 5 / 12, 100 * 2 / 6, 100 * 2 / 12, 100 / 6))
    label_map = Image.open(io.BytesIO(base64.b64decode(framed.pictures.prediction.split(",")[1]))).convert("RGB")
    cars = (np.asarray(label_map) == (0, 0, 9)).all(axis=-1)
    assert np.argwhere(cars).tolist() == [[2, 5], [2, 6]]


def test_each_region_is_cut_out_of_its_own_scene_whatever_the_order_of_the_predictions(in_memory):
    images = {scene: np.full((4, 8, 3), value, np.uint8) for scene, value in (("a", 10), ("b", 20))}
    truth = np.zeros((4, 8), np.uint8)
    scenes = in_memory({scene: PreparedScene(image, truth, (4, 8)) for scene, image in images.items()})
    predictions = [Prediction(scene, truth, truth, truth.astype(np.float32)) for scene in "ab"]
    rows = [
        REGION | {"rank": rank, "scene": scene, "top": 1, "left": 2} for rank, scene in ((1, "b"), (2, "a"), (3, "b"))
    ]
    drawn = draw_crops(
        pd.DataFrame(rows), iter(predictions), scenes, lambda crop: (crop.region["rank"], crop.image.max())
    )
    assert drawn == [(1, 20), (2, 10), (3, 20)]
