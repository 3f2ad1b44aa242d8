import base64
import io
import math

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from roadseg.reporting.gallery import choose_gallery, picture_scene
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scoring.prediction import Prediction

CLASSES = (
    SegmentationClass(name="road", colour=(128, 64, 18)),
    SegmentationClass(name="car", colour=(0, 0, 230)),
)
PALETTE = Palette(CLASSES)
ROAD, CAR, BLACK, RED = (128, 64, 18), (0, 0, 230), (0, 0, 0), (213, 0, 0)


def scene_scores(**splits):
    """Returns scene scores of splits, a list of mean IoUs each; scenes are called after split and place."""
    rows = [
        {"scene": f"{split}{place}", "split": split, "mean_iou": score}
        for split, scores in splits.items()
        for place, score in enumerate(scores)
    ]
    return pd.DataFrame(rows)


def opened(address, kind):
    start, content = address.split(",")
    assert start == f"data:image/{kind};base64"
    picture = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
    assert picture.format == kind.upper()
    return picture


def pixels(address, mode="RGB"):
    return [[tuple(pixel) for pixel in row] for row in np.asarray(opened(address, "png").convert(mode)).tolist()]


def pictured(truth, prediction, image=None, palette=PALETTE):
    truth, prediction = np.array(truth, np.uint8), np.array(prediction, np.uint8)
    image = np.full((*truth.shape, 3), 200, np.uint8) if image is None else image
    return picture_scene(Prediction("a", truth, prediction, np.ones(truth.shape, np.float32)), image, palette)


@pytest.mark.parametrize(
    ("scores", "count", "places"),
    [
        ([0.5], 60, [0]),
        ([0.1, 0.9], 60, [1, 0]),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 3, [0, 2, 4]),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 4, [6, 4, 2, 0]),
        ([0.5, 0.4, 0.3], 2, [0, 2]),
        ([0.5, 0.4, 0.3], 1, [0]),
        ([0.5, 0.4, 0.3], 0, []),
        ([0.5, 0.5, 0.5], 3, [0, 1, 2]),
        ([math.nan, 0.3, 0.5], 3, [2, 1]),
        ([math.nan], 3, []),
    ],
)
def test_the_best_and_the_worst_scene_and_even_ranks_between_are_chosen(scores, count, places):
    chosen = choose_gallery(scene_scores(test=scores), count)
    assert chosen["scene"].tolist() == [f"test{place}" for place in places]


def test_each_split_has_its_own_ranks():
    chosen = choose_gallery(scene_scores(train=[0.3, 0.2, 0.1], validation=[math.nan], test=[0.8, 0.9]), 2)
    assert chosen[["scene", "rank", "ranked"]].to_numpy().tolist() == [
        ["train0", 1, 3],
        ["train2", 3, 3],
        ["test1", 1, 2],
        ["test0", 2, 2],
    ]


def test_no_scene_is_chosen_twice():
    for count in range(2, 60):
        chosen = choose_gallery(scene_scores(test=np.linspace(1, 0, 61)), count)
        assert chosen["scene"].nunique() == count
        assert chosen["rank"].iloc[[0, -1]].tolist() == [1, 61]


def test_label_maps_have_the_colours_of_their_classes_and_void_is_black():
    pictures = pictured([[0, 1], [255, 1]], [[0, 0], [1, 1]])
    assert pictures.size == (2, 2)
    assert pixels(pictures.truth) == [[ROAD, CAR], [BLACK, CAR]]
    assert pixels(pictures.prediction) == [[ROAD, ROAD], [CAR, CAR]]


def test_errors_are_red_void_is_black_and_the_rest_lets_the_image_through():
    errors = pixels(pictured([[0, 1], [255, 1]], [[0, 0], [1, 1]]).errors, "RGBA")
    assert errors[0][0][3] == errors[1][1][3] == 0
    assert errors[0][1] == (*RED, 255)
    assert errors[1][0] == (*BLACK, 255)


def test_a_scene_that_is_void_throughout_has_no_errors():
    pictures = pictured([[255, 255]], [[0, 1]])
    assert pixels(pictures.truth) == [[BLACK, BLACK]]
    assert pixels(pictures.errors, "RGBA") == [[(*BLACK, 255)] * 2]


def test_image_keeps_its_colours():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, :32], image[:, 32:] = (200, 40, 20), (20, 40, 200)
    decoded = np.asarray(opened(pictured(np.zeros((64, 64)), np.zeros((64, 64)), image).image, "webp").convert("RGB"))
    assert np.abs(decoded[:, 4:28].astype(int) - (200, 40, 20)).max() < 12
    assert np.abs(decoded[:, 36:60].astype(int) - (20, 40, 200)).max() < 12


def test_wide_scenes_are_made_smaller_without_inventing_classes():
    truth = np.zeros((512, 1024), np.uint8)
    truth[:, 512:] = 255
    pictures = pictured(truth, truth % 2)
    assert pictures.size == (240, 480)
    assert opened(pictures.image, "webp").size == (480, 240)
    assert pixels(pictures.truth) == [[ROAD] * 240 + [BLACK] * 240] * 240


def test_label_maps_take_four_bits_a_pixel_at_most_in_a_dozen_classes():
    assert opened(pictured([[0, 1]], [[0, 1]]).truth, "png").mode == "P"
    classes = tuple(SegmentationClass(name=str(index), colour=(index, 0, 0)) for index in range(12))
    noise = np.random.default_rng(1).integers(0, 12, (100, 100), np.uint8)
    scene = Prediction("a", noise, noise, np.ones(noise.shape, np.float32))
    encoded = picture_scene(scene, np.zeros((100, 100, 3), np.uint8), Palette(classes)).truth
    assert len(base64.b64decode(encoded.split(",")[1])) < 100 * 100 // 2 + 500


def test_180_noisy_scenes_fit_into_fourteen_megabytes():
    random = np.random.default_rng(1)
    shape = (240, 480)
    texture = cv2.GaussianBlur(random.normal(128, 250, (*shape, 1)), (0, 0), 2)[..., None]
    image = (texture + random.normal(0, 8, (*shape, 3))).clip(0, 255).astype(np.uint8)
    coarse, fine = (
        cv2.resize(cv2.GaussianBlur(random.normal(size=(60, 120)), (0, 0), sigma) / 0.1, shape[::-1])
        for sigma in (3, 0.8)
    )
    truth, prediction = coarse > 0, coarse + 0.05 * fine > 0
    pictures = pictured(truth, prediction, image)
    assert 0.005 < (truth != prediction).mean() < 0.2
    sizes = [len(each) for each in (pictures.image, pictures.truth, pictures.prediction, pictures.errors)]
    assert sizes[0] > 20_000  # as much as a photograph of a street
    assert 180 * sum(sizes) < 14_000_000


def test_void_and_wrong_have_the_colours_of_the_palette():
    scene = pictured([[0, 0, 255]], [[0, 1, 1]], palette=Palette(CLASSES, void=(7, 8, 9), wrong=(1, 2, 3)))
    assert pixels(scene.truth) == [[ROAD, ROAD, (7, 8, 9)]]
    assert pixels(scene.errors)[0][1:] == [(1, 2, 3), (7, 8, 9)]
