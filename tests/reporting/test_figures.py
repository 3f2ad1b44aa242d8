"""Figures, read back through what they draw."""

from dataclasses import replace
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from roadseg.reporting import figures
from roadseg.reporting.figures import (
    draw_class_iou,
    draw_confusion,
    draw_score_table,
    draw_training_curves,
)
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.scoring.metrics import count_classes, mean_iou
from roadseg.scoring.scores import SCORES

CLASSES = (
    SegmentationClass(name="road", colour=(128, 64, 18)),
    SegmentationClass(name="car", colour=(0, 0, 230)),
    SegmentationClass(name="sky", colour=(70, 130, 180)),
)
NAMES = [each.name for each in CLASSES]
# In the test split no car is annotated or predicted.
MATRICES = {
    "train": np.array([[1_234_567, 2_000, 0], [5, 95, 0], [3, 0, 997]]),
    "test": np.array([[60, 0, 40], [0, 0, 0], [0, 0, 50]]),
}


def texts_of(artist):
    return [text.get_text() for text in artist.findobj(Text) if text.get_text()]


def axes_titled(figure, title):
    return next(axes for axes in figure.axes if axes.get_title() == title)


def matrix_texts(axes, num_classes):
    return np.reshape([text.get_text() for text in axes.texts[: num_classes**2]], (num_classes, num_classes)).tolist()


def history(val_loss, val_mean_iou):
    num_epochs = len(val_loss)
    return pd.DataFrame(
        {
            "epoch": range(1, num_epochs + 1),
            "loss": np.linspace(1, 0.5, num_epochs),
            "mean_iou": np.linspace(0.2, 0.6, num_epochs),
            "val_loss": val_loss,
            "val_mean_iou": val_mean_iou,
            "learning_rate": 1e-4,
            "seconds": 1250.0,
        }
    )


def test_confusion_has_a_row_a_split_with_abbreviated_counts_and_percents():
    figure = draw_confusion(MATRICES, NAMES)
    counts = axes_titled(figure, "train: pixels")
    shares = axes_titled(figure, "train: percent of each true class")
    assert matrix_texts(counts, 3) == [["1.23M", "2k", "0"], ["5", "95", "0"], ["3", "0", "997"]]
    assert matrix_texts(shares, 3) == [["100", "<1", "0"], ["5", "95", "0"], ["<1", "0", "100"]]
    assert [axes.get_title() for axes in figure.axes if axes.images and axes.get_title()] == [
        "train: pixels",
        "train: percent of each true class",
        "test: pixels",
        "test: percent of each true class",
    ]


def test_confusion_names_true_classes_down_and_predicted_ones_across():
    axes = axes_titled(draw_confusion(MATRICES, NAMES), "train: pixels")
    assert axes.get_ylabel() == "true class"
    assert axes.get_xlabel() == "predicted class"
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert [label.get_text() for label in axes.get_xticklabels()] == NAMES


def test_confusion_colours_counts_by_logarithm_and_shares_from_0_to_1():
    figure = draw_confusion({"test": np.array([[60, 40], [15, 45]])}, ["road", "sky"])
    shares = axes_titled(figure, "test: percent of each true class").images[0]
    counts = axes_titled(figure, "test: pixels").images[0]
    assert shares.get_clim() == (0, 1)
    np.testing.assert_allclose(np.ma.filled(shares.get_array(), np.nan), [[0.6, 0.4], [0.25, 0.75]])
    assert float(counts.norm(np.sqrt(60))) == pytest.approx(0.5)


def test_confusion_hatches_the_class_that_the_truth_does_not_hold():
    axes = axes_titled(draw_confusion(MATRICES, NAMES), "test: percent of each true class")
    (hatched,) = [patch for patch in axes.patches if patch.get_hatch()]
    assert hatched.get_bbox().bounds == (-0.5, 0.5, 3, 1)
    assert matrix_texts(axes, 3)[1] == ["", "", ""]
    assert texts_of(axes).count("absent") == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999"), (1000, "1k"), (999_499, "999k"), (999_500, "1M"), (12_345_678, "12.3M"), (1_615_910_400, "1.62G")],
)
def test_counts_have_three_digits(count, text):
    axes = axes_titled(draw_confusion({"train": np.array([[count]])}, ["road"]), "train: pixels")
    assert matrix_texts(axes, 1) == [[text]]


def test_class_iou_has_a_bar_a_split_and_class():
    axes = draw_class_iou(MATRICES, Palette(CLASSES)).axes[0]
    train, test = axes.containers
    np.testing.assert_allclose(train.datavalues, [1_234_567 / 1_236_575, 95 / 2_100, 997 / 1_000])
    np.testing.assert_equal(test.datavalues, [0.6, np.nan, 50 / 90])
    assert [text.get_text() for text in axes.texts] == ["0.9984", "0.0452", "0.9970", "0.6000", "absent", "0.5556"]
    assert [label.get_text().strip() for label in axes.get_yticklabels()] == NAMES


def test_class_iou_marks_each_mean_over_the_classes_that_occur():
    axes = draw_class_iou(MATRICES, Palette(CLASSES)).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train: mean 0.6802", "test: mean 0.5778"]
    dashed = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert dashed == pytest.approx([0.6802, (0.6 + 5 / 9) / 2], abs=1e-4)


def test_class_iou_shows_the_colours_of_the_classes_beside_their_names():
    (swatches,) = draw_class_iou(MATRICES, Palette(CLASSES)).axes[0].collections
    shown = np.round(255 * swatches.get_facecolors()[:, :3]).astype(int)
    assert [tuple(colour) for colour in shown.tolist()] == [each.colour for each in CLASSES]


def test_class_iou_without_pixels_is_absent_throughout():
    axes = draw_class_iou({"test": np.zeros((3, 3), np.int64)}, Palette(CLASSES)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["absent"] * 3
    assert axes.get_legend().get_texts()[0].get_text() == "test: mean \N{EN DASH}"


def score_cells(rows):
    score_table = pd.DataFrame(rows, columns=["split", "scenes", "pixels", *SCORES]).assign(**{"IoU road": 0.1})
    (table,) = draw_score_table(score_table).axes[0].tables
    return np.reshape(
        [table[cell].get_text().get_text() for cell in sorted(table.get_celld())], (-1, 3 + len(SCORES))
    ).tolist()


def test_score_table_shows_every_score():
    values = [0.62581 + 0.01 * place for place in range(len(SCORES))]
    headings, train = score_cells([["train", 14027, 1_615_910_400, *values]])
    assert headings[:3] == ["split", "scenes", "pixels"]
    assert [" ".join(heading.split()).replace("- ", "-") for heading in headings[3:]] == [
        each.title for each in SCORES.values()
    ]
    assert "frequency-\nweighted IoU" in headings
    assert train[:6] == ["train", "14,027", "1,615,910,400", "0.6258", "0.6358", "0.6458"]


@pytest.mark.parametrize("undefined", [None, np.nan])
def test_score_table_of_a_split_without_pixels_is_undefined(undefined):
    assert score_cells([["test", 3, 0, *[undefined] * len(SCORES)]])[1] == [
        "test",
        "3",
        "0",
        *["\N{EN DASH}"] * len(SCORES),
    ]


def test_training_curves_name_the_best_epochs_and_the_duration():
    figure = draw_training_curves(history([0.9, 0.4, 0.5], [0.3, 0.45, 0.5643]))
    loss_axes, iou_axes, rate_axes = figure.axes
    assert "lowest validation loss: 0.4000 (epoch 2)" in texts_of(loss_axes.get_legend())
    assert "best validation mean IoU: 0.5643 (epoch 3)" in texts_of(iou_axes.get_legend())
    assert figure.get_suptitle() == "Training: 3 epochs in 1:02:30 (h:mm:ss)"
    assert rate_axes.get_ylabel() == "learning rate"


def test_training_curves_draw_training_and_validation_and_circle_the_best():
    loss_axes, iou_axes, _ = draw_training_curves(history([0.9, 0.4, 0.5], [0.3, 0.45, 0.56])).axes
    curves = {line.get_label(): line.get_xydata().tolist() for line in loss_axes.lines}
    assert curves["training"] == [[1, 1], [2, 0.75], [3, 0.5]]
    assert curves["validation"] == [[1, 0.9], [2, 0.4], [3, 0.5]]
    assert loss_axes.lines[2].get_xydata().tolist() == [[2, 0.4]]
    assert iou_axes.lines[2].get_xydata().tolist() == [[3, 0.56]]


def test_training_curves_of_a_single_epoch_show_it_whole():
    figure = draw_training_curves(history([1.5], [0.25]))
    loss_axes, _, rate_axes = figure.axes
    assert figure.get_suptitle() == "Training: 1 epoch in 0:20:50 (h:mm:ss)"
    assert loss_axes.get_ylim()[1] > 1.5 * 1.04
    assert rate_axes.get_xlim() == (0.5, 1.5)
    assert [tick for tick in rate_axes.get_xticks() if 0.5 < tick < 1.5] == [1]


def test_training_curves_resumed_at_a_later_index_name_the_epoch_not_the_row():
    rows = history([0.9, 0.4, 0.5], [0.3, 0.45, 0.56]).iloc[1:]
    assert "lowest validation loss: 0.4000 (epoch 2)" in texts_of(draw_training_curves(rows).axes[0])


def test_captions_are_wrapped_at_the_foot():
    caption = "model 2026-01-02T03.04.05.678Z, prepared scenes 2026-01-01T03.04.05.678Z, " * 4
    lines = draw_training_curves(history([1.5], [0.25]), caption).get_supxlabel().split("\n")
    assert " ".join(lines) == caption.strip()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 144


@pytest.mark.parametrize("num_classes", [7, 11, 19])
def test_nothing_sticks_out_of_a_figure_or_covers_a_neighbour(num_classes):
    names = [f"road-side thing {index}" for index in range(num_classes)]
    classes = tuple(SegmentationClass(name=name, colour=(0, 0, 0)) for name in names)
    figure = draw_class_iou(
        {"train": np.eye(num_classes, dtype=int), "test": np.eye(num_classes, dtype=int)}, Palette(classes)
    )
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.get_yticklabels()]
    values = [text.get_window_extent() for text in axes.texts]
    assert (len(boxes), len(values)) == (num_classes, 2 * num_classes)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes + values)
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    values.sort(key=lambda box: box.y0)
    assert not any(one.overlaps(other) for one, other in pairwise(values))


@pytest.mark.parametrize("more", [0, 1, 4])
def test_no_heading_or_score_covers_its_neighbour(more, monkeypatch):
    further = {f"further_{number}": replace(SCORES["mean_class_accuracy"]) for number in range(more)}
    scores = {**SCORES, **further}
    monkeypatch.setattr(figures, "SCORES", scores)
    row = ["validation", 140_027, 1_615_910_400, *[0.5] * len(scores)]
    table = pd.DataFrame([row], columns=["split", "scenes", "pixels", *scores])
    figure = draw_score_table(table)
    figure.draw_without_rendering()
    (drawn,) = figure.axes[0].tables
    for line in range(2):
        boxes = [drawn[line, place].get_text().get_window_extent() for place in range(table.shape[1])]
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))


MANY = [f"class {index:03} {'y' * 60}" for index in range(255)]


def many_matrices():
    random = np.random.default_rng(0)
    return {split: random.integers(0, 3, (255, 255)) for split in ("train", "validation", "test")}


def test_of_many_classes_the_most_confused_have_rows_in_a_picture_of_a_size_that_opens():
    matrices = many_matrices()
    figure = draw_confusion(matrices, MANY)
    axes = axes_titled(figure, "test: pixels")
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == 21
    assert names[-1] == "235 others"
    assert all(len(name) <= 24 for name in names)
    assert np.ma.filled(axes.images[0].get_array(), 0).sum() == matrices["test"].sum()
    assert max(figure.get_size_inches()) * 120 < 3900  # pixels, as the catalog saves it


def test_of_many_classes_the_most_confused_have_bars_and_the_means_are_those_of_all():
    matrices = many_matrices()
    classes = tuple(SegmentationClass(name=name, colour=(0, 0, 0)) for name in MANY)
    figure = draw_class_iou(matrices, Palette(classes))
    (axes,) = figure.axes
    assert len(axes.get_yticklabels()) == 40
    assert figure.get_suptitle() == "IoU of the 40 classes of 255 with the most wrong pixels"
    mean = mean_iou(count_classes(matrices["test"]))
    assert axes.get_legend().get_texts()[2].get_text() == f"test: mean {mean:.4f}"
    assert max(figure.get_size_inches()) * 120 < 3900  # pixels, as the catalog saves it


@pytest.mark.parametrize("name", ["$x$", "$\\frac$", "_background_", "a\nb"])
def test_a_class_may_be_called_anything(name):
    shown = " ".join(name.split())
    named = CLASSES[0].model_copy(update={"name": name})
    for figure in (
        draw_confusion({"test": np.eye(2, dtype=np.int64)}, [name, "sky"]),
        draw_class_iou({"test": np.eye(2, dtype=np.int64)}, Palette((named, CLASSES[2]))),
    ):
        figure.canvas.draw()
        labels = figure.axes[0].get_yticklabels()
        assert labels[0].get_text().strip() == shown
        assert not labels[0].get_parse_math()


def test_figures_leave_the_settings_of_matplotlib_alone():
    before = dict(mpl.rcParams)
    draw_confusion(MATRICES, NAMES)
    assert dict(mpl.rcParams) == before
