"""The sentences that faults are told in; whole runs that end in one are in end_to_end/test_faults.py."""

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click import ClickException
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro.validation import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel, model_validator

from roadseg.datasets.catalog import RunCatalog
from roadseg.errors import FileError, InputError, RoadSegError
from roadseg.scenes.seed import Seed
from roadseg.sentences import describe_fault, describe_parameter, told_in_a_sentence


class Shares(BaseModel, extra="forbid", strict=True):
    train: float
    drive: str | None = None

    @model_validator(mode="after")
    def _check(self) -> "Shares":
        if self.train > 1:
            raise ValueError(f"the shares must add up to 1, received {self.train:g}")
        return self


class Written(BaseModel, strict=True):
    formats: list[str]
    size: tuple[int, int]
    maps: Sequence[str]


def write(written: Written) -> None:
    """A node whose options are lists."""


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


def test_a_text_in_place_of_a_list_is_told_how_to_write_a_list() -> None:
    node = Node(write, ["params:written"], None, name="write")
    parameters = {"written": {"formats": "onnx", "size": 9, "maps": "entropy"}}
    with pytest.raises(ParameterValidationError) as raised:
        ParameterValidator({"export": Pipeline([node])}).validate_raw_params(parameters)
    assert describe_fault(raised.value) == (
        "written.formats: input should be a valid list, received 'onnx'; "
        "write a list as --params 'written.formats=[value,value]'; "
        "written.size: input should be a valid tuple, received 9; "
        "write a list as --params 'written.size=[value,value]'; "
        "written.maps: 'str' instances are not allowed as a Sequence value, received 'entropy'; "
        "write a list as --params 'written.maps=[value,value]'"
    )


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


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (RoadSegError("a package is missing"), "a package is missing"),
        (InputError("width: expected more than 0, received -1"), "width: expected more than 0, received -1"),
        (FileError("there is no folder 'raw'"), "there is no folder 'raw'"),
        (DatasetError("raw scenes are read only"), "raw scenes are read only"),
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "[Errno 28] No space left on device: 'a.png'"),
        (MemoryError("memory ran out"), "memory ran out"),
    ],
)
def test_what_a_user_can_mend_is_told_in_a_sentence(fault: Exception, sentence: str) -> None:
    with pytest.raises(ClickException) as raised, told_in_a_sentence():
        raise fault
    assert (raised.value.message, raised.value.exit_code) == (sentence, 1)


def run_node(function: Callable[..., object]) -> None:
    """Runs a node as a run does."""
    pipeline = Pipeline([Node(function, None, ["a", "b"], name="add")])
    SequentialRunner().run(pipeline, DataCatalog())


def add_shapes() -> np.ndarray:
    return np.zeros(2) + np.zeros(3)


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (add_shapes, r"operands could not be broadcast together with shapes \(2,\) \(3,\)"),
        (lambda: [1, 2, 3], "returned 3 output"),
        (lambda: pd.DataFrame({"a": [1]}).set_index("b"), "b"),
    ],
)
def test_fault_of_the_program_shows_its_traceback(function: Callable[..., object], fault: str) -> None:
    with pytest.raises((ValueError, KeyError), match=fault), told_in_a_sentence():
        run_node(function)


def test_name_that_kedro_refuses_is_told_in_a_sentence() -> None:
    nodes = Pipeline([Node(add_shapes, None, "sum", name="add")])
    with pytest.raises(ClickException, match="does not contain nodes named"), told_in_a_sentence():
        nodes.filter(node_names=["sub"])
    with pytest.raises(ClickException, match="does not contain datasets named"), told_in_a_sentence():
        nodes.filter(from_inputs=["difference"])


TABLE = {"type": "pandas.CSVDataset", "load_args": {"dtype": {"height": "int64"}}}
SCORES = {"type": "json.JSONDataset"}


@pytest.mark.parametrize(
    ("entry", "content", "sentence"),
    [
        (TABLE, b"", "No columns to parse from file"),
        (TABLE, b'height\n"1\n', "Error tokenizing data. C error: EOF inside string starting at row 1"),
        (TABLE, b"height\nhigh\n", "invalid literal for int() with base 10: 'high'"),
        (SCORES, b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_damaged_file_is_told_in_a_sentence(
    entry: dict[str, Any], content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(content)
    catalog = RunCatalog.from_config({"entry": {**entry, "filepath": str(tmp_path / "file")}})
    with pytest.raises(ClickException) as raised, told_in_a_sentence():
        catalog.load("entry")
    assert raised.value.message == sentence


def test_what_a_library_can_not_write_is_a_fault_of_the_program(tmp_path: Path) -> None:
    catalog = RunCatalog.from_config({"entry": {**SCORES, "filepath": str(tmp_path / "file")}})
    with pytest.raises(DatasetError, match="not JSON serializable"), told_in_a_sentence():
        catalog.save("entry", {"scores": object()})


class Raising(AbstractDataset[Any, Any]):
    """A data set that raises the same whenever it is used."""

    def __init__(self, raised: Exception) -> None:
        self._raised = raised

    def load(self) -> None:
        raise self._raised

    def save(self, data: object) -> None:
        raise self._raised

    def _describe(self) -> dict[str, Any]:
        return {}


class Stacking(Raising):
    """A data set in which NumPy itself raises."""

    def load(self) -> None:
        np.stack([np.zeros(2), np.zeros(3)])


@pytest.mark.parametrize("work", [lambda catalog: catalog.load("entry"), lambda catalog: catalog.save("entry", 1)])
def test_what_a_data_set_raises_decides(work: Callable[[DataCatalog], object]) -> None:
    for fault in (FileError("'a.png' can't be read"), InputError("no such class"), MemoryError("memory ran out")):
        with pytest.raises(ClickException, match=f"^{fault}$"), told_in_a_sentence():
            work(RunCatalog({"entry": Raising(fault)}))
    with pytest.raises(ClickException, match=r"^entry: raw scenes are read only$"), told_in_a_sentence():
        work(RunCatalog({"entry": Raising(DatasetError("raw scenes are read only"))}))
    for bug in (TypeError("two arguments"), AttributeError("no shape"), KeyError("height"), IndexError("3 of 3")):
        with pytest.raises(DatasetError, match=r"^entry: Failed while"), told_in_a_sentence():
            work(RunCatalog({"entry": Raising(bug)}))


def test_value_error_in_a_data_set_of_ours_is_a_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = RunCatalog({"entry": Raising(ValueError("could not be broadcast together"))})
    with pytest.raises(ClickException, match=r"^could not be broadcast together$"), told_in_a_sentence():
        catalog.load("entry")
    monkeypatch.setitem(globals(), "__name__", "roadseg.datasets.raising")
    with pytest.raises(DatasetError, match="could not be broadcast together"), told_in_a_sentence():
        catalog.load("entry")
    with pytest.raises(DatasetError, match="must have the same shape"), told_in_a_sentence():
        RunCatalog({"entry": Stacking(ValueError())}).load("entry")


STREETS = {"frames_per_drive": 1, "size": [64, 96], "seed": 1}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"type": "json.JSNDataset"}, "entry: Dataset 'JSNDataset' not found in 'json'. Make sure"),
        ({**SCORES, "filepath": "oddfs://a"}, "Protocol not known: oddfs"),
        (
            {**SCORES, "filepaht": "a"},
            r"\n.* unexpected keyword argument 'filepaht'\.\nDataset 'entry' must only contain arguments valid",
        ),
        ({"type": "roadseg.datasets.folder.FolderDataset"}, r"\n.* missing 1 required .* argument: 'filepath'"),
        (
            {"type": "roadseg.datasets.trained_segnet.TrainedSegNetDataset", "filepath": "a.h5"},
            r"a trained network is saved as a \.keras file, not as 'a\.h5'$",
        ),
        (
            {"type": "roadseg.datasets.drawn.DrawnScenesDataset", "drives": 0, **STREETS},
            r"DrawingOptions drives: Input should be greater than or equal to 1, received 0",
        ),
    ],
)
def test_entry_of_the_catalog_that_is_wrong_is_told_in_a_sentence(entry: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClickException) as raised, told_in_a_sentence():
        RunCatalog.from_config({"entry": entry}).get("entry")
    assert re.match(sentence, raised.value.message), raised.value.message
