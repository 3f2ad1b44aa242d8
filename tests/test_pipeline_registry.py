"""What `kedro run` runs, and what a command that asks for one pipeline loads."""

import pytest
from kedro.framework.project import configure_project, find_pipelines, pipelines
from kedro.pipeline import Node, Pipeline

from roadseg import pipeline_registry
from roadseg.errors import InputError
from roadseg.pipeline_registry import complete_names, register_pipelines


@pytest.fixture(autouse=True)
def _all_of_them() -> None:
    configure_project("roadseg")


def test_a_pipeline_that_is_added_does_not_slip_into_a_plain_run(monkeypatch: pytest.MonkeyPatch) -> None:
    added = Pipeline([Node(len, "segnet_model", "size", name="weigh")])
    monkeypatch.setattr(pipeline_registry, "find_pipelines", lambda **_: {**find_pipelines(), "weigh": added})
    registered = register_pipelines()
    names = {node.name for node in registered["__default__"].nodes}
    assert {"prepare.prepare_scenes", "train.train_segnet", "evaluate.write_report"} <= names
    assert "weigh" in registered
    assert "weigh" not in names


def test_what_asks_for_one_pipeline_loads_that_one() -> None:
    pipelines.set_requested(["prepare"])
    assert set(pipelines) == {"prepare"}


@pytest.mark.parametrize("asked_for", [None, ["train", "evaluate"]])
def test_nodes_are_found_with_their_namespace_and_without(asked_for: list[str] | None) -> None:
    given = ["score_scenes", "train.draw_curves"]
    assert complete_names(given, asked_for) == ["evaluate.score_scenes", "train.draw_curves"]
    for name in ("draw_curve", "train.draw_curve"):
        with pytest.raises(InputError, match=rf"^there is no node '{name}' in this run; did you mean {name}s\?$"):
            complete_names([name], asked_for)


def test_names_of_nodes_are_listed_where_none_is_like_the_given_one() -> None:
    with pytest.raises(
        InputError, match=r"'xyz' in this run; did you mean draw_curves or draw_network or train_segnet"
    ):
        complete_names(["xyz"], ["train"])


def test_each_pipeline_is_one_stage_and_no_folder_that_is_written_is_an_input() -> None:
    for name, each in pipelines.items():
        assert name == "__default__" or {node.namespace for node in each.nodes} == {name}
    assert not [name for name in pipelines["__default__"].inputs() if name.endswith(("folder", "state"))]
