"""Commands and options that correct what the library refuses; the library itself knows no commands."""

from typing import TYPE_CHECKING

from roadseg.datasets.provenance import Provenance

if TYPE_CHECKING:
    from roadseg.segnet.model_record import ModelRecord  # brings Keras, which `prepare` need not wait for

NAME_RAW_LABELS = ", or give it a name there, in raw_scenes of the catalog, if its type is SceneFoldersDataset"
"""Where raw labels get names."""


def spare_memory(pipeline: str) -> str:
    """Returns how a pipeline predicts with less memory."""
    return f": give a smaller {pipeline}.batch_size, or write CUDA_VISIBLE_DEVICES= before the command to use the CPU"


def leave_out_samples(pipeline: str) -> str:
    """Returns how a pipeline predicts with a model that has no dropout."""
    return f": give {pipeline}.samples=0 in --params, or train with network.dropout above 0"


def fit_scenes(record: "ModelRecord", provenance: Provenance) -> str:
    """Returns how a model is scored whose size the scenes have not: on its own data, or on scenes of its size.

    Scenes of its own data that are prepared again may be others: a trial has fewer, and raw data may have changed.
    """
    if _is_of_data_set(record, provenance):
        return f": {evaluate_on_own_data(record)}"
    height, width = record.image_size
    return (
        f": prepare them at its size in the same run, with --pipelines prepare,evaluate and with "
        f"'prepare.image_size=[{height},{width}]' in --params"
    )


def evaluate_on_own_data(record: "ModelRecord") -> str:
    """Returns the command that evaluates a model on the data that it learnt from."""
    environment = f" --env {record.environment}" if record.environment else ""
    pins = f"segnet_model:{record.run},{_name_versions(record)}"
    return (
        f"evaluate the model on its own data with\n  kedro run --pipelines evaluate{environment} --load-versions {pins}"
    )


def export_model(record: "ModelRecord") -> str:
    """Returns the command that exports a model."""
    environment = f" --env {record.environment}" if record.environment else ""
    pins = f"segnet_model:{record.run},{_name_versions(record)}"
    return f": export it with\n  kedro run --pipelines export{environment} --load-versions {pins}"


def export_at_own_size(record: "ModelRecord") -> str:
    """Returns the command that exports a model for images of its own size."""
    return f"{export_model(record)} --params export.image_size=null"


def export_on_own_data(record: "ModelRecord", provenance: Provenance) -> str:
    """Returns how a run exports a model with the data that it learnt from, which another environment may have."""
    if not _is_of_data_set(record, provenance):
        return export_model(record)
    return f"; add --load-versions segnet_model:{record.run},{_name_versions(record)}"


def load_what_was_learnt(record: "ModelRecord") -> str:
    """Returns the options with which a run loads the data that a model learnt from."""
    return f"; add --pipelines train --load-versions {_name_versions(record)}"


def _is_of_data_set(record: "ModelRecord", provenance: Provenance) -> bool:
    return record.environment == provenance.environment and record.data_set in (None, provenance.data_set)


def _name_versions(record: "ModelRecord") -> str:
    return ",".join(f"{name}:{each.version}" for name, each in record.learnt_from.items())
