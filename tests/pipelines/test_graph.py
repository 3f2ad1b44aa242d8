"""What the pipelines of the project say of data sets; expected is what `docs/design.md` draws."""

import pytest
from kedro.framework.project import configure_project, pipelines

from roadseg.pipelines.graph import find_makers, find_origins, find_readers

SOURCES = ("prepared_scenes", "split_table", "segnet_model")


@pytest.fixture(autouse=True)
def _one_is_loaded() -> None:
    configure_project("roadseg")
    pipelines.set_requested(["prepare"])


@pytest.mark.parametrize(
    ("name", "makers", "readers"),
    [
        ("raw_scenes", [], ["evaluate", "export", "prepare"]),
        ("segnet_model", ["train"], ["evaluate", "export", "predict"]),
        ("scores", ["evaluate"], []),
    ],
)
def test_pipelines_that_make_and_read_a_data_set(name: str, makers: list[str], readers: list[str]) -> None:
    assert (find_makers(name), find_readers(name)) == (makers, readers)


@pytest.mark.parametrize(
    ("name", "origins"),
    [
        ("prepared_scenes", set()),
        ("class_pixels", {"prepared_scenes"}),
        ("split_table", {"prepared_scenes"}),
        ("training_history", set(SOURCES)),  # made together with the model
        ("network_diagram", {"segnet_model"}),
        ("segnet_model", set()),
        ("prior_confusion", {"prepared_scenes", "split_table"}),
        ("score_figure", set(SOURCES)),  # made from tables that are made from these
        ("no_such_thing", set()),
    ],
)
def test_origins_of_a_data_set_are_followed_up_to_the_model(name: str, origins: set[str]) -> None:
    assert find_origins(name, SOURCES, until="segnet_model") == origins
