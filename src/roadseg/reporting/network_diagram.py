"""The picture of a network: its blocks with their sizes, and the positions that join encoders and decoders."""

import math
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from roadseg.reporting.figures import SPLIT_COLOURS, house_style, start_figure
from roadseg.segnet import keras

CONVOLUTION_WIDTH, GAP = 0.5, 0.7
TEXT: dict[str, Any] = {"va": "top", "fontsize": 6.5, "linespacing": 1.4}
COLOURS = {"encoder": SPLIT_COLOURS[0], "decoder": SPLIT_COLOURS[1], "classifier": SPLIT_COLOURS[2]}


@dataclass(frozen=True)
class Block:
    """Convolutions of one size.

    Attributes:
        name: Such as `encoder1`, `decoder5` or `classifier`.
        size: (height, width) of its maps in pixels.
        filters: Of each of its convolutions, in order.
        kernel_size: (height, width) of the kernels in pixels.
    """

    name: str
    size: tuple[int, int]
    filters: tuple[int, ...]
    kernel_size: tuple[int, int]


def list_blocks(network: keras.Model) -> list[Block]:
    """Returns the blocks of a network that `build_network` made, from the image to the logits."""
    convolutions: dict[str, list[keras.layers.Conv2D]] = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            convolutions.setdefault(layer.name.split("_")[0], []).append(layer)
    return [
        Block(name, each[0].output.shape[1:3], tuple(layer.filters for layer in each), each[0].kernel_size)
        for name, each in convolutions.items()
    ]


@house_style
def draw_network(network: keras.Model, caption: str = "") -> Figure:
    """Returns the blocks of a network from left to right; arcs are the positions of the maxima.

    Args:
        network: As `build_network` made it.
        caption: Small print at the foot.
    """
    blocks = list_blocks(network)
    figure = start_figure(f"{network.name}: {network.count_params():,} parameters", (13, 4.6), caption)
    axes = figure.subplots()
    tallest = math.log2(blocks[0].size[0])
    left, middles = 0.0, {}
    for block in blocks:
        width = CONVOLUTION_WIDTH * len(block.filters)
        height = math.log2(block.size[0]) / tallest
        _draw_block(axes, block, (left, width), height)
        middles[block.name] = (left + width / 2, height / 2)
        left += width + GAP
    for name, start in middles.items():
        if name.startswith("encoder"):
            _join(axes, start, middles[name.replace("encoder", "decoder")])
    axes.text(-GAP, -0.6, "\nmaps\nkernels\nfilters", ha="right", color="0.35", **TEXT)
    axes.text(left / 2, 1.0, "positions of the maxima", ha="center", color="0.35", **TEXT)
    axes.set(xlim=(-2 * GAP, left), ylim=(-1.05, 1.0))
    axes.set_axis_off()
    return figure


def _draw_block(axes: Axes, block: Block, place: tuple[float, float], height: float) -> None:
    left, width = place
    colour = COLOURS[block.name.rstrip("0123456789")]
    for number in range(len(block.filters)):
        corner = (left + number * CONVOLUTION_WIDTH, -height / 2)
        axes.add_patch(Rectangle(corner, CONVOLUTION_WIDTH, height, facecolor=colour, edgecolor="white", alpha=0.85))
    size, kernel = (" x ".join(map(str, each)) for each in (block.size, block.kernel_size))
    text = f"{block.name}\n{size}\n{kernel}\n{', '.join(map(str, block.filters))}"
    axes.text(left + width / 2, -0.6, text, ha="center", **TEXT)


def _join(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arc = FancyArrowPatch(
        start, end, connectionstyle="arc3,rad=-0.12", arrowstyle="-|>", mutation_scale=8, color="0.45", linewidth=0.8
    )
    axes.add_patch(arc)
