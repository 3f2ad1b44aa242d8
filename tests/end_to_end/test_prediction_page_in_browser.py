"""What a person does with the page of a prediction: sort, filter, follow a link to a picture."""

from pathlib import Path

import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By

from end_to_end.browser import needs_browser, start_browser
from reporting.prediction import NASTY, broken, entry, write_page

pytestmark = needs_browser


def test_pictures_are_sorted_filtered_and_found(tmp_path: Path) -> None:
    # Every third picture has a share of the second class, the larger the more certain.
    pictures = [
        entry(f"d{n % 2}/{n:02d}", f"d{n % 2}", (n + 1) / 100, (1 - n / 64, n / 64, 0) if n % 3 == 0 else (1, 0, 0))
        for n in range(30)
    ]
    thumbnail = cv2.imencode(".jpg", np.full((20, 30, 3), 200, np.uint8))[1].tobytes()
    path = tmp_path / "page.html"
    path.write_text(write_page([*pictures, broken(f"d0/{NASTY}", "d0")], 5, thumbnail), encoding="utf-8")
    browser = start_browser()
    try:
        browser.get(path.as_uri())
        assert column(browser, 2) == [f"d{n % 2}/{n:02d}" for n in range(20)]
        assert column(browser, 5)[:2] == ["0.0100", "0.0200"]
        browser.find_element(By.CSS_SELECTOR, "#pictures .more").click()
        assert column(browser, 2)[-1] == f"d0/{NASTY}"  # what has no figure is last
        choose(browser, "class", NASTY)
        assert column(browser, 2) == [f"d{n % 2}/{n:02d}" for n in range(27, 0, -3)]
        choose(browser, "drive", "d1")
        assert column(browser, 2) == [f"d1/{n:02d}" for n in (27, 21, 15, 9, 3)]
        choose(browser, "class", "")
        (link,) = [each for each in browser.find_elements(By.CSS_SELECTOR, "#pictures a") if each.text == "d1/07"]
        link.click()
        assert browser.find_element(By.CSS_SELECTOR, "figure:target b").text == "d1/07"
        widths = "return [...document.querySelectorAll('#gallery img')].map(each => each.naturalWidth)"
        assert browser.execute_script(widths) == [30] * 5
        assert browser.get_log("browser") == []
    finally:
        browser.quit()


def column(page: webdriver.Chrome, place: int) -> list[str]:
    """Returns the cells of a column of the table of pictures, from 1."""
    return [each.text for each in page.find_elements(By.CSS_SELECTOR, f"#pictures tbody td:nth-child({place})")]


def choose(page: webdriver.Chrome, name: str, value: str) -> None:
    options = page.find_elements(By.CSS_SELECTOR, f"#pictures select[name={name}] option")
    next(each for each in options if each.get_attribute("value") == value).click()
