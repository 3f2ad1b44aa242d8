"""The sentences that faults are told in; whole runs that end in one are in runs/test_faults.py."""

import pandas as pd
import pytest
from kedro.pipeline import Node, Pipeline
from kedro.validation import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel, model_validator

from roadseg.scenes.seed import Seed
from roadseg.sentences import describe_fault, describe_parameter


class Shares(BaseModel, extra="forbid", strict=True):
    train: float
    drive: str | None = None

    @model_validator(mode="after")
    def _check(self) -> "Shares":
        if self.train > 1:
            raise ValueError(f"the shares must add up to 1, received {self.train:g}")
        return self


def split(table: pd.DataFrame, shares: Shares, seed: Seed) -> None:
    """A node as those of the pipelines."""


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"seed": "abc"}, "seed: input should be a valid integer, received 'abc'"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0, received -1"),
        ({"seed": None}, "seed: expected a value, received null"),
        ({"split": 3}, "split: input should be a valid dictionary or instance of Shares, received 3"),
        ({"split": {"train": "x"}}, "split.train: input should be a valid number, received 'x'"),
        ({"split": {"train": 0.5, "test": 1}}, "split.test: there is no such parameter, received 1"),
        ({"split": {"train": 2.0}}, "split: the shares must add up to 1, received 2"),
        (
            {"split": {"train": 0.5, "drive": 201}},
            "split.drive: input should be a valid string, received 201; "
            "put text in quotes: --params \"split.drive='...'\"",
        ),
        (
            {"split": {"train": True, "drvie": 1}, "seed": 1.5},
            "split.train: input should be a valid number, received True; "
            "split.drvie: there is no such parameter, received 1; "
            "seed: input should be a valid integer, received 1.5",
        ),
    ],
)
def test_wrong_parameters_are_told_with_key_expectation_and_value(parameters: dict, sentence: str) -> None:
    node = Node(split, ["table", "params:split", "params:seed"], None, name="split")
    with pytest.raises(ParameterValidationError) as raised:
        ParameterValidator({"prepare": Pipeline([node])}).validate_raw_params(parameters)
    assert describe_fault(raised.value) == sentence


@pytest.mark.parametrize(
    ("name", "received", "hint"),
    [
        ("prepare.image_size.0", "'64;96'", "; write a list as --params 'prepare.image_size=[value,value]'"),
        ("prepare.image_size.0", "1.5", ""),
        ("seed", "'64;96'", ""),
    ],
)
def test_item_of_a_list_that_is_text_is_told_how_to_write_a_list(name: str, received: str, hint: str) -> None:
    sentence = describe_parameter(name, "Input should be a valid integer", received)
    assert sentence == f"{name}: input should be a valid integer, received {received}{hint}"
