"""What an exported model says about itself: what its predictions mean, and where it came from."""

from typing import Any, Literal

from roadseg.exporting.resampling import Size
from roadseg.segnet.model_record import ModelRecord

Outputs = Literal["classes", "logits"]
"""What a model returns: class ids and confidences, or what these are computed from."""

DESCRIBED = {
    "classes", "image_size", "temperature", "licence", "licence_name", "licence_link", "run", "data_set", "data_name",
    "data_terms", "commit", "environment", "learnt_from", "training_drives",
}  # fmt: skip
"""Entries of the model record that an exported model carries."""


def describe_model(record: ModelRecord, image_size: Size | None) -> dict[str, Any]:
    """Returns what an exported model says about itself, ready for JSON: classes, sizes and origin.

    Args:
        record: Of the trained model.
        image_size: (height, width) in pixels of the images that its files take; None is the size of the network.
    """
    description = record.model_dump(mode="json", include=DESCRIBED)
    sizes = {"image_size": list(image_size or record.image_size), "network_size": list(record.image_size)}
    return description | sizes
