"""The small print of a figure: where it comes from."""

from roadseg.scoring.differences import flatten_values
from roadseg.segnet.model_record import ModelRecord

UNUSED = ("evaluate", "export", "predict", "pictures")
"""Groups of parameters that no training uses."""


def describe_model(record: ModelRecord) -> str:
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
