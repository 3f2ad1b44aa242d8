import pytest
from rich.text import Text

from roadseg.runs import printing
from roadseg.runs.listing import COLUMNS
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


def test_on_a_terminal_a_row_of_the_list_with_all_that_it_may_have_is_not_cut_off(capsys, monkeypatch):
    monkeypatch.setattr(printing, "Console", Terminal)
    run = "2026-01-31T10.20.30.000Z"
    fixed = {"run": run, "model": run, "commit": "0123456+", "time": "11:02:03", "validation": "0.5012"}
    fixed |= {"resolution": "idd_protocol (720 x 1280)", "test": "0.5034"}
    texts = {"pipelines": "prepare, train, evaluate", "parameters changed": LONG, "state": f"failed: {LONG}"}
    print_table(list(COLUMNS), [[{**fixed, **texts}[name] for name in COLUMNS]])
    lines = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    head, first = " ".join(lines[:3]), lines[4]
    assert [word for heading in COLUMNS for word in heading.split() if word not in head] == []
    assert [cell for cell in fixed.values() if cell not in first] == []
    assert sum(line.count("_") for line in lines) == 2 * LONG.count("_") + 1


@pytest.mark.parametrize("columns", [["run"], ["", "A", "B"]])
def test_a_table_without_rows_says_so(capsys, columns):
    print_table(columns, [])
    assert capsys.readouterr().out == "none\n"
