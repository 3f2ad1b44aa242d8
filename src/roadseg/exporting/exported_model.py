"""A trained SegNet as files for other runtimes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from roadseg.exporting.litert_model import convert_to_litert
from roadseg.exporting.model_description import describe_model
from roadseg.exporting.onnx_model import convert_to_onnx
from roadseg.exporting.options import ExportOptions, Format
from roadseg.exporting.quantization import Image, describe_quantization, quantize_onnx
from roadseg.exporting.saved_model import convert_to_saved_model
from roadseg.segnet.trained import TrainedSegNet

FILES: dict[Format, str] = {"onnx": "segnet.onnx", "litert": "segnet.tflite", "saved_model": "saved_model"}
"""Name of the file, or of the folder, of each format."""

DESCRIPTION = "segnet.json"
"""Name of the file that says what a prediction means and where the network came from."""

CARD = "README.md"
"""Name of the model card, where model hubs look for it."""


@dataclass(frozen=True)
class ExportedModel:
    """The files of an exported model.

    Attributes:
        files: Path inside the folder of the model -> content.
        unquantized: Those that were quantised, as they were before; they are not written.
    """

    files: Mapping[str, bytes]
    unquantized: Mapping[str, bytes] = field(default_factory=dict)

    def find(self, name: Format) -> dict[str, bytes]:
        """Returns the files of a format: path -> content."""
        place = PurePosixPath(FILES[name])
        return {path: content for path, content in self.files.items() if PurePosixPath(path).is_relative_to(place)}

    def write(self, folder: Path) -> None:
        """Writes all files into a folder, which is made."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def load_exported(folder: Path) -> ExportedModel:
    """Returns the files in a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return ExportedModel({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def export_model(
    model: TrainedSegNet, options: ExportOptions, calibration: Mapping[str, Image] | None = None
) -> ExportedModel:
    """Returns a trained network in all formats that the options name, and its description as JSON.

    Args:
        model: A trained model.
        options: Formats, and what the files return.
        calibration: Training scene -> (height, width, 3) uint8, of the size of the model; only int8 needs them.

    Raises:
        RoadSegError: If the package of a format is missing, or Keras runs on a backend that can't write one.
        InputError: If a version is none that can be written, the network has a layer that no SegNet has, or there is
            nothing to calibrate int8 with.
    """
    description = describe_model(model.record, options.image_size)
    files, unquantized = {}, {}
    for name in options.formats:
        place = FILES[name]
        match name:
            case "onnx":
                converted = convert_to_onnx(model, options.onnx)
                if options.precision == "int8":
                    unquantized[place] = converted.SerializeToString()
                    converted = quantize_onnx(converted, calibration or {}, options.quantization)
                    description[name] = describe_quantization(calibration or {}, options.quantization)
                files[place] = converted.SerializeToString()
            case "litert":
                files[place] = convert_to_litert(model, options.outputs, options.image_size)
            case "saved_model":
                found = convert_to_saved_model(model, options.outputs, options.image_size)
                files |= {f"{place}/{path}": content for path, content in found.items()}
    files[DESCRIPTION] = json.dumps(description, indent=2).encode()
    return ExportedModel(files, unquantized)
