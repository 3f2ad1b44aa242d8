"""What `kedro run` takes on its command line, and what a user reads of what it does not."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from kedro.framework.cli.project import run as kedro_run

from roadseg.command_line import run


def parse(command: click.Command, *arguments: str) -> dict[str, Any]:
    """Returns the options as the command would get them."""
    return command.make_context("run", list(arguments)).params


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seed=2",
        " seed = 2 , train.epochs=3,",
        "split.drive='0016E5',split.method=published",
        "a=x=y,b=c:d,c=,d=null,e=[],f=[one],g={h: 1}",
        "raw_folder=/data/it's here,model_of=drawn",
        "name='{split}/{frame}.png'",
    ],
)
def test_what_kedro_takes_means_the_same(text: str) -> None:
    ours = parse(run, "--params", text)
    assert ours["params"] == parse(kedro_run, "--params", text)["params"]
    assert ours.keys() == parse(kedro_run).keys()


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("prepare.image_size=[240,480]", {"prepare": {"image_size": [240, 480]}}),
        ("seed=2,a.b=[1, [2, 3]],c=d", {"seed": 2, "a": {"b": [1, [2, 3]]}, "c": "d"}),
        ("shares={train: 0.5, test: 0.5},a='b, c'", {"shares": {"train": 0.5, "test": 0.5}, "a": "b, c"}),
        ('names=["a,b", c],d="[e"', {"names": ["a,b", "c"], "d": "[e"}),
    ],
)
def test_lists_mappings_and_quoted_texts_may_have_commas(text: str, parameters: dict[str, Any]) -> None:
    assert parse(run, "--params", text)["params"] == parameters


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prepare.image_size=240,480", "--params: expected a name and a value, .*, found '480'"),
        ("seed", "--params: expected a name and a value, .*, found 'seed'"),
        ("=3", "--params: expected a name and a value, .*, found '=3'"),
        (
            "prepare.image_size=[240,seed=2",
            r"--params, prepare\.image_size: expected ',' or '\]', but got '<stream end>'",
        ),
        ("a=@b,seed=2", "--params, a: found character '@' that cannot start any token"),
        ("a=${b", r"--params, a: no viable alternative at input '\$\{b'"),
    ],
)
def test_what_is_no_parameter_is_told_with_an_example_that_works(text: str, sentence: str) -> None:
    with pytest.raises(click.ClickException, match=f"^{sentence}[^\n]*$") as raised:
        parse(run, "--params", text)
    example = re.search(r"such as (--params '[^']*')", raised.value.message)
    assert example
    expected = {"seed": 2, "prepare": {"image_size": [128, 256]}}
    assert parse(run, *shlex.split(example[1]))["params"] == expected


def write(folder: Path, content: object) -> str:
    path = folder / "options.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


@pytest.mark.parametrize(
    "options",
    [
        {"params": {"prepare": {"image_size": [240, 480]}}, "pipelines": "prepare,train", "env": "camvid"},
        {"params": "prepare.image_size=[240,480]", "pipelines": "prepare, train", "env": "camvid"},
    ],
)
def test_options_may_stand_in_a_file(tmp_path: Path, options: dict[str, Any]) -> None:
    given = parse(run, "--config", write(tmp_path, {"run": options}))
    assert given["params"] == {"prepare": {"image_size": [240, 480]}}
    assert given["pipelines"] == ["prepare", "train"]
    assert given["env"] == "camvid"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("run:\n  env: a\n env: b\n", ", line 3: expected <block end>"),
        ("- run\n", ", line 1: expected keys with values"),
        ("", ": expected a section 'run' with options, such as 'params', found None"),
        ("runs: {env: a}\n", ": expected a section 'run' with options, such as 'params', found None"),
        ("run: [env]\n", r": expected a section 'run' with options, such as 'params', found \['env'\]"),
        ("run: {parms: {seed: 2}}\n", r": there is no option 'parms'; did you mean params\?"),
        ("run: {config: a.yml}\n", ": there is no option 'config'; did you mean"),
        ("run: {pipelines: [prepare]}\n", r", pipelines: expected text, such as 'prepare,train', found \['prepare'\]"),
        ("run: {tags:}\n", ", tags: expected text, such as 'prepare,train', found None"),
        ("run: {params: {seed: '${a'}}\n", r", run\.params\.seed: no viable alternative"),
    ],
)
def test_broken_file_of_options_is_told_in_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(click.ClickException, match=f"^'{path}'{sentence}[^\n]*$"):
        parse(run, "--config", path)
