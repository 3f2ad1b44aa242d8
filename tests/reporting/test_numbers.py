from roadseg.reporting.numbers import write_counts, write_percent, write_score


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


def test_things_are_counted_in_singular_and_plural_and_left_out_where_there_are_none():
    assert write_counts({"picture": 1, "video": 0}) == "1 picture"
    assert write_counts({"picture": 1234, "frame": 1}) == "1,234 pictures and 1 frame"
