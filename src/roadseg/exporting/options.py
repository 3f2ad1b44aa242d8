"""How a trained network is exported, and on what this is proved."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, PositiveInt, model_validator

from roadseg.exporting.model_description import Outputs
from roadseg.exporting.onnx_model import OnnxOptions
from roadseg.exporting.quantization import QuantizationOptions
from roadseg.exporting.resampling import ImageSize
from roadseg.exporting.runtime_process import OnnxRuntime, Runtime

Format = Literal["onnx", "litert", "saved_model"]
"""What a trained network can be exported to."""

Precision = Literal["float32", "int8"]
"""What the convolutions of an exported model compute in."""


Name = TypeVar("Name", bound=str)


def _refuse_doubles(names: list[Name]) -> list[Name]:
    if len(set(names)) < len(names):
        raise ValueError("expected each value only once")
    return names


Names = Annotated[list[Name], Field(min_length=1), AfterValidator(_refuse_doubles)]
"""One or more, none of them twice."""


class ExportOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How a trained network is exported, and on what this is proved.

    Attributes:
        formats: What is written.
        image_size: (height, width) in pixels of images and outputs; None is the size of the network.
        outputs: What the files return.
        opset: Version of the operators in ONNX, see `OnnxOptions`.
        ir_version: Version of the file format, see `OnnxOptions`.
        precision: Of the file in ONNX; the other formats are float32.
        quantization: How it is quantised to int8.
        calibration_scenes: Training scenes that show the range of each map, for int8.
        scenes: Validation scenes on which the file must predict what Keras predicts.
        onnx_runtimes: In which runtimes, for ONNX.
    """

    formats: Names[Format]
    image_size: ImageSize | None
    outputs: Outputs
    opset: int
    ir_version: PositiveInt | None
    precision: Precision
    quantization: QuantizationOptions
    calibration_scenes: PositiveInt
    scenes: PositiveInt
    onnx_runtimes: Names[OnnxRuntime]

    @model_validator(mode="after")
    def _has_int8(self) -> Self:
        others = [name for name in self.formats if name != "onnx"]
        if self.precision == "int8" and others:
            raise ValueError(
                f"precision is 'int8', which only the format onnx has: write {' and '.join(others)} in another run, "
                f"with precision float32"
            )
        return self

    @property
    def onnx(self) -> OnnxOptions:
        """What of it shapes the file."""
        return OnnxOptions(
            outputs=self.outputs, opset=self.opset, ir_version=self.ir_version, image_size=self.image_size
        )

    @property
    def runtimes(self) -> dict[Format, Sequence[Runtime]]:
        """In which runtimes each format is proved."""
        of_format: dict[Format, Sequence[Runtime]] = {
            "onnx": self.onnx_runtimes,
            "litert": ["litert"],
            "saved_model": ["tensorflow"],
        }
        return {name: of_format[name] for name in self.formats}
