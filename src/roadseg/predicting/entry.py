"""What is known of a predicted picture, and the tables of it."""

from collections.abc import Iterable, Sequence

import pandas as pd
from pydantic import BaseModel

from roadseg.predicting.layout import Layout

COLUMNS = {
    **dict.fromkeys(("picture", "drive"), "str"),
    "time": "float64",
    **dict.fromkeys(("height", "width"), "Int64"),
    **dict.fromkeys(("mean_confidence", "unsure_share", "entropy", "variance", "seconds"), "float64"),
    "fault": "str",
}
"""Column of the table of pictures -> its type."""


class Entry(BaseModel, frozen=True):
    """A picture, or a frame of a video, and what the network says of it.

    Attributes:
        picture: Its name in the source; of a frame `VIDEO/NUMBER`.
        drive: The folder part of the name; of a frame the name of its video.
        fingerprint: Changes when the file does, or what is asked of it.
        time: Of a frame in its video, in seconds.
        height: In pixels; None where it could not be read.
        width: In pixels.
        mean_confidence: 0..1, over the pixels that the network sees.
        unsure_share: Share of these pixels whose confidence is below `predict.unsure_below`.
        entropy: Their mean, in nats.
        variance: Their mean over passes with dropout; None without.
        seconds: From the end of the picture before it to its own end.
        shares: Of the pixels of the picture, for each class in the order of the ids.
        layout: Which classes lie where, see `describe_layout`; empty where it could not be read.
        fault: Why it could not be predicted, empty otherwise.
    """

    picture: str
    drive: str
    fingerprint: str
    time: float | None = None
    height: int | None = None
    width: int | None = None
    mean_confidence: float | None = None
    unsure_share: float | None = None
    entropy: float | None = None
    variance: float | None = None
    seconds: float | None = None
    shares: tuple[float, ...] = ()
    layout: Layout = {}
    fault: str = ""

    @property
    def is_frame(self) -> bool:
        """Whether it belongs to a video, whose name is its drive and whose fingerprint it has."""
        return self.time is not None


def tabulate_pictures(entries: Iterable[Entry]) -> pd.DataFrame:
    """Returns one row per picture or frame: `COLUMNS`; what is not known is missing, and so are empty texts."""
    rows = [each.model_dump(include=set(COLUMNS)) for each in entries]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return table.where(table != "")  # as it is loaded from a file


def tabulate_shares(entries: Iterable[Entry], class_names: Sequence[str]) -> pd.DataFrame:
    """Returns one row per picture and class: picture, class and share, 0..1; none of a picture with a fault."""
    rows = [
        (each.picture, name, share)
        for each in entries
        if each.shares
        for name, share in zip(class_names, each.shares, strict=True)
    ]
    types = {"picture": "str", "class": "str", "share": "float64"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)
