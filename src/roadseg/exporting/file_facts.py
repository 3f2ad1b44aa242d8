"""What the file of an exported model consists of."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from roadseg.exporting.onnx_graph import import_onnx
from roadseg.exporting.options import Format


class FileFacts(BaseModel, frozen=True):
    """What the file of an exported model consists of.

    Attributes:
        size: Bytes.
        inputs: Name -> type and shape.
        outputs: Name -> type and shape.
        operators: How often it has each operator.
        versions: Of its operators and of its format.
    """

    size: int
    inputs: dict[str, str]
    outputs: dict[str, str]
    operators: dict[str, int]
    versions: dict[str, int]


def describe_file(name: Format, content: bytes) -> FileFacts:
    """Returns what a file of a format consists of."""
    match name:
        case "onnx":
            return _describe_onnx(content)


def _describe_onnx(content: bytes) -> FileFacts:
    model = import_onnx().load_model_from_string(content)
    return FileFacts(
        size=len(content),
        inputs=_describe_tensors(model.graph.input),
        outputs=_describe_tensors(model.graph.output),
        operators=dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
        versions={"opset": model.opset_import[0].version, "ir_version": model.ir_version},
    )


def _describe_tensors(tensors: Iterable[Any]) -> dict[str, str]:
    helper = import_onnx().helper
    types = {each.name: each.type.tensor_type for each in tensors}
    return {
        name: f"{helper.tensor_dtype_to_np_dtype(each.elem_type)} "
        f"({', '.join(length.dim_param or str(length.dim_value) for length in each.shape.dim)})"
        for name, each in types.items()
    }
