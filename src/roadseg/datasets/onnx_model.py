"""Exported networks on disk: models in ONNX."""

from typing import TYPE_CHECKING

from roadseg.datasets.versioned_file import VersionedFileDataset
from roadseg.exporting.onnx_graph import import_onnx

if TYPE_CHECKING:
    from onnx import ModelProto


class OnnxModelDataset(VersionedFileDataset["ModelProto", "ModelProto"]):
    """Saves and loads a model in ONNX.

    Examples:
        ```yaml
        onnx_model:
          type: roadseg.datasets.onnx_model.OnnxModelDataset
          filepath: data/06_models/drawn/segnet.onnx
          versioned: true
        ```
    """

    def load(self) -> "ModelProto":
        """Returns the model."""
        with self._fs.open(str(self._get_load_path()), "rb") as file:
            model: ModelProto = import_onnx().load_model_from_string(file.read())
        return model

    def save(self, data: "ModelProto") -> None:
        """Writes the model."""
        self._write(str(self._get_save_path()), data.SerializeToString())
