"""`kedro run` with lists in `--params`, and one sentence for faults there or in a file of `--config`."""

from collections.abc import Mapping
from copy import copy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.framework.cli.project import CONF_SOURCE_HELP
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import _config_file_callback, validate_conf_source
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from roadseg.errors import InputError
from roadseg.reading.yaml_file import describe_yaml_fault, read_mapping

EXAMPLE = "such as --params 'seed=2,prepare.image_size=[128,256]'"

conf_source_option = click.option("--conf-source", callback=validate_conf_source, help=CONF_SOURCE_HELP)
"""For the commands that read what runs with such settings have saved."""


def parse_parameters(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Returns the parameters that are given as `name=value,name=value`, where Kedro would end a value at each comma.

    A comma ends a value only if it is complete YAML, so lists and mappings may contain commas.

    Args:
        context: Of the command.
        option: That they are given with.
        value: Their text; what a file of `--config` has of them, is parsed already.

    Raises:
        click.ClickException: If a part is no name with a value, or no YAML.
    """
    if isinstance(value, Mapping):
        return value
    flag = option.opts[0]
    items: list[str] = []
    for piece in str(value).split(","):
        if items and _find_fault(items[-1]):
            items[-1] += f",{piece}"
        elif piece.strip():
            items.append(piece.strip())
    for item in items:
        name, sign, _ = item.partition("=")
        if not sign or not name.strip():
            raise click.ClickException(f"{flag}: expected a name and a value, {EXAMPLE}, found '{item}'")
        if fault := _find_fault(item):
            raise click.ClickException(f"{flag}, {name.strip()}: {fault}; values are YAML, {EXAMPLE}")
    try:
        pairs = (item.partition("=") for item in items)
        return OmegaConf.to_container(OmegaConf.from_dotlist([f"{name.strip()}={text}" for name, _, text in pairs]))
    except OmegaConfBaseException as fault:
        reason = str(fault).partition("\n")[0]
        raise click.ClickException(f"{flag}, {fault.full_key}: {reason}; values are YAML, {EXAMPLE}") from fault


def read_options(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Lets a file give other options, as Kedro does, after checking that it can be read.

    Args:
        context: Of the command.
        option: That the file is given with.
        value: Path of the file; None if there is none.

    Raises:
        click.ClickException: If it is not YAML, has no section for the command, or has lists where Kedro takes text.
    """
    if value is None:
        return None
    try:
        content = read_mapping(Path(value).read_bytes(), f"'{value}'")
        _check_options(content.get(str(context.info_name)), context.command, f"'{value}'")
        _config_file_callback(context, option, value)
    except OmegaConfBaseException as fault:
        reason = str(fault).partition("\n")[0]
        raise click.ClickException(f"'{value}', {fault.full_key}: {reason}") from fault
    except (InputError, OSError) as fault:
        raise click.ClickException(str(fault)) from fault
    return value


def _check_options(given: Any, command: click.Command, name: str) -> None:
    if not isinstance(given, dict):
        raise InputError(f"{name}: expected a section '{command.name}' with options, such as 'params', found {given!r}")
    known = [str(option.name) for option in command.params if option.name != "config"]
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(str(key), known, 1) or sorted(known)
            raise InputError(f"{name}: there is no option '{key}'; did you mean {' or '.join(close)}?")
        if not isinstance(value, str | int | float) and not (key == "params" and isinstance(value, dict)):
            raise InputError(f"{name}, {key}: expected text, such as 'prepare,train', found {value!r}")


def _find_fault(item: str) -> str | None:
    """Returns what is wrong with the value of `name=value` as YAML, if anything is."""
    text = item.partition("=")[2]
    try:
        yaml.safe_load(text)
    except yaml.YAMLError as fault:
        return describe_yaml_fault(fault, text).removeprefix("line 1: ")
    return None


def _adapt(option: click.Parameter) -> click.Parameter:
    readers = {"params": parse_parameters, "runner_params": parse_parameters, "config": read_options}
    adapted = copy(option)
    adapted.callback = readers.get(str(option.name), option.callback)
    return adapted


run = copy(kedro_run)
run.params = [_adapt(option) for option in kedro_run.params]
