"""The network in a file in ONNX, from images to logits, as a `Predictor` takes it."""

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError, RoadSegError
from roadseg.exporting.onnx_graph import import_onnx
from roadseg.exporting.onnx_model import IMAGES, LOGITS

if TYPE_CHECKING:
    from onnx import ModelProto


def import_onnxruntime() -> ModuleType:
    """Returns the package onnxruntime.

    Raises:
        RoadSegError: If it is missing.
    """
    try:
        import onnxruntime  # only who takes the extra `export` has it
    except ImportError as fault:
        raise RoadSegError(
            "running a file in ONNX needs the package onnxruntime, of the extra 'export': pip install onnxruntime"
        ) from fault
    module: ModuleType = onnxruntime
    return module


class OnnxNetwork:
    """The network in a file in ONNX, run by onnxruntime on the processor.

    Attributes:
        precision: Type of the numbers that it computes with.
    """

    def __init__(self, content: bytes, precision: str = "float32", name: str = "the file in ONNX") -> None:
        """Opens the file.

        Args:
            content: Of the file.
            precision: Type of the numbers that it computes with.
            name: Of the file in messages.

        Raises:
            RoadSegError: If the package onnx or onnxruntime is missing.
            FileError: If the file is no valid model, or onnxruntime can't run it.
        """
        onnx, onnxruntime = import_onnx(), import_onnxruntime()
        from onnxruntime.capi import onnxruntime_pybind11_state as faults

        try:
            onnx.checker.check_model(content)
        except (ValueError, onnx.checker.ValidationError) as fault:
            raise FileError(f"{name} is no valid model in ONNX: {str(fault).splitlines()[0]}") from fault
        model = onnx.load_model_from_string(content)
        return_logits(model)
        try:
            self._session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        except (faults.Fail, faults.InvalidGraph, faults.NotImplemented) as fault:
            raise FileError(f"onnxruntime {onnxruntime.__version__} can't run {name}: {fault}") from fault
        self.precision = precision

    def predict_on_batch(self, images: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Returns the logits, (batch, height, width, classes), of images (batch, height, width, 3)."""
        logits: NDArray[np.float32]
        (logits,) = self._session.run([LOGITS], {IMAGES: images})
        return logits


def return_logits(model: "ModelProto") -> None:
    """Lets a model that returns classes return the logits from which it chooses them, and nothing else.

    What is between operators gets other names when a model is quantised. So they are found by the operator that
    chooses: there they are (batch, classes, pixels).
    """
    onnx = import_onnx()
    graph, helper = model.graph, onnx.helper
    if [each.name for each in graph.output] == [LOGITS]:
        return
    (chosen_from,) = (node.input[0] for node in graph.node if node.op_type == "ArgMax")
    _, height, width, _ = (each.dim_value for each in graph.input[0].type.tensor_type.shape.dim)
    shape = helper.make_tensor(f"{LOGITS}_shape", onnx.TensorProto.INT64, [4], [0, height, width, -1])
    graph.initializer.append(shape)
    graph.node.append(helper.make_node("Transpose", [chosen_from], [f"{LOGITS}_pixels"], perm=[0, 2, 1]))
    graph.node.append(helper.make_node("Reshape", [f"{LOGITS}_pixels", shape.name], [LOGITS]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(LOGITS, onnx.TensorProto.FLOAT, None))
