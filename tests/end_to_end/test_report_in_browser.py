"""What a person does with the evaluation report: sort, filter, switch, print, in the dark too."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from end_to_end.browser import needs_browser, start_browser
from end_to_end.project import Project
from end_to_end.test_main_job import newest
from reporting.evaluation import Scored, write_page

NAMES = ["road", "<b>&\"car'", "sky"]
pytestmark = needs_browser


def make_scenes() -> list[Scored]:
    """Returns 30 scenes of 3x3 pixels: i % 9 of them wrong in scene i; every third has a sky, half of them found."""
    scenes = []
    for index in range(30):
        truth, prediction = np.zeros(9, np.uint8), np.zeros(9, np.uint8)
        prediction[: index % 9] = 1
        if index % 3 == 0:
            truth[8], prediction[8] = 2, 2 * (index % 6 == 0)
        split = "train" if index < 25 else "test"
        maps = (each.reshape(3, 3).tolist() for each in (truth, prediction))
        scenes.append(Scored(f"scene{index}", split, f"drive{index % 25 // 5}<i>", *maps))
    void = [[255] * 3] * 3
    return [*scenes, Scored("void", "test", "drive9", void, [[0] * 3] * 3)]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    driver = start_browser()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "evaluation_report.html"
    path.write_text(write_page(make_scenes(), NAMES, gallery_scenes=4), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: webdriver.Chrome, path: Path) -> Iterator[webdriver.Chrome]:
    """The report, freshly opened; nothing may end up on the console, and nothing may be fetched."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get(path.as_uri())
    yield browser
    check_quiet(browser)


def check_quiet(browser: webdriver.Chrome) -> None:
    assert browser.get_log("browser") == []
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert [address for address in fetched if not address.startswith("data:")] == []


def column(page: webdriver.Chrome, title: str) -> list[str]:
    """Returns the cells of a column of the table of scenes."""
    place = [each.text for each in headings(page)].index(title) + 1
    return [each.text for each in page.find_elements(By.CSS_SELECTOR, f"#scenes tbody td:nth-child({place})")]


def headings(page: webdriver.Chrome) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, "#scenes thead th")


def sort_by(page: webdriver.Chrome, title: str) -> None:
    next(each for each in headings(page) if each.text.startswith(title)).find_element(By.TAG_NAME, "button").click()


def choose(page: webdriver.Chrome, name: str, value: str) -> None:
    options = page.find_elements(By.CSS_SELECTOR, f"#scenes select[name={name}] option")
    next(each for each in options if each.get_attribute("value") == value).click()


def press(page: webdriver.Chrome, place: str, value: str) -> None:
    page.find_element(By.CSS_SELECTOR, f"#{place} button[value={value}]").click()


def shown(page: webdriver.Chrome, selector: str) -> list[WebElement]:
    return [each for each in page.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()]


def test_scenes_are_shown_worst_first_and_all_of_them_when_asked_for(page: webdriver.Chrome) -> None:
    ious = column(page, "mean IoU")
    assert len(ious) == 20
    assert ious == sorted(ious)
    # Of nine pixels eight are called car, one road is hit: (1/9 + 0/8) / 2.
    assert ious[0] == "0.0556"
    page.find_element(By.CSS_SELECTOR, "#scenes .more").click()
    assert len(column(page, "mean IoU")) == 31
    assert column(page, "scene")[-1] == "void"
    assert column(page, "mean IoU")[-1] == "\N{EN DASH}"
    assert page.find_element(By.CSS_SELECTOR, "#scenes .shown").text == "31 of 31 scenes"


@pytest.mark.parametrize("title", ["scene", "drive", "pixels", "mean IoU", "IoU sky"])
def test_a_heading_sorts_upwards_then_downwards_and_undefined_stays_last(page: webdriver.Chrome, title: str) -> None:
    page.find_element(By.CSS_SELECTOR, "#scenes .more").click()
    sort_by(page, "split")
    for arrow, is_reversed in (("ascending", False), ("descending", True)):
        sort_by(page, title)
        assert [each.get_attribute("aria-sort") for each in headings(page)].count(arrow) == 1
        cells = [each for each in column(page, title) if each != "void"]
        defined = [each for each in cells if each != "\N{EN DASH}"]
        assert cells[: len(defined)] == defined
        numbers = [float(re.sub("[^0-9.]", "", each)) for each in defined]
        assert numbers == sorted(numbers, reverse=is_reversed)
        assert len(set(numbers)) > 1


def test_scenes_are_filtered_by_split_and_drive(page: webdriver.Chrome) -> None:
    choose(page, "split", "test")
    assert set(column(page, "scene")) == {"scene25", "scene26", "scene27", "scene28", "scene29", "void"}
    drives = page.find_elements(By.CSS_SELECTOR, "#scenes select[name=drive] option")
    assert [each.text for each in drives] == ["all", "drive0<i>", "drive9"]
    choose(page, "drive", "drive9")
    assert column(page, "scene") == ["void"]
    choose(page, "split", "")
    choose(page, "drive", "drive1<i>")
    assert set(column(page, "scene")) == {f"scene{index}" for index in range(5, 10)}


def test_a_class_shows_and_sorts_its_scores_where_it_occurs(page: webdriver.Chrome) -> None:
    choose(page, "class", "sky")
    assert [each.text for each in headings(page)][-3:] == ["pixel accuracy", "IoU sky", "boundary F1 sky"]
    assert column(page, "IoU sky") == ["0.0000"] * 5 + ["1.0000"] * 5
    assert set(column(page, "scene")) == {f"scene{index}" for index in range(0, 30, 3)}
    choose(page, "class", NAMES[1])
    assert len(shown(page, "#scenes tbody tr")) == 20
    assert set(column(page, f"IoU {NAMES[1]}")) == {"0.0000"}
    choose(page, "class", "")
    assert headings(page)[4].get_attribute("aria-sort") == "ascending"


def test_of_many_classes_the_one_that_is_chosen_is_shown_whatever_it_is_called(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    names = ["all", "return\ralone", " lead", "NA", *(f"class {index}" for index in range(251))]
    scenes = [Scored(f"{index}", "test", "NA", [[index, 0]], [[index, index]]) for index in range(4)]
    (tmp_path / "many.html").write_text(write_page(scenes, names, gallery_scenes=0), encoding="utf-8")
    browser.get((tmp_path / "many.html").as_uri())
    whole = ["split", "drive", "scene", "pixels", "mean IoU", "pixel accuracy"]
    assert [re.sub(r"\W+$", "", each.text) for each in headings(browser)] == whole
    assert column(browser, "drive") == ["NA"] * 4
    for index, name in enumerate(names[1:4], start=1):
        choose(browser, "class", name)
        assert column(browser, "scene") == [str(index)]
        assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#scenes td")][-2] == "0.5000"
    check_quiet(browser)


def test_confusion_switches_between_splits_and_views(page: webdriver.Chrome) -> None:
    def first_row() -> list[str]:
        (table,) = shown(page, "#confusion table")
        return [each.text for each in table.find_elements(By.CSS_SELECTOR, "tbody tr:first-child td")]

    # Test: scenes 25 to 29 and one void; road has 44 pixels, of which 7, 8, 0, 1 and 2 are called car.
    assert first_row() == ["59.1", "40.9", "0.0"]
    press(page, "confusion", "counts")
    assert first_row() == ["26", "18", "0"]
    press(page, "confusion", "columns")
    assert first_row() == ["96.3", "100.0", "\N{EN DASH}"]  # scene 27 calls its sky road; nothing is called sky
    press(page, "confusion", "train")
    press(page, "confusion", "counts")
    # 225 pixels without nine of sky; called car: 36 in each of scenes 0 to 8 and 9 to 17, 21 in 18 to 24.
    assert first_row() == ["123", "93", "0"]


def test_gallery_switches_and_a_scene_of_the_table_leads_to_its_pictures(page: webdriver.Chrome) -> None:
    assert {each.get_attribute("data-split") for each in shown(page, "#gallery figure")} == {"test"}
    page.find_element(By.CSS_SELECTOR, "#scenes .more").click()
    choose(page, "split", "train")
    link = page.find_elements(By.CSS_SELECTOR, "#scenes tbody a")[0]
    scene = link.text
    link.click()
    figures = shown(page, "#gallery figure")
    assert len(figures) == 4
    assert {each.get_attribute("data-split") for each in figures} == {"train"}
    (target,) = page.find_elements(By.CSS_SELECTOR, "figure:target")
    assert target.find_element(By.TAG_NAME, "b").text == scene
    before = target.find_element(By.TAG_NAME, "img").size["width"]
    target.find_element(By.CSS_SELECTOR, ".enlarge").click()
    assert target.find_element(By.TAG_NAME, "img").size["width"] > 1.9 * before


def test_every_picture_can_be_decoded(page: webdriver.Chrome) -> None:
    press(page, "gallery", "train")
    pictures = "return [...document.querySelectorAll('#gallery img')].map(each => [each.complete, each.naturalWidth])"
    assert page.execute_script(pictures) == [[True, 3]] * 2 * 8


def test_suspects_of_one_split_or_of_all_are_shown_in_a_frame(browser: webdriver.Chrome, tmp_path: Path) -> None:
    maps = [[0, 0, 0, 0]] * 4, [[0, 0, 1, 0]] + [[0, 0, 0, 0]] * 3, [[0.95] * 4] * 4
    scenes = [Scored(name, name, "A", *maps) for name in ("train", "validation", "test")]
    (tmp_path / "suspects.html").write_text(write_page(scenes, NAMES), encoding="utf-8")
    browser.get((tmp_path / "suspects.html").as_uri())
    assert len(shown(browser, "#suspects tbody tr")) == len(shown(browser, "#suspects figure")) == 3
    press(browser, "suspects", "test")
    (row,), (figure,) = shown(browser, "#suspects tbody tr"), shown(browser, "#suspects figure")
    assert row.text.split()[:3] == [figure.find_element(By.TAG_NAME, "b").text[0], "test", "test"]
    row.find_element(By.TAG_NAME, "a").click()
    assert browser.find_elements(By.CSS_SELECTOR, "figure:target") == [figure]
    frame, image = (figure.find_element(By.CSS_SELECTOR, each).rect for each in (".frame", "svg"))
    assert frame["x"] - image["x"] == pytest.approx(image["width"] / 2, abs=2)
    assert frame["width"] == pytest.approx(image["width"] / 4, abs=3)  # with its stroke
    press(browser, "suspects", "all")
    assert len(shown(browser, "#suspects figure")) == 3
    check_quiet(browser)


def test_curves_are_drawn(page: webdriver.Chrome) -> None:
    axes = {each.text for each in shown(page, "#curves text")}
    assert {"loss", "mean IoU", "learning rate", "epoch", "training", "validation"} <= axes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_by_day_and_by_night(page: webdriver.Chrome, theme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": theme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    paper = brightness(page, "body", "backgroundColor")
    assert paper > 0.9 if theme == "light" else paper < 0.02
    for selector in ("h2", "p", ".note", "td", "td small", ".shown", "#curves text"):
        ink = brightness(page, selector, "fill" if "#curves" in selector else "color")
        assert contrast(ink, paper) >= 4.5, selector
    press(page, "confusion", "counts")
    cells = page.execute_script(
        "return [...document.querySelectorAll('#confusion td')].filter(each => each.checkVisibility()).map(each => {"
        "const style = getComputedStyle(each); return [style.color, style.backgroundColor] })"
    )
    assert cells
    for cell in cells:
        assert contrast(*(luminance(page, colour) for colour in cell)) >= 3, cell


def brightness(page: webdriver.Chrome, selector: str, attribute: str) -> float:
    """Returns the luminance of a colour of the first element that a selector finds."""
    script = f"return getComputedStyle(document.querySelector('{selector}')).{attribute}"
    return luminance(page, page.execute_script(script))


def luminance(page: webdriver.Chrome, colour: str) -> float:
    """Returns the relative luminance of a CSS colour, 0..1, as WCAG 2.1 defines it; a canvas reads any notation."""
    script = """
        const context = document.createElement("canvas").getContext("2d");
        context.fillStyle = arguments[0];
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data]"""
    channels = np.array(page.execute_script(script, colour)[:3]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_on_a_phone_tables_scroll_and_the_page_does_not(page: webdriver.Chrome) -> None:
    screen = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    colours = "return [...arguments].map(each => getComputedStyle(document.querySelector(each)).backgroundColor)"
    row, head = page.execute_script(colours, "tr.differs", "tr.differs th")
    assert row == head


def test_it_prints_on_paper_as_by_day(page: webdriver.Chrome) -> None:
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [feature]})
    assert brightness(page, "body", "backgroundColor") == 1
    assert shown(page, ".controls, .enlarge") == []
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")


@pytest.mark.slow
def test_the_report_of_a_run_opens_without_errors(browser: webdriver.Chrome, trained: Project) -> None:
    browser.get(newest(trained, "08_reporting/drawn/evaluation_report.html").as_uri())
    assert len(shown(browser, "#scenes tbody tr")) == 15
    assert "learning rate" in {each.text for each in shown(browser, "#curves text")}
    check_quiet(browser)
