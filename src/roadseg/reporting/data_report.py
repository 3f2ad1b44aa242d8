"""The page that shows a data set: scenes, classes, sizes and faults per split, and scenes with their labels."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import cv2
import pandas as pd

from roadseg.reporting.contact_sheet import draw_contact_sheet
from roadseg.reporting.page import embed_picture, render_page
from roadseg.scenes.leakage import find_duplicates, find_shared_drives
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.splits import find_classes, find_missing_classes, group_by_split

PICTURES = 12
"""Scenes of each split on its contact sheet."""

COLUMNS, PICTURE_WIDTH = 4, 300

LONGEST = 500
"""Rows that a table shows."""

NONE = "<p>none</p>"

UNSPLIT = "in no split"
"""Heading of the scenes without labels, those that can't be used, and those that the method leaves out."""


def write_data_report(
    prepared_scenes: PreparedScenes,
    scene_index: pd.DataFrame,
    class_pixels: pd.DataFrame,
    split_table: pd.DataFrame,
    palette: Palette,
) -> str:
    """Returns the report as one HTML page that needs no other file.

    Args:
        prepared_scenes: The scenes to show.
        scene_index: As `PreparedScenes.tabulate` returns it.
        class_pixels: As `PreparedScenes.tabulate_pixels` returns it.
        split_table: As `assign_splits` returns it.
        palette: Of the classes.
    """
    index = scene_index.merge(split_table[["scene", "split"]], how="left", on="scene").fillna({"split": UNSPLIT})
    faults = prepared_scenes.tabulate_faults()
    held = find_classes(scene_index, class_pixels, [each.name for each in palette.classes])
    sections = {
        "Scenes": _to_html(count_scenes(index)),
        "Pixels of each class": _class_table(index, class_pixels, palette),
        "Classes that a split lacks": _list_html(find_missing_classes(held, split_table)),
        "Sizes of the raw images": _to_html(count_sizes(index)),
        "Scenes per drive": _fold(pd.crosstab(index["drive"], index["split"])),
        "Faults": _to_html(count_faults(faults)),
        "Faults, scene by scene": _fold(faults.set_index("scene")),
        "Drives in more than one split": _list_html(find_shared_drives(split_table)),
        "Equal images in more than one split": _to_html(find_duplicates(scene_index, split_table).set_index("scene")),
        **{
            f"Pictures: {split}": _contact_sheet(prepared_scenes, scenes, palette)
            for split, scenes in group_by_split(split_table).items()
            if scenes
        },
    }
    height, width = prepared_scenes.image_size
    scenes = len(prepared_scenes)
    return render_page("data_report.html.jinja", sections=sections, scenes=scenes, height=height, width=width)


def count_scenes(index: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per split: its drives, scenes, and of these the labelled and the left-out ones.

    Args:
        index: The scene index with the column `split`.
    """
    table = index.assign(left_out=~index["usable"]).groupby("split", sort=False)
    counts = table.agg(
        drives=("drive", "nunique"),
        scenes=("scene", "count"),
        labelled=("labelled", "sum"),
        left_out=("left_out", "sum"),
    )
    return counts.rename(columns={"left_out": "left out"})


def share_pixels(index: pd.DataFrame, class_pixels: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Returns the share of each class in the pixels of each split that have one: a row per class, a column per split.

    Args:
        index: The scene index with the column `split`.
        class_pixels: As `PreparedScenes.tabulate_pixels` returns it.
        class_names: Names of the classes.
    """
    labelled = index[index["labelled"]]
    splits = class_pixels["scene"].map(labelled.set_index("scene")["split"])
    pixels = class_pixels["pixels"].groupby([class_pixels["class"], splits]).sum().unstack(fill_value=0)
    pixels = pixels.reindex(index=list(class_names), columns=labelled["split"].unique(), fill_value=0)
    return pixels / pixels.sum()


def count_sizes(index: pd.DataFrame) -> pd.DataFrame:
    """Returns how many raw images of each size each split has.

    Args:
        index: The scene index with the column `split`.
    """
    sizes = index["height"].astype(str) + " x " + index["width"].astype(str)
    return pd.crosstab(sizes.rename("height x width"), index["split"])


def count_faults(faults: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per kind of fault: how many scenes are used in spite of it, and how many are left out for it.

    Args:
        faults: As `PreparedScenes.tabulate_faults` returns it.
    """
    outcome = faults["usable"].map({True: "used", False: "left out"})
    counts = pd.crosstab(faults["kind"], outcome)
    return counts.reindex(columns=["used", "left out"], fill_value=0)


def _class_table(index: pd.DataFrame, class_pixels: pd.DataFrame, palette: Palette) -> str:
    classes = palette.classes
    shares = share_pixels(index, class_pixels, [each.name for each in classes])
    colours = [f'<span class="chip" style="background: rgb{each.colour}"></span>' for each in classes]
    names = [f"{colour}{_mark(each.name)}" for colour, each in zip(colours, classes, strict=True)]
    return str(shares.set_axis(names).to_html(float_format="{:.2%}".format, escape=False, border=0))


def _contact_sheet(prepared_scenes: PreparedScenes, scenes: Sequence[str], palette: Palette) -> str:
    count = min(PICTURES, len(scenes))
    chosen = [prepared_scenes[scenes[i * len(scenes) // count]] for i in range(count)]
    sheet = draw_contact_sheet(chosen, palette, columns=COLUMNS, width=PICTURE_WIDTH)
    address = embed_picture(cv2.imencode(".jpg", sheet[..., ::-1])[1].tobytes(), "jpeg")
    return f'<img alt="scenes with their labels" src="{address}">'


def _to_html(table: pd.DataFrame) -> str:
    if table.empty:
        return NONE
    marked = table.set_axis(table.index.map(_mark)).map(_mark, na_action="ignore")
    with pd.option_context("display.max_colwidth", None):  # pandas would cut off long names
        return str(marked.rename_axis(index=None, columns=None).to_html(border=0, na_rep="", escape=False))


def _mark(value: Any) -> Any:
    """Returns a text of the data set as HTML that keeps its spaces and ends of lines; what is no text, as it is."""
    if not isinstance(value, str):
        return value
    written = escape(value).translate({ord(sign): f"&#{ord(sign)};" for sign in "\t\r\n"})  # pandas would write \\n
    return f'<span class="name">{written}</span>'


def _list_html(found: Mapping[str, Sequence[str]]) -> str:
    items = "".join(f"<li>{escape(name)}: {escape(', '.join(each))}</li>" for name, each in found.items())
    return f"<ul>{items}</ul>" if items else NONE


def _fold(table: pd.DataFrame) -> str:
    """Returns a table that opens when it is clicked; a long one ends with how many rows it lacks."""
    if table.empty:
        return NONE
    cut = len(table) - LONGEST
    more = f"<p>and {cut} more; the tables in the catalog have all of them</p>" if cut > 0 else ""
    return f"<details><summary>{len(table)} rows</summary>{_to_html(table.head(LONGEST))}{more}</details>"
