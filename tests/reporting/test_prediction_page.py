"""The page of a prediction that is written down by hand."""

import html
import json
import re
from xml.etree import ElementTree

import pytest

from reporting.prediction import ENTRIES, NASTY, RECORD, broken, entry, write_page
from roadseg.reporting.prediction_page import DRIVES, FAULTS


@pytest.fixture(scope="module")
def page():
    return write_page(ENTRIES)


def section(page, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)[1]


def plain(part):
    return " ".join(html.unescape(re.sub("<[^>]+>", "", part)).split())


def picture_table(page):
    return json.loads(re.search(r'id="picture-table">(.*?)</script>', page, re.DOTALL)[1])


def figures(page, name):
    return re.findall(r"<figure.*?</figure>", section(page, name), re.DOTALL)


def areas(svg):
    """Returns the colour of each area, and its points as shares of width and height: the top one above the others."""
    root = ElementTree.fromstring(re.sub(' xmlns="[^"]+"', "", svg))  # noqa: S314 (our own)
    drawn = {}
    for path in root.iter("path"):
        if colour := re.search(r"fill: (#\w+)", path.get("style", "")):
            drawn[colour[1]] = [(float(x), float(y)) for x, y in re.findall(r"[ML] ?(\S+) (\S+)", path.get("d"))]
    return drawn


def test_the_headline_counts_what_was_predicted_and_says_how_sure_the_network_is(page):
    headline = plain(section(page, "headline"))
    assert headline.startswith("6 pictures and frames Mean confidence 0.7292; 25.0 % of the pixels have a con")
    assert "1 fault: what could not be read" in headline


def test_the_table_has_a_row_per_picture_and_the_classes_that_it_shows(page):
    table = picture_table(page)
    assert [each["title"] for each in table["columns"]] == [
        *("drive", "picture", "time", "height", "width", "mean confidence", "unsure share", "entropy", "seconds"),
        "fault",
    ]
    assert table["rows"][1] == ["A", f"A/{NASTY}", None, 20, 30, 0.5, 0.25, 0.125, 2.0, "", {"0": [0.5], "1": [0.5]}]
    assert table["rows"][2] == ["A", "A/b", *[None] * 6, 1.0, f"{NASTY} is cut off", {}]
    assert table["columns"][table["sorted_by"]]["title"] == "mean confidence"


def test_the_gallery_goes_from_the_least_to_the_most_certain_at_even_ranks(page):
    # Ranks 1 to 6: 0.25, 0.5, 0.75, 0.875, 1.0, 1.0; of places 0, 5/3, 10/3 and 5 those that are nearest.
    shown = [plain(each) for each in figures(page, "gallery")]
    assert [re.search(r"rank (\d of \d)", each)[1] for each in shown] == ["1 of 6", "3 of 6", "4 of 6", "6 of 6"]
    assert picture_table(page)["pictured"] == ["A/c", "one", "film/000000", "film/000010"]
    assert "data:image/jpeg;base64,QS9j" in figures(page, "gallery")[0]  # A/c
    assert shown[0].startswith("A/crank 1 of 6 \N{MIDDLE DOT} mean confidence 0.250")


def test_drives_with_several_pictures_show_their_shares_over_time(page):
    of_folder, of_video = figures(page, "drives")
    assert plain(re.search("<figcaption>.*?</figcaption>", of_folder, re.DOTALL)[0]) == "A2 pictures, by name"
    assert "film</b>3" in of_video
    assert "frames, by seconds" in of_video
    drawn = areas(re.search("<svg.*?</svg>", of_video, re.DOTALL)[0])
    road, sky = ("#{:02x}{:02x}{:02x}".format(*RECORD.classes[index].colour) for index in (0, 2))
    assert set(drawn) == {road, sky, "#808080"}  # the second class is never seen
    assert not re.search(r' id="(figure|axes|patch)', of_video)
    left, right = min(x for x, _ in drawn[sky]), max(x for x, _ in drawn[sky])
    top, foot = (choose(y for points in drawn.values() for _, y in points) for choose in (min, max))
    heights = sorted(
        {(round((x - left) / (right - left), 3), round((foot - y) / (foot - top), 3)) for x, y in drawn[road]}
    )
    assert heights == [(0, 0), (0, 0.25), (0.5, 0), (1, 0), (1, 1)]


def test_of_many_drives_those_with_the_most_pictures_are_drawn():
    entries = [entry(f"{drive:02d}/{n}", f"{drive:02d}") for drive in range(DRIVES + 2) for n in range(2 + drive // 2)]
    page = write_page(entries)
    assert f"Of {DRIVES + 2} drives with more than one picture, the {DRIVES} with the most" in plain(
        section(page, "drives")
    )
    names = [re.search("<b>(.*?)</b>", each)[1] for each in figures(page, "drives")]
    assert names == [f"{drive:02d}" for drive in range(2, DRIVES + 2)]


def test_a_long_drive_is_drawn_by_means_of_neighbours():
    entries = [entry(f"film/{n:06d}", "film", shares=(n % 2, 1 - n % 2, 0), time=n / 10) for n in range(1200)]
    (figure,) = figures(write_page(entries), "drives")
    points = areas(figure[figure.index("<svg") : figure.index("</svg>") + 6])
    road = "#{:02x}{:02x}{:02x}".format(*RECORD.classes[0].colour)
    assert len({x for x, _ in points[road]}) == 120
    assert len({y for _, y in points[road]}) == 2  # half of the pixels, always


def test_faults_are_listed_up_to_a_number(page):
    assert plain(section(page, "faults")) == f"Faults picturefault A/b{NASTY} is cut off"
    many = write_page([ENTRIES[0], *(broken(f"{n}", "") for n in range(FAULTS + 1))])
    assert f"The first {FAULTS} of {FAULTS + 1}" in plain(section(many, "faults"))
    assert section(many, "faults").count("<tr>") == FAULTS + 1


def test_one_picture_is_enough():
    page = write_page([entry("a", "", variance=0.5)], count=60)
    assert plain(section(page, "headline")).startswith("1 picture Mean confidence 0.5000")
    assert "No drive has more than one picture." in section(page, "drives")
    assert plain(section(page, "faults")) == "Faults None."
    table = picture_table(page)
    assert {"time", "fault"}.isdisjoint(each["title"] for each in table["columns"])
    assert "variance" in [each["title"] for each in table["columns"]]
    assert len(figures(page, "gallery")) == 1
    assert "predict.page_pictures</code> is 0" in section(write_page([entry("a", "")], count=0), "gallery")


def test_pictures_and_frames_are_called_what_they_are():
    film = [entry(f"film/{n}", "film", time=n / 10) for n in range(2)]
    assert plain(section(write_page(film), "headline")).startswith("2 frames Mean")
    page = write_page([entry("a", ""), broken("b", ""), *film[:1]])
    assert picture_table(page)["things"] == "pictures and frames"


def test_names_cannot_break_the_page(page):
    assert NASTY not in page
    assert "<b>&" not in page
    assert f"A/{NASTY}" in plain(section(write_page(ENTRIES, count=6), "gallery"))


def test_the_page_says_where_it_comes_from(page):
    provenance = plain(section(page, "provenance"))
    assert f"run, started at (UTC) {RECORD.run} v9" in provenance
    assert f"segnet_model {RECORD.run} v3" in provenance
    assert "predict.unsure_below0.6" in provenance
    assert set(RECORD.parameters) == {"limit", "rate"}  # which a prediction doesn't use
    rows = re.findall(r'<th scope="row">(.*?)</th>', section(page, "provenance").partition("Parameters")[2])
    assert {name.partition(".")[0] for name in rows} == {"seed", "predict"}
    assert "processor" in provenance


def test_the_page_of_four_thousand_pictures_takes_a_megabyte_beside_its_pictures():
    entries = [entry(f"d{n // 40:03d}/{n:06d}", f"d{n // 40:03d}", shares=(1 / 3, 1 / 3, 1 / 3)) for n in range(4000)]
    assert len(write_page(entries, count=0).encode()) < 1_500_000
