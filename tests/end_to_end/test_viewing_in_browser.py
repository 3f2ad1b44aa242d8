"""Kedro-Viz as a person uses it: the graph, its pipelines, and what an output shows when it is clicked."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from end_to_end.browser import needs_browser, start_browser
from end_to_end.project import Project
from end_to_end.test_viewing import PICTURES

pytestmark = needs_browser

PATIENCE = 120
"""Seconds that the server and a page may take."""

FONTS = "https://fonts.googleapis.com"
"""Kedro-Viz asks for its font there, and does without where there is no network."""

INSIDE = {
    "prepare": {"prepare_scenes", "index_scenes", "split_scenes", "report_data", "prepared_scenes", "split_table"},
    "train": {"train_segnet", "draw_curves", "draw_network", "segnet_model", "model_record", "training_history"},
    "evaluate": {"score_scenes", "summarise_scores", "write_report", "scores", "evaluation_report"},
}
"""What only one of the pipelines has or makes; others may read what stands in `READ`."""

READ = {"prepared_scenes", "split_table", "segnet_model", "model_record"}


@pytest.fixture(scope="module")
def address(trained: Project) -> Iterator[str]:
    """Where Kedro-Viz serves the project in which everything has run."""
    first = 4200 + os.getpid() % 1000  # two workers would take one port; Kedro-Viz refuses those of the system
    port = next(port for port in range(first, first + 100) if is_free(port))
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=trained.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api/main")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(address).close()  # noqa: S310 - our own server
            return
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[webdriver.Chrome]:
    """The graph; nothing but the missing font may be complained of on the console."""
    browser = start_browser()
    browser.get(address)
    wait(browser, lambda browser: "prepare" in nodes(browser))
    yield browser
    complaints = [each["message"] for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    browser.quit()
    assert [each for each in complaints if not each.startswith(FONTS)] == []


def wait(page: webdriver.Chrome, condition) -> None:
    WebDriverWait(page, PATIENCE).until(condition)


def nodes(page: webdriver.Chrome) -> set[str]:
    """Returns the names of the nodes and data sets that the graph shows."""
    return set(page.execute_script("return [...document.querySelectorAll('g.pipeline-node')].map(e => e.textContent)"))


def select(page: webdriver.Chrome, pipeline: str) -> None:
    page.find_element(By.CSS_SELECTOR, ".pipeline-list .dropdown__label").click()
    wait(page, lambda page: pipeline in options(page))
    options(page)[pipeline].click()


def options(page: webdriver.Chrome) -> dict[str, WebElement]:
    return {each.text: each for each in page.find_elements(By.CSS_SELECTOR, ".pipeline-list .menu-option")}


def click(page: webdriver.Chrome, name: str) -> None:
    """Clicks a data set in the graph, wherever it lies, and waits for what it has to say."""
    page.execute_script(
        "[...document.querySelectorAll('g.pipeline-node')].find(e => e.textContent === arguments[0])"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        name,
    )
    title = "return document.querySelector('.pipeline-metadata__title')?.textContent"
    wait(page, lambda page: page.execute_script(title) == name)


def test_the_graph_opens_as_three_stages_joined_by_their_data(page: webdriver.Chrome) -> None:
    assert nodes(page) >= {*INSIDE, "raw_scenes", "label_space", "prepared_scenes", "split_table", "segnet_model"}
    assert nodes(page).isdisjoint({"train_segnet", "scene_index", "training_history", "scores", "params:train"})


def test_the_graph_unfolds_to_all_nodes(page: webdriver.Chrome, address: str) -> None:
    page.get(f"{address}/?expandAllPipelines=true")
    wait(page, lambda page: set().union(*INSIDE.values()) <= nodes(page))


@pytest.mark.parametrize("pipeline", INSIDE)
def test_each_pipeline_can_be_selected(page: webdriver.Chrome, address: str, pipeline: str) -> None:
    page.get(f"{address}/?expandAllPipelines=true")
    wait(page, nodes)  # those of the pipeline that was selected before
    select(page, pipeline)
    strangers = set().union(*INSIDE.values()) - INSIDE[pipeline] - READ
    wait(page, lambda page: INSIDE[pipeline] <= nodes(page) and strangers.isdisjoint(nodes(page)))


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_an_output_shows_its_picture_when_it_is_clicked(page: webdriver.Chrome, name: str) -> None:
    select(page, "__default__")
    wait(page, lambda page: name in nodes(page))
    click(page, name)
    widths = "return [...document.querySelectorAll('.pipeline-metadata__plot-image')].map(each => each.naturalWidth)"
    wait(page, lambda page: any(page.execute_script(widths)))


def test_the_score_table_shows_its_rows_when_it_is_clicked(page: webdriver.Chrome) -> None:
    select(page, "__default__")
    wait(page, lambda page: "score_table" in nodes(page))
    click(page, "score_table")
    splits = "return [...document.querySelectorAll('.pipeline-metadata .preview-table__row')].map(e => e.textContent)"
    wait(page, lambda page: len(page.execute_script(splits)) >= 3)
    text = " ".join(page.execute_script(splits))
    assert all(split in text for split in ("train", "validation", "test"))
