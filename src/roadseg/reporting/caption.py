"""The small print of a figure: where it comes from."""

from roadseg.scoring.differences import flatten_values
from roadseg.segnet.model_record import ModelRecord


def describe_model(record: ModelRecord) -> str:
    """Returns the versions of model, data and split, and the parameters of the training.

    What the training did not use, the parameters of evaluations and pictures, is left out.

    Args:
        record: Of the model.
    """
    versions = [f"segnet_model {record.run}"]
    versions += [f"{name} {each.version}" for name, each in record.learnt_from.items()]
    used = {name: value for name, value in record.parameters.items() if name not in ("evaluate", "pictures")}
    parameters = [f"{name}={value}" for name, value in flatten_values(used).items()]
    return f"{', '.join(versions)}. Parameters: {', '.join(parameters)}."
