"""Tables on the terminal; in a pipe or a file as wide as they need to be, one line per row."""

from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

COLOURS = {"better": "green", "worse": "red"}
FOLDED = ("pipelines", "parameters changed", "state", "A", "B")
"""Columns whose texts may be long."""

FOLDED_WIDTH = 12
"""Letters that are left at least of such a text on each of its lines."""

NARROWEST = 120
"""Letters; a terminal with fewer than a table needs folds the lines itself, because the table would cut them off."""

WIDE = 100_000

WRITTEN = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})
"""How to write signs that would end a row or move within it; names of drives and frames may contain them."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table; on a terminal long texts are wrapped, never cut off."""
    if not rows:
        print_text("none")
        return
    console = Console()
    if console.is_terminal:
        width = max(console.width, NARROWEST, _find_least_width(columns, rows))
        Console(width=width).print(_lay_out(columns, rows, box.SIMPLE_HEAD, 1))
        return
    wide = Console(width=WIDE)
    with wide.capture() as captured:
        wide.print(_lay_out(columns, rows, None, 2))
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _find_least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Returns the letters that the longest line of a table needs where texts are folded as far as they may be."""
    folded = [
        [cell[:FOLDED_WIDTH] if column in FOLDED else cell for column, cell in zip(columns, row, strict=True)]
        for row in rows
    ]
    # A console tells nothing wider than itself.
    return Console(width=WIDE).measure(_lay_out(columns, folded, box.SIMPLE_HEAD, 1)).maximum


def _lay_out(columns: Sequence[str], rows: Sequence[Sequence[str]], frame: box.Box | None, gap: int) -> Table:
    table = Table(box=frame, pad_edge=False, padding=(0, gap, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in FOLDED)
    for row in rows:
        table.add_row(*(Text(cell.translate(WRITTEN)) for cell in row), style=COLOURS.get(row[-1]))
    return table


def print_text(text: str) -> None:
    """Prints a sentence, which a terminal may wrap anywhere."""
    Console(soft_wrap=True).print(text, markup=False, highlight=False)
