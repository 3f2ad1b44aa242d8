import cv2
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from roadseg.reporting.annotation_strip import draw_annotation_strip
from roadseg.scoring.annotation_order import order_for_annotation


@pytest.mark.parametrize("count", [1, 8])
def test_each_picture_has_its_rank_its_reason_and_its_colours(count):
    names = ["d/$x_0", f"{'far/' * 20}1", *"234567"][:count]
    table = pd.DataFrame({"picture": names, "drive": "d", "entropy": np.linspace(1, 0.5, count)})
    order = order_for_annotation(table, np.eye(count, dtype=np.int16), count)
    pictures = [cv2.imencode(".jpg", np.full((20, 30, 3), (0, 0, 250), np.uint8))[1].tobytes()] * count
    figure = draw_annotation_strip(order, pictures)
    assert len(figure.axes) == count
    first = figure.axes[0]
    assert first.get_title(loc="left") == "1. d/$x_0\nentropy 1.00, distance 1.00, round 1"
    assert first.images[0].get_array()[10, 15].tolist() == pytest.approx([250, 0, 0], abs=3)
    if count > 1:
        title = figure.axes[1].get_title(loc="left").splitlines()[0]
        assert title == "2. \N{HORIZONTAL ELLIPSIS}" + ("far/" * 20 + "1")[-39:]
    figure.canvas.draw()
    width, height = figure.bbox.size
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_rows_of_wide_pictures_are_close_to_each_other():
    table = pd.DataFrame({"picture": [*"abcdefghijkl"], "drive": "d", "entropy": 0.5})
    order = order_for_annotation(table, np.eye(12, dtype=np.int16), 12)
    figure = draw_annotation_strip(order, [cv2.imencode(".jpg", np.zeros((20, 60, 3), np.uint8))[1].tobytes()] * 12)
    figure.canvas.draw()
    below = figure.axes[6]
    gap = figure.axes[0].get_position().y0 - below.get_position().y1
    text = below.get_title(loc="left")
    height = next(each for each in below.findobj(Text) if each.get_text() == text).get_window_extent().height
    assert height < gap * figure.bbox.height < 4 * height
