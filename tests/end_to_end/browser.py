"""A real browser without a window, for what a person looks at and clicks."""

import os
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSER = shutil.which("chromium") or shutil.which("chrome") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

needs_browser = pytest.mark.skipif(
    not (BROWSER and DRIVER) and os.environ.get("ROADSEG_BROWSER") != "required",
    reason="needs chromium and chromedriver on the path",
)


def start_browser() -> webdriver.Chrome:
    """Starts a browser that keeps what is written to its console; the caller quits it."""
    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1300,1000"):
        options.add_argument(f"--{argument}")
    options.binary_location = BROWSER or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, Service(DRIVER or "chromedriver"))
