"""The small print of a figure: where it comes from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from roadseg.scoring.differences import flatten_values

if TYPE_CHECKING:
    from roadseg.segnet.model_record import ModelRecord  # brings Keras, which lists of runs need not wait for

UNUSED = ("evaluate", "export", "predict", "pictures", "card")
"""Groups of parameters that no training uses."""


def describe_model(record: "ModelRecord") -> str:
    """Returns the versions of model, data and split, and the parameters of the training.

    What no training uses, the parameters of evaluations, exports, predictions and pictures, is left out.

    Args:
        record: Of the model.
    """
    versions = [f"segnet_model {record.run}"]
    versions += [f"{name} {each.version}" for name, each in record.learnt_from.items()]
    used = {name: value for name, value in record.parameters.items() if name not in UNUSED}
    parameters = [f"{name}={value}" for name, value in flatten_values(used).items()]
    return f"{', '.join(versions)}. Parameters: {', '.join(parameters)}."


def name_export(runtime: Mapping[str, str] | None) -> str:
    """Returns which file was scored instead of the network, and in what; an empty text for the network itself.

    Args:
        runtime: As scores hold it; those of older programs hold none.
    """
    if runtime is None or "exported_model" not in runtime:
        return ""
    program = f"{runtime['name']} {runtime['version']}"
    return f"{program} from the export {runtime['exported_model']} ({runtime['precision']})"
