"""Pictures of scores and of training. Every function returns a matplotlib figure and touches no global state.

Splits and classes keep the order in which they are given. A caption stands at the foot of its figure, to name the
versions of model, data and split. What is undefined, such as the IoU of an absent class, is never drawn as 0.
"""

import textwrap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from roadseg.reporting.numbers import abbreviate_count, write_score
from roadseg.scenes.palette import Palette
from roadseg.scoring.metrics import class_iou, count_classes, mean_iou
from roadseg.scoring.most_confused import choose_most_confused, gather_others
from roadseg.scoring.scores import SCORES

Matrices = Mapping[str, NDArray[np.int64]]  # split to its confusion matrix

house_style = rc_context(
    {
        "font.size": 8,
        "figure.titlesize": 12,
        "figure.dpi": 120,
        "text.parse_math": False,  # a name may hold dollar signs
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": "0.9",
        "legend.frameon": False,
    }
)
MATRIX_CLASSES, BAR_CLASSES = 20, 40
"""How many classes a matrix and the bars have room for, three splits in a picture of 4000 pixels a side at most."""

NAME_LENGTH = 24
"""Letters of a name that a picture shows."""

SPLIT_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")  # Okabe and Ito's, told apart by every eye


@house_style
def draw_confusion(matrices: Matrices, class_names: Sequence[str], caption: str = "") -> Figure:
    """Returns the confusion matrices, one row per split: left pixel counts, right shares of each true class.

    Of many classes those of each split with the most wrong pixels have rows and columns, and the others share one.

    Args:
        matrices: Split to (K, K) int64, true classes along the rows.
        class_names: K names in the order of the ids.
        caption: Small print at the foot.
    """
    side = max(3.2, 0.42 * min(len(class_names), MATRIX_CLASSES + 1))
    size = (2 * (side + 1.9), len(matrices) * (side + 1.25) + 0.8)
    figure = start_figure("Which class was predicted as which", size, caption)
    panels = figure.subplots(len(matrices), 2, squeeze=False)
    for (split, whole), (left, right) in zip(matrices.items(), panels, strict=True):
        matrix, names = gather_others(whole, class_names, MATRIX_CLASSES)
        counts = left.imshow(np.where(matrix > 0, matrix, np.nan), cmap="Blues", norm=LogNorm(1, max(10, matrix.max())))
        _write_cells(left, counts, matrix, [[abbreviate_count(count) for count in row] for row in matrix.tolist()])
        left.set_title(f"{split}: pixels")
        totals = matrix.sum(axis=1, keepdims=True)
        shares = np.divide(matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)
        percents = right.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        _write_cells(right, percents, shares, [[_percent(share) for share in row] for row in shares])
        _hatch_absent_rows(right, np.flatnonzero(totals == 0))
        right.set_title(f"{split}: percent of each true class")
        figure.colorbar(counts, ax=left, shrink=0.8).minorticks_off()
        figure.colorbar(percents, ax=right, shrink=0.8, format=PercentFormatter(1))
        for axes in (left, right):
            _name_both_axes(axes, list(map(shorten_name, names)))
    return figure


@house_style
def draw_class_iou(matrices: Matrices, palette: Palette, caption: str = "") -> Figure:
    """Returns the IoU of each class as bars, one bar per split, the mean of each split as a dashed line.

    Of many classes those with the most wrong pixels have bars; the means are those of all.

    Args:
        matrices: Split to (K, K) int64, true classes along the rows.
        palette: Of the K classes.
        caption: Small print at the foot.
    """
    classes, thickness = palette.classes, 0.84 / len(matrices)
    chosen = choose_most_confused(np.sum(list(matrices.values()), axis=0), BAR_CLASSES)
    drawn = [classes[index] for index in chosen]
    size = (8.0, 1.6 + len(drawn) * (0.18 + 0.17 * len(matrices)))
    whole = f"the {len(drawn)} classes of {len(classes)} with the most wrong pixels"
    figure = start_figure(f"IoU of {whole if len(drawn) < len(classes) else 'each class'}", size, caption)
    axes = figure.subplots()
    for index, (split, matrix) in enumerate(matrices.items()):
        colour = SPLIT_COLOURS[index % len(SPLIT_COLOURS)]
        counts = count_classes(matrix)
        ious, mean = class_iou(counts)[chosen], mean_iou(counts)
        places = np.arange(len(drawn)) + (index - (len(matrices) - 1) / 2) * thickness
        label = f"{split}: mean {write_score(mean)}"
        axes.barh(places, ious, 0.9 * thickness, color=colour, label=label)
        for place, iou in zip(places, ious, strict=True):
            colour_of_text = "0.45" if np.isnan(iou) else "black"
            written = "absent" if np.isnan(iou) else write_score(iou)
            text = axes.text(np.nan_to_num(iou) + 0.008, place, written, color=colour_of_text)
            text.set(va="center", fontsize=7, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
        axes.axvline(mean, color=colour, linestyle="--", linewidth=1, zorder=0.5)
    axes.set_yticks(range(len(drawn)), [f"{shorten_name(each.name)}     " for each in drawn])
    colours, beside_axis = [hex_colour(each.colour) for each in drawn], np.full(len(drawn), -0.015)
    axes.scatter(beside_axis, range(len(drawn)), c=colours, marker="s", s=60, clip_on=False)
    axes.set(xlim=(0, 1.08), ylim=(len(drawn) - 0.5, -0.5), xlabel="IoU", xticks=np.linspace(0, 1, 6))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(matrices))
    return figure


@house_style
def draw_score_table(score_table: pd.DataFrame, caption: str = "") -> Figure:
    """Returns the scores of all splits as a drawn table.

    Args:
        score_table: One row per split: split, scenes, pixels and all `SCORES`; a score is 0..1, NaN or None.
        caption: Small print at the foot.
    """
    size = (4 + len(SCORES), 1.5 + 0.32 * len(score_table))
    figure = start_figure("Scores of each split", size, caption)
    axes = figure.subplots()
    axes.set_axis_off()
    rows = score_table[["split", "scenes", "pixels", *SCORES]].itertuples(index=False)
    headings = ["split", "scenes", "pixels", *(_in_two_lines(each.title) for each in SCORES.values())]
    texts = [[row[0], f"{row[1]:,}", f"{row[2]:,}", *(write_score(score) for score in row[3:])] for row in rows]
    inches = [1.3, 0.8, 1.3, *len(SCORES) * [1.1]]
    widths = [each / sum(inches) for each in inches]
    table = axes.table(texts, colLabels=headings, colWidths=widths, bbox=Bbox.unit())
    table.auto_set_font_size(False)
    for (row, column), cell in table.get_celld().items():
        cell.set(edgecolor="0.8", linewidth=0.8, facecolor="0.93" if row == 0 else "white")
        cell.visible_edges = "B"
        cell.set_text_props(ha="left" if column == 0 else "right", fontsize=9, weight="bold" if row == 0 else "normal")
    return figure


@house_style
def draw_training_curves(history: pd.DataFrame, caption: str = "") -> Figure:
    """Returns loss, mean IoU and learning rate over the epochs, the best validation epochs named.

    Args:
        history: One row per epoch: epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate, seconds.
        caption: Small print at the foot.
    """
    epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    duration = timedelta(seconds=round(history["seconds"].sum()))
    figure = start_figure(f"Training: {epochs} in {duration} (h:mm:ss)", (8, 7.5), caption)
    loss_axes, iou_axes, rate_axes = figure.subplots(3, sharex=True, height_ratios=(3, 3, 1))
    lowest, highest = history["val_loss"].idxmin(), history["val_mean_iou"].idxmax()
    _draw_curve(loss_axes, history, "loss", best=lowest, best_name="lowest validation loss")
    _draw_curve(iou_axes, history, "mean_iou", best=highest, best_name="best validation mean IoU")
    loss_axes.axhline(0, linewidth=0)  # draws nothing, but makes room above the highest loss when the axis starts at 0
    loss_axes.set(ylabel="loss", ylim=(0, None))
    iou_axes.set(ylabel="mean IoU", ylim=(0, 1))
    rate_axes.step(history["epoch"], history["learning_rate"], where="mid", color="0.35", marker=".")
    rate_axes.set(xlabel="epoch", ylabel="learning rate", yscale="log")
    rate_axes.set_xlim(history["epoch"].min() - 0.5, history["epoch"].max() + 0.5)
    rate_axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (loss_axes, iou_axes, rate_axes):
        axes.grid()
    return figure


def start_figure(title: str, size: tuple[float, float], caption: str) -> Figure:
    """Returns a figure of (width, height) inches with a title at the head and a wrapped caption at the foot."""
    figure = Figure(figsize=size)
    figure.suptitle(title)
    # A letter of 7 points is about 4 points wide; matplotlib's own wrapping is unknown to its layout.
    figure.supxlabel(textwrap.fill(caption, int(size[0] * 72 / 4)), x=0.01, ha="left", fontsize=7, color="0.35")
    return figure


def _write_cells(axes: Axes, picture: AxesImage, values: NDArray[Any], texts: Sequence[Sequence[str]]) -> None:
    """Writes a text into every cell, white where the cell is dark."""
    brightness = picture.to_rgba(values)[..., :3].mean(axis=-1)
    for (row, column), value in np.ndenumerate(values):
        colour = "0.6" if value == 0 else "white" if brightness[row, column] < 0.55 else "black"
        axes.text(column, row, texts[row][column], ha="center", va="center", color=colour, fontsize=7, in_layout=False)


def _hatch_absent_rows(axes: Axes, rows: NDArray[np.int64]) -> None:
    """Hatches the rows of the classes that the truth does not hold."""
    width = axes.get_xlim()[1] + 0.5
    for row in rows:
        axes.add_patch(Rectangle((-0.5, row - 0.5), width, 1, facecolor="0.95", edgecolor="0.7", hatch="////"))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(width / 2 - 0.5, row, "absent", ha="center", va="center", fontsize=7, style="italic", bbox=box)


def _name_both_axes(axes: Axes, class_names: Sequence[str]) -> None:
    """Class names on both axes, rotated below."""
    ids = range(len(class_names))
    axes.set_xticks(ids, class_names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ids, class_names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")


def _draw_curve(axes: Axes, history: pd.DataFrame, column: str, *, best: Any, best_name: str) -> None:
    """Curves of training and validation, the best validation epoch starred."""
    epochs, validation = history["epoch"], history[f"val_{column}"]
    axes.plot(epochs, history[column], color=SPLIT_COLOURS[0], marker=".", label="training")
    axes.plot(epochs, validation, color=SPLIT_COLOURS[1], marker=".", label="validation")
    label = f"{best_name}: {validation[best]:.4f} (epoch {epochs[best]})"
    axes.plot(epochs[best], validation[best], "o", color="black", markersize=10, fillstyle="none", label=label)
    axes.legend()


def shorten_name(name: str) -> str:
    """Returns a name on one line, its end left out where it is long."""
    line = " ".join(name.split())
    return line if len(line) <= NAME_LENGTH else f"{line[: NAME_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}"


def _in_two_lines(title: str) -> str:
    """Returns a title in as narrow a column of at most two lines as its words allow."""
    wrapped = (textwrap.wrap(title, width, break_long_words=False) for width in range(8, max(8, len(title)) + 1))
    return "\n".join(next(lines for lines in wrapped if len(lines) <= 2))


def _percent(share: float) -> str:
    """Returns a share in whole percents; nothing when it is undefined."""
    return "" if np.isnan(share) else "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def hex_colour(colour: tuple[int, int, int]) -> str:
    """Returns an RGB colour as matplotlib reads it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
