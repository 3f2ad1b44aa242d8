import re
from xml.etree import ElementTree

import pytest

from roadseg.reporting.curves import write_curves

HISTORY = [
    {"epoch": 1, "loss": 2.0, "mean_iou": 0.1, "val_loss": 1.5, "val_mean_iou": None, "learning_rate": 0.01},
    {"epoch": 2, "loss": 1.0, "mean_iou": 0.3, "val_loss": 1.25, "val_mean_iou": 0.4, "learning_rate": 0.001},
]
HISTORY = [{**row, "seconds": 30.8} for row in HISTORY]


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path.get("d"))]


def curves(svg, colour):
    """Returns how far above the foot of its axes each point of each curve of a colour is."""
    found = []
    for axes in range(1, 4):
        foot = max(y for _, y in points(svg.find(f".//*[@id='axes_{axes}']//*[@d]")))
        paths = svg.findall(f".//*[@id='axes_{axes}']/*/*[@clip-path]")
        drawn = [path for path in paths if f"stroke: {colour};" in path.get("style", "")]
        found += [[foot - y for _, y in points(path)] for path in drawn]
    return found


@pytest.fixture(scope="module")
def svg():
    return ElementTree.fromstring(re.sub(' xmlns="[^"]+"', "", write_curves(HISTORY)))  # noqa: S314 (our own)


def test_loss_and_mean_iou_of_both_splits_are_drawn_to_scale(svg):
    (first_loss, last_loss), (first_iou, last_iou) = curves(svg, "var(--training)")
    assert first_loss / last_loss == pytest.approx(2.0 / 1.0)
    assert first_iou / last_iou == pytest.approx(0.1 / 0.3)
    (first_loss, last_loss), ious = curves(svg, "var(--validation)")
    assert first_loss / last_loss == pytest.approx(1.5 / 1.25)
    assert ious == [pytest.approx(last_iou * 0.4 / 0.3)]  # the epoch without a figure is left out


def test_axes_and_curves_are_named_in_text(svg):
    texts = ["".join(each.itertext()) for each in svg.iter("text")]
    for name in ("loss", "mean IoU", "learning rate", "epoch", "training", "validation"):
        assert name in texts
    assert "best validation mean IoU: 0.4000 (epoch 2)" in texts


def test_every_colour_is_one_of_the_page():
    assert not re.search(r"(fill|stroke): #", write_curves(HISTORY))


def test_equal_histories_give_equal_bytes():
    assert write_curves(HISTORY) == write_curves(HISTORY)
