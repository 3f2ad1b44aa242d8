from roadseg.reporting.numbers import write_percent, write_score


def test_figures_are_rounded_and_what_is_undefined_is_a_dash():
    assert [write_score(each) for each in (0.12345, 1, None, float("nan"))] == [
        "0.1235",
        "1.0000",
        "\N{EN DASH}",
        "\N{EN DASH}",
    ]
    assert [write_percent(each) for each in (0, 0.0001, 0.0005, 0.12345, 1, None)] == [
        "0.0",
        "<0.1",
        "0.1",
        "12.3",
        "100.0",
        "\N{EN DASH}",
    ]
    assert write_score(0.12345, 2) == "0.12"
