"""Exported models that were saved, and which of them is the newest of a model."""

import json
from dataclasses import dataclass
from pathlib import Path

from roadseg.errors import InputError
from roadseg.exporting.exported_model import DESCRIPTION, FILES
from roadseg.exporting.onnx_network import OnnxNetwork
from roadseg.segnet.model_record import ModelRecord


@dataclass(frozen=True)
class SavedExport:
    """A version of an exported model that has a file in ONNX.

    Attributes:
        folder: With a folder per version.
        version: Its name.
        precision: Type of the numbers that it computes with.
    """

    folder: Path
    version: str
    precision: str

    @property
    def file(self) -> Path:
        """Path of the file in ONNX."""
        return self.folder / self.version / self.folder.name / FILES["onnx"]


def find_export(folder: Path, record: ModelRecord, *, before: str) -> SavedExport:
    """Returns the newest file in ONNX that was exported from a model and takes images of its own size.

    Args:
        folder: With a folder per version.
        record: Of the model.
        before: Only older versions count.

    Raises:
        InputError: If there is none.
    """
    for path in sorted(folder.glob(f"*/{folder.name}/{DESCRIPTION}"), reverse=True):
        version = path.parents[1].name
        if version < before and path.with_name(FILES["onnx"]).exists():
            description = json.loads(path.read_text("utf-8"))
            if (description["run"], tuple(description["image_size"])) == (record.run, record.image_size):
                return SavedExport(folder, version, description.get("onnx", {}).get("precision", "float32"))
    size = " x ".join(map(str, record.image_size))
    raise InputError(
        f"there is no file in ONNX of the model of {record.run} in '{folder}' that takes images of {size} pixels"
    )


def open_export(export: SavedExport) -> OnnxNetwork:
    """Returns the network of an exported model.

    Args:
        export: With a file in ONNX.

    Raises:
        RoadSegError: If the package onnx or onnxruntime is missing.
        FileError: If the file is no valid model, or onnxruntime can't run it.
    """
    return OnnxNetwork(export.file.read_bytes(), export.precision, str(export.file))
