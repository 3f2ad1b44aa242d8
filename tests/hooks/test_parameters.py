"""Parameters that something reads, and those that nothing does."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.project import configure_project, find_pipelines
from kedro.pipeline import Node, Pipeline

from roadseg import pipeline_registry
from roadseg.configuration import ConfigurationLoader
from roadseg.hooks.parameters import ParameterHooks, check_catalog_parameters, find_unread
from roadseg.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[2] / "conf"


def check(source: Path = CONF, environment: str = "camvid", **given: Any) -> None:
    loader = ConfigurationLoader(str(source), env=environment, runtime_params=given, **CONFIG_LOADER_ARGS)
    context: Any = SimpleNamespace(config_loader=loader)
    ParameterHooks().after_context_created(context)


def write(folder: Path, **files: str) -> Path:
    """Returns a configuration of a base with two parameters, and of an environment with some files."""
    (folder / "base").mkdir()
    (folder / "base/parameters.yml").write_text("seed: 1\nsplit: {drive: null}\n")
    (folder / "base/catalog.yml").write_text("raw: {filepath: '${runtime_params:raw_folder, here}'}\n")
    (folder / "mine").mkdir()
    for name, text in files.items():
        (folder / f"mine/{name}.yml").write_text(text)
    return folder


@pytest.mark.parametrize("given", [{}, {"seed": 2, "train": {"epochs": 1}}, {"raw_folder": "there", "model_of": "idd"}])
def test_what_parameter_files_have_and_the_catalog_asks_for_may_be_given(given: dict[str, Any]) -> None:
    check(**given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sed": 2}, "there is no parameter 'sed'; did you mean seed?"),
        ({"trian": {"epochs": 1}}, "there is no parameter 'trian.epochs'; did you mean train?"),
        ({"raw_foldre": "there"}, "there is no parameter 'raw_foldre'; did you mean raw_folder?"),
        ({"rounds": {}}, "there is no parameter 'rounds'; did you mean card or drawing_seed or evaluate or export or"),
        ({"raw_folder": 2024}, "raw_folder: input should be a valid string, received 2024; put text in quotes: "),
        ({"raw_folder": None}, "raw_folder: input should be a valid string, received None"),
        ({"model_of": ""}, "model_of: string should have at least 1 character, received ''"),
    ],
)
def test_what_nothing_reads_is_refused_and_so_is_another_type(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        check(**given)


@pytest.mark.parametrize("seed", ["abc", -1, 1.5, None, True, "7"])
def test_seed_of_the_drawing_is_a_whole_number_from_0(seed: object) -> None:
    with pytest.raises(ValueError, match=r"^drawing_seed: input should be .*, received "):
        check_catalog_parameters({"drawing_seed": seed})


def test_model_of_another_data_set_is_only_for_pipelines_that_read_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    weigh, train = (
        Pipeline([Node(len, *ends, name="weigh")]) for ends in (("segnet_model", "size"), ("seed", "segnet_model"))
    )
    monkeypatch.setattr(pipeline_registry, "find_pipelines", lambda **_: {**find_pipelines(), "weigh": weigh})
    configure_project("roadseg")
    begin = ParameterHooks().before_pipeline_run
    with pytest.raises(
        ValueError, match="use it with --pipelines evaluate or export or predict or weigh, not in a run that trains"
    ):
        begin(train, {"runtime_params": {"model_of": "idd"}})
    begin(weigh, {"runtime_params": {"model_of": "idd"}})
    begin(train, {"runtime_params": None})
    configure_project("roadseg")


def test_parameter_files_may_ask_for_parameters(tmp_path: Path) -> None:
    conf = write(
        tmp_path, parameters="split: {drive: '${runtime_params:of.drive}'}", credentials="k: ${runtime_params:k}"
    )
    check(conf, "mine", of={"drive": "a"}, k="x")
    with pytest.raises(ValueError, match=r"no parameter 'of\.drvie'; did you mean of\.drive\?"):
        check(conf, "mine", of={"drive": "a", "drvie": "b"}, k="x")


def test_wrong_name_in_a_file_of_an_environment_is_refused_with_the_file(tmp_path: Path) -> None:
    conf = write(tmp_path, parameters="spilt: {drive: a}")
    with pytest.raises(ValueError, match=rf"^'{conf}/mine/parameters\.yml': there is no parameter 'spilt'; .* split\?"):
        check(conf, "mine")


@pytest.mark.parametrize(
    ("given", "taken", "unread"),
    [
        ({"a": 1}, {"a"}, []),
        ({"a": {"b": 1, "c": 2}}, {"a.b"}, ["a.c"]),
        ({"a": {"b": 1}}, {"a"}, []),  # the file takes all that is in it
        ({"ab": 1}, {"a"}, ["ab"]),
        ({"known": {"b": 1}}, set(), []),
    ],
)
def test_names_are_compared_part_by_part(given: dict[str, Any], taken: set[str], unread: list[str]) -> None:
    assert list(find_unread(given, {"known"}, taken)) == unread


def test_an_exported_file_is_not_scored_by_the_run_that_makes_model_or_file() -> None:
    hooks = ParameterHooks()
    loader = ConfigurationLoader(
        str(CONF), env="camvid", runtime_params={"evaluate": {"runtime": "onnx"}}, **CONFIG_LOADER_ARGS
    )
    context: Any = SimpleNamespace(config_loader=loader)
    hooks.after_context_created(context)
    ends = {"scores": "size", "segnet_model": "seed", "exported_model": "segnet_model"}
    score, *makers = (Pipeline([Node(len, made, name, name=name)]) for name, made in ends.items())
    sentence = r"^evaluate.runtime is 'onnx', which scores a file that an earlier run exported: use it with --pipelines"
    for make in makers:
        with pytest.raises(ValueError, match=sentence):
            hooks.before_pipeline_run(score + make, {"runtime_params": {}})
        hooks.before_pipeline_run(make, {"runtime_params": {}})
    hooks.before_pipeline_run(score, {"runtime_params": {}})
