"""A graph in ONNX, written operator by operator."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from roadseg.errors import RoadSegError

Name = str
"""Of a tensor in the graph."""


def import_onnx() -> ModuleType:
    """Returns the package onnx.

    Raises:
        RoadSegError: If it is missing.
    """
    try:
        import onnx  # only who takes the extra `export` has it
    except ImportError as fault:
        raise RoadSegError("a file in ONNX needs the package onnx, of the extra 'export': pip install onnx") from fault
    return onnx


def find_element_type(dtype: type[np.generic]) -> int:
    """Returns the number that ONNX has for a type of NumPy."""
    return int(import_onnx().helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


class OnnxGraph:
    """Operators and constants, in the order in which they are added.

    Attributes:
        nodes: `onnx.NodeProto` of each operator.
        constants: `onnx.TensorProto` of each constant.
        opset: Version of the operators.
    """

    def __init__(self, opset: int) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.opset = opset
        self._onnx = import_onnx()
        self._names: dict[tuple[str, tuple[int, ...], bytes], Name] = {}

    def add(self, operator: str, *inputs: Name, layer: str, output: Name | None = None, **attributes: Any) -> Name:
        """Adds an operator, and returns the name of its output.

        Args:
            operator: Its type.
            *inputs: Names of tensors.
            layer: Name of the layer that it is a part of; names the node, with the operator and a number.
            output: Name of its output; by default that of the node.
            **attributes: As the operator has them.
        """
        name = f"{layer}/{operator}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(operator, inputs, [output or name], name, **attributes))
        return output or name

    def cast(self, tensor: Name, dtype: type[np.generic], *, layer: str, output: Name | None = None) -> Name:
        """Adds a change of the type of the numbers."""
        return self.add("Cast", tensor, layer=layer, output=output, to=find_element_type(dtype))

    def hold(self, values: ArrayLike, dtype: type[np.generic] = np.float32) -> Name:
        """Returns the name of a constant; equal ones are stored once."""
        array: NDArray[Any] = np.ascontiguousarray(values, dtype).reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._names:
            self._names[key] = f"constant_{len(self._names)}"
            self.constants.append(self._onnx.numpy_helper.from_array(array, self._names[key]))
        return self._names[key]

    def reshape(self, tensor: Name, shape: Sequence[int], *, layer: str) -> Name:
        """Adds a change of shape; a 0 keeps the length of the input."""
        return self.add("Reshape", tensor, self.hold(shape, np.int64), layer=layer)

    def sum(self, tensor: Name, axis: int, *, layer: str) -> Name:
        """Adds a sum over one axis, which stays with length 1."""
        return self.add("ReduceSum", tensor, self.hold([axis], np.int64), layer=layer)

    def maximum(self, tensor: Name, axis: int, *, layer: str) -> Name:
        """Adds the largest value along one axis, which stays with length 1."""
        if self.opset < 18:  # where axes became an input
            return self.add("ReduceMax", tensor, layer=layer, axes=[axis])
        return self.add("ReduceMax", tensor, self.hold([axis], np.int64), layer=layer)
