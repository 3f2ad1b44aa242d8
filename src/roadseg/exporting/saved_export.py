"""Exported models that were saved, and which of them is the newest of a model."""

import json
from dataclasses import dataclass, replace

from roadseg.errors import InputError
from roadseg.exporting.exported_model import DESCRIPTION, FILES
from roadseg.exporting.onnx_network import OnnxNetwork
from roadseg.reading.folder import Folder
from roadseg.segnet.model_record import ModelRecord


@dataclass(frozen=True)
class SavedExport:
    """A version of an exported model that has a file in ONNX.

    Attributes:
        folder: With a folder per version.
        version: Its name.
        precision: Type of the numbers that it computes with.
    """

    folder: Folder
    version: str
    precision: str

    @property
    def place(self) -> Folder:
        """The folder of this version."""
        return self.folder / self.version / self.folder.name

    @property
    def is_there(self) -> bool:
        """Whether its file in ONNX exists."""
        return self.place.has(FILES["onnx"])


def find_export(folder: Folder, record: ModelRecord, *, before: str) -> SavedExport:
    """Returns the newest file in ONNX that was exported from a model and takes images of its own size.

    Args:
        folder: With a folder per version.
        record: Of the model.
        before: Only older versions count.

    Raises:
        InputError: If there is none.
    """
    for version in reversed([each for each in folder.list_names() if each < before]):
        export = SavedExport(folder, version, "float32")
        if export.place.has(DESCRIPTION) and export.is_there:
            description = json.loads(export.place.read(DESCRIPTION))
            if (description["run"], tuple(description["image_size"])) == (record.run, record.image_size):
                precision = description.get("onnx", {}).get("precision", export.precision)
                return replace(export, precision=precision)
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
    file = FILES["onnx"]
    return OnnxNetwork(export.place.read(file), export.precision, f"{export.place}/{file}")
