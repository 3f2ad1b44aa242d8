"""Training curves to explore in a browser."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

COLOURS = {"training": "#2a8fd6", "validation": "#d97706"}
"""Three times as bright or dark as both a white and a black page."""

GREY = "#808080"


def plot_training(history: Sequence[Mapping[str, Any]], best_epoch: int) -> dict[str, Any]:
    """Returns loss, mean IoU and learning rate by epoch as a Plotly figure in JSON-like values; colours suit any page.

    Args:
        history: One row an epoch: epoch (from 1), loss, mean_iou, val_loss, val_mean_iou, learning_rate; None where
            there is no figure.
        best_epoch: The epoch that was kept; a dotted line marks it.
    """
    figure = make_subplots(rows=3, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.4, 0.4, 0.2])
    epochs = [row["epoch"] for row in history]
    for place, column in enumerate(("loss", "mean_iou"), 1):
        for name, prefix in (("training", ""), ("validation", "val_")):
            values = [row[prefix + column] for row in history]
            figure.add_trace(_curve(epochs, values, name, COLOURS[name], is_named=place == 1), row=place, col=1)
    rates = [row["learning_rate"] for row in history]
    figure.add_trace(_curve(epochs, rates, "learning rate", GREY, is_named=False), row=3, col=1)
    figure.add_vline(x=best_epoch, line={"dash": "dot", "color": GREY, "width": 1})
    _lay_out(figure, max(epochs))
    described: dict[str, Any] = json.loads(figure.to_json())
    return described


def _curve(epochs: Sequence[int], values: Sequence[float | None], name: str, colour: str, *, is_named: bool) -> Scatter:
    return Scatter(
        x=list(epochs),
        y=list(values),
        name=name,
        legendgroup=name,
        showlegend=is_named,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate="%{y:.4g}",
    )


def _lay_out(figure: Figure, epochs: int) -> None:
    figure.update_layout(
        template="none",
        height=540,
        margin={"l": 70, "r": 20, "t": 30, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        hoverlabel={"bgcolor": "#333", "font": {"color": "#fff"}},
        legend={"orientation": "h", "y": 1.06},
    )
    figure.update_xaxes(showgrid=True, zeroline=False, range=[0.5, epochs + 0.5], dtick=max(1, epochs // 12))
    figure.update_yaxes(showgrid=True, zeroline=False)
    figure.update_xaxes(title="epoch", row=3)
    figure.update_yaxes(title="loss", rangemode="tozero", row=1)
    figure.update_yaxes(title="mean IoU", range=[0, 1], row=2)
    figure.update_yaxes(title="learning rate", type="log", exponentformat="power", nticks=3, row=3)
