"""What an exported model says about itself: what its predictions mean, and where it came from."""

from typing import Any

from roadseg.segnet.model_record import ModelRecord

DESCRIBED = {
    "classes", "image_size", "temperature", "licence", "run", "data_set", "data_name", "data_terms", "commit",
    "environment", "learnt_from", "training_drives",
}  # fmt: skip
"""Entries of the model record that an exported model carries."""


def describe_model(record: ModelRecord) -> dict[str, Any]:
    """Returns what an exported model says about itself, ready for JSON: classes, sizes and origin."""
    return record.model_dump(mode="json", include=DESCRIBED)
