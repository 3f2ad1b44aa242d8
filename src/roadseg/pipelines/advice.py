"""Commands and options that mend what the library refuses: it knows the fault, and nothing of commands."""

from roadseg.segnet.model_record import ModelRecord


def prepare_as_learnt(record: ModelRecord) -> str:
    """Returns how scenes are prepared at the size of those that a model learnt from."""
    height, width = record.image_size
    return f": prepare them at its size with --params 'prepare.image_size=[{height},{width}]'"


def evaluate_on_own_data(record: ModelRecord) -> str:
    """Returns the command that evaluates a model on the data that it learnt from."""
    environment = f" --env {record.environment}" if record.environment else ""
    pins = f"segnet_model:{record.run},{_name_versions(record)}"
    return (
        f", else evaluate the model on its own data with\n"
        f"  kedro run --pipelines evaluate{environment} --load-versions {pins}"
    )


def load_what_was_learnt(record: ModelRecord) -> str:
    """Returns the options with which a run loads the data that a model learnt from."""
    return f": add --pipelines train --load-versions {_name_versions(record)}"


def _name_versions(record: ModelRecord) -> str:
    return ",".join(f"{name}:{each.version}" for name, each in record.learnt_from.items())
