import numpy as np
import pytest

from roadseg.reporting.overlay import Overlay, draw_legend
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette

PALETTE = Palette(
    (SegmentationClass(name="road", colour=(200, 100, 0)), SegmentationClass(name="sky, blé", colour=(0, 0, 250)))
)


@pytest.mark.parametrize(("opacity", "expected"), [(0.0, (100, 100, 100)), (0.5, (150, 100, 50)), (1.0, (200, 100, 0))])
def test_colours_cover_by_their_opacity(opacity, expected):
    image = np.full((4, 6, 3), 100, np.uint8)
    painted = Overlay(PALETTE, opacity).paint(image, np.zeros((4, 6), np.uint8))
    assert painted.dtype == np.uint8
    assert np.abs(painted.astype(int) - expected).max() <= 1
    assert (image == 100).all()


def test_the_legend_stands_in_the_corner_of_a_picture_that_has_room():
    image = np.zeros((480, 640, 3), np.uint8)
    label_map = np.ones((480, 640), np.uint8)
    painted = Overlay(PALETTE, 1.0).paint(image, label_map)
    legend = draw_legend(PALETTE, 480 // 30)
    height, width = legend.shape[:2]
    assert (painted[:height, :width] == legend).all()
    for each in PALETTE.classes:
        assert (legend == each.colour).all(axis=-1).any()
    assert (painted[height:] == (0, 0, 250)).all()
    assert (Overlay(PALETTE, 1.0, has_legend=False).paint(image, label_map) == (0, 0, 250)).all()


@pytest.mark.parametrize("size", [(1, 1), (200, 300), (480, 40)])
def test_a_picture_without_room_has_no_legend(size):
    painted = Overlay(PALETTE, 1.0).paint(np.zeros((*size, 3), np.uint8), np.ones(size, np.uint8))
    assert (painted == (0, 0, 250)).all()
