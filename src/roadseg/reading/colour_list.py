"""Which colour of a label map is which raw class: a list in YAML, or a file beside the label maps."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from roadseg.errors import FileError, InputError
from roadseg.reading.stored_path import RawPath
from roadseg.reading.text_file import read_text
from roadseg.scenes.colours import Colour, Colours
from roadseg.scenes.labels import SegmentationClass

NAMED_COLOUR = TypeAdapter(SegmentationClass)

ENTRY = "{name: road, colour: [128, 64, 128]}"
"""As messages show one."""

CHANNEL = re.compile(r"(\d+)(\.0*)?")
"""A whole number, also as programs write it that take it for a broken one."""

COLUMNS = (
    ("name", "class", "label", "classname", "labelname", "category"),
    ("r", "red"),
    ("g", "green"),
    ("b", "blue"),
)
"""What the columns of a CSV file are called, whatever the case; of several that fit the first name here counts."""

LINES = (
    re.compile(r"(?P<r>\d+)\s+(?P<g>\d+)\s+(?P<b>\d+)\s+(?P<name>\S.*)"),
    re.compile(r"(?P<name>.+?):\s*(?P<r>\d+)\s*,\s*(?P<g>\d+)\s*,\s*(?P<b>\d+)\s*(:.*)?"),
)
"""Lines of `label_colors.txt` as CamVid's authors write it, and of `labelmap.txt` as CVAT exports it."""

Row = tuple[str, Sequence[Any], str]
"""Name, colour, and the place in the file."""


def list_colours(given: Mapping[str, Sequence[int]] | Sequence[Any]) -> Colours:
    """Returns the colours of a list in YAML.

    Args:
        given: Name -> colour, or a list of entries with `name` and `colour` (or `color`), or of rows [name, r, g, b].

    Raises:
        InputError: If it is neither, is empty, a colour is not three whole numbers in 0..255, or has two names.
    """
    if isinstance(given, Mapping):
        entries = [{"name": name, "colour": colour} for name, colour in given.items()]
    elif isinstance(given, list | tuple):
        entries = [_read_entry(each) for each in given]
    else:
        raise InputError(f"raw_colours must be like {{road: [128, 64, 128]}}, or a list of {ENTRY}, received {given!r}")
    return _collect(((each.name, each.colour, "raw_colours") for each in map(_check_entry, entries)), "raw_colours")


def _read_entry(given: Any) -> dict[str, Any]:
    """Returns an entry of a list with the keys `name` and `colour`."""
    if isinstance(given, list | tuple) and len(given) == 1 + 3:
        return {"name": given[0], "colour": given[1:]}
    if isinstance(given, Mapping):
        entry = {"colour" if key == "color" else key: value for key, value in given.items()}
        if len(entry) == len(given) and entry.keys() == {"name", "colour"}:
            return entry
    raise InputError(f"each entry of raw_colours must be like {ENTRY}, received {given!r}")


def _check_entry(entry: dict[str, Any]) -> SegmentationClass:
    try:
        return NAMED_COLOUR.validate_python(entry)
    except ValidationError as fault:
        name, colour = entry["name"], entry["colour"]
        if fault.errors()[0]["loc"] == ("name",):
            raise InputError(f"names in raw_colours must be text, received {name!r}: put it in quotes") from fault
        raise InputError(
            f"raw_colours must give '{name}' a colour like [128, 64, 128], three whole numbers in 0..255, "
            f"received {colour!r}"
        ) from fault


def read_colours(path: RawPath) -> Colours:
    """Returns the colours that a file lists.

    Args:
        path: A CSV file with a line of headings, such as `name,r,g,b`, or a text file of lines like `64 128 64 Animal`
            or `animal:64,128,64::`.

    Raises:
        FileError: If it can't be read, has another form or no colours, a colour is not three whole numbers in
            0..255, or has two names.
    """
    try:
        text = read_text(path)
        rows = _read_table(text) if path.suffix.lower() == ".csv" else _read_lines(text)
        return _collect(rows, "it")
    except (InputError, csv.Error) as fault:
        raise FileError(f"list of colours '{path}' is not valid: {fault}") from fault


def find_colours(name: str, folder: RawPath) -> RawPath:
    """Returns the path of a list of colours, which is in the folder of the data set, or where its name says.

    Raises:
        FileError: If it is in neither place.
    """
    places = [place for place in (folder / name, Path(name)) if place.is_file()]
    if not places:
        raise FileError(f"there is no list of colours '{name}', neither in '{folder}' nor in the project's folder")
    return places[0]


def _read_table(text: str) -> Iterator[Row]:
    lines = text.splitlines()
    heading = next((line for line in lines if line.strip()), "")
    rows = csv.reader(lines, delimiter=max(",;\t", key=heading.count), skipinitialspace=True)
    columns: list[int] = []
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = _find_columns(cells)
            continue
        where = f"line {rows.line_num}"
        if len(cells) <= max(columns):
            raise InputError(f"{where} has {len(cells)} cells, expected {max(columns) + 1}")
        name, *colour = (cells[column].strip() for column in columns)
        yield name, colour, where


def _find_columns(headings: Sequence[str]) -> list[int]:
    plain = [re.sub(r"[\s_-]", "", heading).lower() for heading in headings]
    found = [next((plain.index(name) for name in names if name in plain), None) for names in COLUMNS]
    columns = [column for column in found if column is not None]
    if len(columns) < len(COLUMNS):
        raise InputError(f"expected the columns name, r, g and b, received {', '.join(headings)}")
    return columns


def _read_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        match = next(filter(None, (form.fullmatch(line) for form in LINES)), None)
        if match is None:
            raise InputError(f"line {number} must be like '64 128 64 Animal' or 'animal:64,128,64', received '{line}'")
        yield match["name"].strip(), (match["r"], match["g"], match["b"]), f"line {number}"


def _collect(rows: Iterable[Row], what: str) -> Colours:
    colours: dict[Colour, str] = {}
    for name, colour, where in rows:
        channels = tuple(int(match[1]) if (match := CHANNEL.fullmatch(str(each))) else -1 for each in colour)
        if not name or len(channels) != 3 or not all(0 <= channel <= 255 for channel in channels):
            raise InputError(f"{where} must give a name and whole numbers in 0..255, received '{name}' {colour}")
        red, green, blue = channels
        other = colours.setdefault((red, green, blue), name)
        if other != name:
            raise InputError(f"'{other}' and '{name}' have the same colour, {(red, green, blue)}")
    if not colours:
        raise InputError(f"{what} lists no colours")
    return colours
