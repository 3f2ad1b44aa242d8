"""Model records for tests, whole but for what a test asks for."""

from typing import Any

from roadseg.segnet.model_record import ModelRecord

WHOLE: dict[str, Any] = {
    "run": "v3",
    "data_set": "drawn",
    "data_name": "drawn street scenes",
    "data_terms": "Apache-2.0",
    "licence": "mit",
    "licence_name": None,
    "licence_link": None,
    "commit": "0123+",
    "environment": "",
    "learnt_from": {
        "prepared_scenes": {"version": "v1", "digest": "0a"},
        "split_table": {"version": "v2", "digest": "0b"},
    },
    "classes": [{"name": "road", "colour": [1, 2, 3]}, {"name": "sky", "colour": [4, 5, 6]}],
    "image_size": [15, 24],
    "training_drives": ["a", "b"],
    "parameters": {"limit": None, "rate": 0.1},
    "packages": {"keras": "3.15.1"},
    "machine": {
        "platform": "Linux-6.1",
        "system": "Linux x86_64",
        "processor": "Z80",
        "cores": 2,
        "memory": 2**34,
        "gpus": ["H100"],
        "python": "3.11.7",
    },
    "num_parameters": 1234,
    "training": {
        "epochs": 2,
        "best_epoch": 1,
        "best_validation_mean_iou": 0.5,
        "seconds": 61.6,
        "is_interrupted": False,
        "continued_from": {"run": "v0", "epochs": 1},
        "history": [{"epoch": 1, "loss": 1e-05, "val_loss": None}, {"epoch": 2, "loss": 0.5, "val_loss": 1.0}],
    },
    "state": "0c",
    "started_from": {
        "file": "earlier.keras",
        "run": "v0",
        "learnt_from": {"split_table": {"version": "v0", "digest": "0d"}},
        "training_drives": ["c"],
    },
    "temperature": 1.5,
}
"""All that a record says, as JSON."""


def model_record(**changes: Any) -> ModelRecord:
    """Returns a record in which some entries are others, given as JSON; those of `training` are merged."""
    training = WHOLE["training"] | changes.pop("training", {})
    return ModelRecord.model_validate(WHOLE | changes | {"training": training})
