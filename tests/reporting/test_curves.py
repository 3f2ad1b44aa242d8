import pytest

from roadseg.reporting.curves import plot_training

HISTORY = [
    {"epoch": 1, "loss": 2.0, "mean_iou": 0.1, "val_loss": 1.5, "val_mean_iou": None, "learning_rate": 0.01},
    {"epoch": 2, "loss": 1.0, "mean_iou": 0.3, "val_loss": 1.25, "val_mean_iou": 0.4, "learning_rate": 0.001},
]


def drawn(figure):
    """Returns the curves as (name, axis) -> values."""
    assert all(each["x"] == [1, 2] for each in figure["data"])
    return {(each["name"], each["yaxis"]): each["y"] for each in figure["data"]}


def test_curves_show_the_history_of_both_splits_and_the_learning_rate():
    assert drawn(plot_training(HISTORY, 2)) == {
        ("training", "y"): [2.0, 1.0],
        ("validation", "y"): [1.5, 1.25],
        ("training", "y2"): [0.1, 0.3],
        ("validation", "y2"): [None, 0.4],
        ("learning rate", "y3"): [0.01, 0.001],
    }


@pytest.mark.parametrize("best", [1, 2])
def test_the_epoch_that_was_kept_is_marked_on_every_axis(best):
    lines = plot_training(HISTORY, best)["layout"]["shapes"]
    assert [(line["x0"], line["x1"]) for line in lines] == [(best, best)] * 3


def test_each_curve_is_named_once_and_loss_starts_at_nothing():
    figure = plot_training(HISTORY, 1)
    assert [each["name"] for each in figure["data"] if each["showlegend"]] == ["training", "validation"]
    assert figure["layout"]["yaxis"]["rangemode"] == "tozero"
    assert figure["layout"]["yaxis2"]["range"] == [0, 1]
    assert figure["layout"]["yaxis3"]["type"] == "log"


def test_one_epoch_is_a_point():
    figure = plot_training(HISTORY[1:], 2)
    assert [each["y"] for each in figure["data"]] == [[1.0], [1.25], [0.3], [0.4], [0.001]]
    assert all("markers" in each["mode"] for each in figure["data"])
