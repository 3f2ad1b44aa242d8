"""How a trained network is exported, and on what this is proved."""

from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt

from roadseg.exporting.onnx_model import OnnxOptions
from roadseg.exporting.runtime_process import Runtime


class ExportOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """How a trained network is exported, and on what this is proved.

    Attributes:
        opset: Version of the operators in ONNX, see `OnnxOptions`.
        ir_version: Version of the file format, see `OnnxOptions`.
        scenes: Validation scenes on which the file must predict what Keras predicts.
        runtimes: In which runtimes.
    """

    opset: int
    ir_version: PositiveInt | None
    scenes: PositiveInt
    runtimes: Annotated[list[Runtime], Field(min_length=1)]

    @property
    def onnx(self) -> OnnxOptions:
        """What of it shapes the file."""
        return OnnxOptions(outputs="classes", opset=self.opset, ir_version=self.ir_version)
