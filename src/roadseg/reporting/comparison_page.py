"""Tables and pictures of a comparison of two runs, called A and B, as one self-contained HTML page."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.reporting.numbers import write_score
from roadseg.reporting.page import embed_picture, render_page
from roadseg.scenes.palette import Palette
from roadseg.scoring.bootstrap import MIN_DRIVES
from roadseg.scoring.scores import SCORES

JUDGEMENT = "B is"
"""Heading of the column of `judge_interval`."""


@dataclass(frozen=True)
class Section:
    """A table in words.

    Attributes:
        title: Its heading.
        columns: Headings of the columns.
        rows: One text per column; none where there is nothing to tell.
        remark: What else is to say.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""


@dataclass(frozen=True)
class ScenePictures:
    """A scene as two networks see it.

    Attributes:
        title: Its name and scores.
        image: (height, width, 3) uint8, RGB.
        truth: (height, width) uint8, class ids, 255 = void.
        first: Same shape and type, class ids that A predicts.
        second: Same, of B.
    """

    title: str
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


def describe_differences(table: pd.DataFrame, *, title: str, num_drives: int) -> Section:
    """Returns the section of a table that `compare_scores` made.

    Args:
        table: The scores.
        title: Heading of the section.
        num_drives: How many drives the scenes are of.
    """
    has_intervals = num_drives >= MIN_DRIVES
    columns = ["score", "A", "B", "B less A"] + (["95 % interval", JUDGEMENT] if has_intervals else [])
    rows = []
    for each in table.to_dict("records"):
        interval = "" if np.isnan(each["low"]) else f"[{each['low']:+.4f}, {each['high']:+.4f}]"
        judged = [interval, judge_interval(each["low"], each["high"], _best_of(each["score"]))] if has_intervals else []
        rows.append([name_score(each["score"], each["class"]), *_describe_pair(each), *judged])
    if has_intervals:
        remark = (
            f"Intervals over {num_drives} drives, drawn with replacement, the same ones for A and B. They say how the "
            f"difference varies with other drives, not with another training."
        )
    else:
        remark = (
            f"No intervals: an interval needs at least {MIN_DRIVES} drives, and these scenes are from {num_drives}."
        )
    return Section(title, columns, rows, remark)


def name_score(score: str, class_name: str | None) -> str:
    """Returns what the row of a score is called; of a class its IoU.

    Args:
        score: Its name; `iou` with a class.
        class_name: Missing where the score is of no class.
    """
    return score if pd.isna(class_name) else f"IoU {class_name}"


def describe_scenes(scenes: pd.DataFrame, *, title: str) -> Section:
    """Returns the section of scenes that `choose_changed` chose."""
    rows = [[each["scene"], each["drive"], *_describe_pair(each)] for each in scenes.to_dict("records")]
    return Section(title, ("scene", "drive", "A", "B", "B less A"), rows)


def describe_change(difference: float) -> str:
    """Returns a difference in four digits with its sign, nothing where it is undefined."""
    return "" if np.isnan(difference) else f"{difference:+.4f}"


def judge_interval(low: float, high: float, best: int = 1) -> str:
    """Returns whether an interval of differences is above or below 0: better, worse, or no clear difference.

    Args:
        low: Lower end; NaN where there is no interval, which is not judged.
        high: Upper end.
        best: The best score, as `Score` has it: with 0, less is better.
    """
    if np.isnan(low):
        return ""
    if low <= 0 <= high:
        return "no clear difference"
    return "better" if (low > 0) == (best == 1) else "worse"


def write_page(
    *,
    first: str,
    second: str,
    notes: Sequence[str],
    sections: Sequence[Section],
    pictures: Sequence[ScenePictures],
    palette: Palette,
) -> str:
    """Returns the page.

    Args:
        first: Name of A.
        second: Name of B.
        notes: What a reader must know before the tables.
        sections: The tables.
        pictures: Scenes, from top to bottom.
        palette: Of the classes of their label maps.
    """
    rows = [(each.title, _encode_scene(each, palette)) for each in pictures]
    colours = [*((each.name, each.colour) for each in palette.classes), ("void", palette.void)]
    return render_page(
        "comparison.html.jinja",
        first=first,
        second=second,
        notes=notes,
        sections=sections,
        judgement=JUDGEMENT,
        pictures=rows,
        colours=colours,
    )


def _best_of(name: str) -> int:
    return SCORES[name].best if name in SCORES else 1  # else it is the IoU of a class


def _describe_pair(row: Mapping[Hashable, Any]) -> list[str]:
    return [write_score(row["first"]), write_score(row["second"]), describe_change(row["difference"])]


def _encode_scene(scene: ScenePictures, palette: Palette) -> list[tuple[str, str]]:
    maps = {"truth": scene.truth, "A": scene.first, "B": scene.second}
    drawn = [(name, _encode(palette.paint(each), "png")) for name, each in maps.items()]
    return [("image", _encode(scene.image, "jpeg")), *drawn]


def _encode(picture: NDArray[np.uint8], kind: str) -> str:
    return embed_picture(cv2.imencode(f".{kind}", picture[..., ::-1])[1].tobytes(), kind)
