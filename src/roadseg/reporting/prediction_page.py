"""The page of predicted pictures: what the network sees in them, how sure it is, and what could not be read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from roadseg.reporting.evaluation_report import compare_parameters, round_or_none
from roadseg.reporting.page import embed_picture, render_page
from roadseg.reporting.share_curves import choose_drives, write_share_curves
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette

DRIVES = 24
"""Drives whose class shares over time are drawn; more would make a large page."""

PARAMETERS = ("predict", "pictures", "seed")
"""What the prediction uses; of all other parameters the page would compare what has no effect on it."""

FAULTS = 100
"""Faults that are listed; the table of pictures has all."""

COLUMNS = {
    "drive": "text",
    "picture": "name",
    "time": "seconds",
    "height": "count",
    "width": "count",
    "mean_confidence": "score",
    "unsure_share": "score",
    "entropy": "score",
    "variance": "score",
    "seconds": "seconds",
    "fault": "text",
}
"""Columns of the table of pictures in the order of the page -> how its script shows them."""

OPTIONAL = ("time", "variance", "fault")
"""Columns that the page has only where there is something in them."""


def choose_pictures(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Returns the rows of so many pictures, from the least to the most certain by mean confidence, at even ranks.

    Args:
        table: As `tabulate_pictures` returns it. Pictures with a fault are left out.
        count: Pictures, all of them where there are fewer.

    Returns:
        The rows with the column `rank`, 1 for the least certain.
    """
    ordered = table.dropna(subset="mean_confidence").sort_values(
        ["mean_confidence", "picture"], kind="stable", ignore_index=True
    )
    places = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int)
    return ordered.iloc[places].assign(rank=places + 1)


def write_prediction_page(
    *,
    table: pd.DataFrame,
    shares: pd.DataFrame,
    palette: Palette,
    record: Mapping[str, Any],
    origin: Mapping[str, Any],
    gallery: pd.DataFrame,
    thumbnails: Sequence[bytes],
) -> str:
    """Returns the page, which needs no other file.

    Args:
        table: As `tabulate_pictures` returns it.
        shares: As `tabulate_shares` returns it.
        palette: Of the classes.
        record: Of the network.
        origin: `run`, `data_set`, `environment`, `commit`, `versions`, `parameters`, `packages` and `machine` of the
            prediction.
        gallery: As `choose_pictures` returns it.
        thumbnails: JPEG, of the rows of the gallery, in their order.
    """
    table = table.fillna(dict.fromkeys(("drive", "fault"), ""))
    predicted, faults = table[table["fault"] == ""], table[table["fault"] != ""]
    drives, num_drives = choose_drives(predicted, DRIVES)
    pictures = (embed_picture(each, "jpeg") for each in thumbnails)
    return render_page(
        "prediction.html.jinja",
        predicted=predicted,
        record=record,
        origin=origin,
        classes=palette.classes,
        picture_table=list_pictures(table, shares, [each.name for each in palette.classes], gallery),
        gallery=list(zip(gallery.to_dict("records"), pictures, strict=True)),
        curves=draw_drives(predicted[predicted["drive"].isin(drives)], shares, palette.classes),
        num_drives=num_drives,
        num_faults=len(faults),
        faults=faults.head(FAULTS).to_dict("records"),
        parameters=compare_parameters(*(_choose_parameters(each["parameters"]) for each in (record, origin))),
    )


def list_pictures(
    table: pd.DataFrame, shares: pd.DataFrame, class_names: Sequence[str], gallery: pd.DataFrame
) -> dict[str, Any]:
    """Returns the pictures as a page's script reads them, in the order of the table.

    Args:
        table: As in `write_prediction_page`, with empty texts where none are.
        shares: As in `write_prediction_page`.
        class_names: In the order of the ids.
        gallery: As `choose_pictures` returns it.

    Returns:
        `rows`: a list per picture of its `columns`, and a mapping from the id of each class that it shows to its share;
        numbers are rounded to four digits, None where one is missing. Of `columns`, those of `OPTIONAL` are left out
        where no picture has them. `pictured`: the pictures of the gallery in its order.
    """
    id_of = {name: index for index, name in enumerate(class_names)}
    of_classes: dict[str, dict[int, list[float]]] = {name: {} for name in table["picture"]}
    for picture, name, share in shares[shares["share"] > 0].itertuples(index=False, name=None):
        of_classes[picture][id_of[name]] = [round(share, 4)]
    missing = table.isna() | (table == "")
    kinds = {name: kind for name, kind in COLUMNS.items() if name not in OPTIONAL or not missing[name].all()}
    columns = [
        table[name].tolist() if kind in ("text", "name") else [_tell_number(each, kind) for each in table[name]]
        for name, kind in kinds.items()
    ]
    return {
        "things": _name_things(table[table["fault"] == ""]),
        "columns": [{"title": name.replace("_", " "), "kind": kind} for name, kind in kinds.items()],
        "class_scores": ["share"],
        "sorted_by": list(kinds).index("mean_confidence"),
        "most_first": True,
        "classes": list(class_names),
        "rows": [[*row, of_classes[name]] for name, *row in zip(table["picture"], *columns, strict=True)],
        "pictured": gallery["picture"].tolist(),
    }


def draw_drives(
    table: pd.DataFrame, shares: pd.DataFrame, classes: Sequence[SegmentationClass]
) -> list[dict[str, Any]]:
    """Returns for each drive its name, its number of pictures, what its curves run over, and the curves as SVG.

    Args:
        table: As in `list_pictures`, without faults.
        shares: As in `write_prediction_page`.
        classes: In the order of the ids.
    """
    names = [each.name for each in classes]
    wide = shares.pivot(index="picture", columns="class", values="share").reindex(columns=names)
    drawn = []
    for drive, rows in table.groupby("drive", sort=False):
        is_video = rows["time"].notna().all()
        places = rows["time"].tolist() if is_video else range(1, len(rows) + 1)
        curves = write_share_curves(places, wide.loc[rows["picture"]].to_numpy(), classes)
        drawn.append({"name": drive, "pictures": len(rows), "is_video": is_video, "curves": curves})
    return drawn


def _choose_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in PARAMETERS if name in parameters}


def _name_things(table: pd.DataFrame) -> str:
    """Returns what a table of pictures without faults has."""
    are_frames = table["time"].notna()
    return " and ".join(name for name, rows in (("pictures", ~are_frames), ("frames", are_frames)) if rows.any())


def _tell_number(number: Any, kind: str) -> float | int | None:
    if pd.isna(number):
        return None
    return int(number) if kind == "count" else round_or_none(number)
