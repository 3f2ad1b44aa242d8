from itertools import combinations
from typing import get_args

import cv2
import numpy as np
import pytest

from roadseg.errors import InputError
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import FIXED, SAFE, Palette, PictureOptions, make_palette

EYES = {
    "of all cones": np.eye(3),
    "without red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What of linear red, green and blue is left: Machado, Oliveira and Fernandes, IEEE TVCG 15 (6), 2009, severity 1.0."""

SEVEN = [(128, 64, 18), (244, 35, 232), (220, 20, 60), (0, 0, 230), (220, 190, 40), (70, 70, 70), (70, 130, 180)]
"""Colours of the seven classes."""


def classes(*colours):
    return tuple(SegmentationClass(name=f"class {index}", colour=colour) for index, colour in enumerate(colours))


def options(name):
    return PictureOptions(palette=name)


def smallest_distance(palette, eye):
    """Returns how far apart in CIELAB the two colours are that an eye sees most alike."""
    colours = np.array([*(each.colour for each in palette.classes), palette.void, palette.wrong]) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(eye).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    points = cv2.cvtColor(encoded[None].astype(np.float32), cv2.COLOR_RGB2Lab)[0]
    return min(np.linalg.norm(one - other) for one, other in combinations(points, 2))


def test_the_colours_of_the_classes_are_those_of_the_label_space():
    palette = make_palette(classes(*SEVEN), options("classes"))
    assert palette == Palette(classes(*SEVEN), void=(0, 0, 0), wrong=(213, 0, 0))


def test_a_label_map_is_painted_and_void_has_its_colour():
    label_map = np.array([[0, 1], [255, 0]], np.uint8)
    picture = Palette(classes((128, 64, 18), (0, 0, 230))).paint(label_map)
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[128, 64, 18], [0, 0, 230]], [[0, 0, 0], [128, 64, 18]]]
    assert Palette(classes((1, 2, 3)), void=(9, 9, 9)).paint(label_map)[1, 0].tolist() == [9, 9, 9]


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_safe_colours_apart(eye):
    safe = make_palette(classes(*SEVEN), options("safe"))
    assert {each.colour for each in safe.classes} == set(SAFE)
    assert smallest_distance(safe, EYES[eye]) > 15


def test_every_palette_that_may_be_asked_for_has_its_colours():
    assert set(get_args(PictureOptions.model_fields["palette"].annotation)) == {"classes", *FIXED}
    for name, (colours, _) in FIXED.items():
        palette = make_palette(classes(*colours[::-1]), options(name))
        assert [each.colour for each in palette.classes] == list(colours[::-1])


def test_an_eye_without_red_hardly_tells_apart_the_colours_of_the_seven_classes():
    assert smallest_distance(make_palette(classes(*SEVEN), options("classes")), EYES["without red"]) < 7


def test_a_class_gets_the_safe_colour_that_is_like_its_own():
    drawn = make_palette(classes((0, 0, 200), (250, 240, 80), (90, 200, 250)), options("safe")).classes
    assert [each.name for each in drawn] == ["class 0", "class 1", "class 2"]
    assert [each.colour for each in drawn] == [(0, 114, 178), (240, 228, 66), (86, 180, 233)]  # blue, yellow, sky blue


def test_more_classes_than_safe_colours_are_refused_with_advice_that_works():
    eight = classes(*SEVEN, (1, 1, 1))
    with pytest.raises(InputError, match=r"has 7 colours, and there are 8 classes: give pictures\.palette=classes"):
        make_palette(eight, options("safe"))
    assert make_palette(eight, options("classes")).classes == eight
