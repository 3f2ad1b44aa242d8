import pytest
from rich.text import Text

from roadseg.runs import printing
from roadseg.runs.printing import print_table

LONG = "train.loss.class_weights=median_frequency, " * 30


class Terminal(printing.Console):
    def __init__(self, **options):
        super().__init__(**{"width": 80, **options}, force_terminal=True)


def test_in_a_pipe_a_row_is_one_line_and_nothing_is_cut_off(capsys):
    print_table(["run", "parameters changed"], [["r1", LONG], ["r2", "[red]-[/red]"]])
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["run", "parameters", "changed"]
    assert first == f"r1   {LONG.rstrip()}"
    assert second == "r2   [red]-[/red]"


def test_a_name_is_written_as_it_is_and_its_ends_of_lines_as_signs(capsys):
    print_table(["scene", "drive"], [[":car:", "a\nb\rc\td"], ["[b]\\", " lead"]])
    _, first, second = capsys.readouterr().out.splitlines()
    assert first == ":car:  a\\nb\\rc\\td"
    assert second == "[b]\\    lead"


def test_on_a_terminal_long_texts_are_folded_and_nothing_is_cut_off(capsys, monkeypatch):
    monkeypatch.setattr(printing, "Console", Terminal)
    run = "2026-01-31T10.20.30.000Z"
    print_table(["run", "model", "parameters changed", "state"], [[run, run, LONG, "failed: " + LONG]])
    lines = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    assert max(map(len, lines)) <= printing.NARROWEST
    assert sum(line.count(run) for line in lines) == 2
    assert sum(line.count("_") for line in lines) == 2 * LONG.count("_")


@pytest.mark.parametrize("columns", [["run"], ["", "A", "B"]])
def test_a_table_without_rows_says_so(capsys, columns):
    print_table(columns, [])
    assert capsys.readouterr().out == "none\n"
