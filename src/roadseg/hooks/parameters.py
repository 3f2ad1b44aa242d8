"""The parameters of a run: something reads each of them, and those that only the catalog reads have the right types."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from roadseg.errors import InputError
from roadseg.pipelines.graph import find_readers
from roadseg.scoring.differences import flatten_values
from roadseg.sentences import describe_parameter

Text = Annotated[str, Field(min_length=1)]


@with_config(ConfigDict(strict=True))
class CatalogParameters(TypedDict, total=False):
    """What the catalog takes from the command line; Kedro checks all other parameters by the types of the nodes.

    Attributes:
        drawing_seed: Of the drawn scenes, from 0.
        raw_folder: Folder of the data set.
        model_of: Name of the data set whose model is scored.
        source: Path of pictures that are predicted.
    """

    drawing_seed: Annotated[int, Field(ge=0)]
    raw_folder: Text
    model_of: Text
    source: Text


class ParameterHooks:
    """Refuses parameters that nothing reads, which Kedro would ignore, and wrong values for the catalog."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Compares the parameters that are given with those that the base configuration has or files ask for.

        Raises:
            InputError: If nothing reads a parameter, or the catalog can't take the value of one.
        """
        loader: Any = context.config_loader
        for kind in ("parameters", "catalog"):
            loader[kind]
        with suppress(MissingConfigException):
            loader["credentials"]
        known = {key for file in loader.files["parameters"].values() for key in file.keys}
        given = loader.runtime_params or {}
        for name in find_unread(given, known, loader.taken):
            raise InputError(f"there is no parameter '{name}'; {_suggest(name, known | loader.taken)}")
        for name, file in loader.list_unread().items():
            raise InputError(f"{file}: there is no parameter '{name}'; {_suggest(name, known - {name})}")
        check_catalog_parameters(given)
        self._parameters = flatten_values(loader["parameters"])

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, run_params: dict[str, Any]) -> None:
        """Refuses to save a model as that of another data set, or to score a file that the run has yet to export.

        First, before MLflow begins a run.

        Raises:
            InputError: If a run that trains has `model_of`, or one that trains or exports scores an exported file.
        """
        makes = {"segnet_model", "exported_model"} & pipeline.all_outputs()
        if makes and "scores" in pipeline.all_outputs() and self._parameters.get("evaluate.runtime") == "onnx":
            raise InputError(
                "evaluate.runtime is 'onnx', which scores a file that an earlier run exported: use it with --pipelines "
                "evaluate alone, when another run has exported the model with --pipelines export"
            )
        if "model_of" in (run_params["runtime_params"] or {}) and "segnet_model" in pipeline.all_outputs():
            raise InputError(
                f"model_of names the data set whose model is read: use it with --pipelines "
                f"{' or '.join(find_readers('segnet_model'))}, not in a run that trains"
            )


def find_unread(given: Mapping[str, Any], known: Collection[str], taken: Collection[str]) -> Iterator[str]:
    """Yields the names of given parameters that nothing reads.

    Args:
        given: Parameters of the command line, which may be nested.
        known: Names at the top of parameter files; Kedro checks what is below them by the types of the nodes.
        taken: Names, which may be dotted, that configuration files ask for.
    """
    for top, value in sorted(given.items()):
        for name in flatten_values({top: value}) or [top]:
            if top not in known and not any(f"{name}.".startswith(f"{each}.") for each in taken):
                yield name


def check_catalog_parameters(given: Mapping[str, Any]) -> None:
    """Refuses values that the catalog can't take.

    Args:
        given: Parameters of the command line.

    Raises:
        InputError: If one of those in `CatalogParameters` has another type or is out of range.
    """
    try:
        TypeAdapter(CatalogParameters).validate_python(given)
    except ValidationError as fault:
        facts = ((str(each["loc"][0]), each["msg"], repr(each["input"])) for each in fault.errors())
        raise InputError("; ".join(describe_parameter(*each) for each in facts)) from fault


def _suggest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1) or get_close_matches(name.partition(".")[0], known, 1)
    return f"did you mean {' or '.join(close or sorted(known))}?"
