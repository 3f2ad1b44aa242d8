"""A prediction that is written down by hand: all that its page is written from."""

from collections.abc import Sequence
from typing import Any

from model_records import model_record
from roadseg.predicting.entry import Entry, tabulate_pictures, tabulate_shares
from roadseg.reporting.prediction_page import choose_pictures, write_prediction_page
from roadseg.scenes.palette import Palette

NASTY = "<b>&\"'</script>"
NAMES = ["road", NASTY, "sky"]
RECORD = model_record(classes=NAMES)
ORIGIN = {
    "run": "v9",
    "data_set": "mine",
    "environment": "",
    "commit": "0123+",
    "versions": {"segnet_model": "v3"},
    "parameters": {"seed": 7, "predict": {"unsure_below": 0.6}},
    "packages": {"keras": "3.15.1"},
    "machine": {"platform": "Linux", "processor": "Z80", "cores": 2, "python": "3.11.7"},
}


def entry(
    picture: str, drive: str, confidence: float = 0.5, shares: Sequence[float] = (1.0, 0.0, 0.0), **facts: Any
) -> Entry:
    """Returns a picture of which some facts are others."""
    size = {"height": 20, "width": 30, "unsure_share": 0.25, "entropy": 0.125, "seconds": 2.0}
    values = {"mean_confidence": confidence, "shares": shares, **size, **facts}
    return Entry(picture=picture, drive=drive, fingerprint="", **values)


def broken(picture: str, drive: str) -> Entry:
    """Returns a picture that could not be read."""
    return Entry(picture=picture, drive=drive, fingerprint="", fault=f"{NASTY} is cut off", seconds=1.0)


ENTRIES = [
    entry("one", "", 0.75),
    entry(f"A/{NASTY}", "A", 0.5, (0.5, 0.5, 0.0)),
    broken("A/b", "A"),
    entry("A/c", "A", 0.25, (0.0, 0.25, 0.75)),
    entry("film/000000", "film", 0.875, (0.25, 0.0, 0.75), time=0.0),
    entry("film/000005", "film", 1.0, (0.0, 0.0, 1.0), time=0.5),
    entry("film/000010", "film", 1.0, (1.0, 0.0, 0.0), time=1.0),
]


def write_page(entries: Sequence[Entry], count: int = 4, thumbnail: bytes | None = None) -> str:
    """Returns the page with so many pictures, whose thumbnails are their names where there is no other."""
    table = tabulate_pictures(entries)
    gallery = choose_pictures(table, count)
    return write_prediction_page(
        table=table,
        shares=tabulate_shares(entries, NAMES),
        palette=Palette(RECORD.classes),
        record=RECORD.model_dump(mode="json"),
        origin=ORIGIN,
        gallery=gallery,
        thumbnails=[thumbnail or name.encode() for name in gallery["picture"]],
    )
