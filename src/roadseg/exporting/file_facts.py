"""What the files of an exported model consist of."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from roadseg.exporting.onnx_graph import import_onnx
from roadseg.exporting.options import Format
from roadseg.exporting.saved_model import SIGNATURE


class FileFacts(BaseModel, frozen=True):
    """What the files of an exported model in one format consist of.

    Attributes:
        size: Bytes.
        inputs: Name -> type and shape.
        outputs: Name -> type and shape.
        operators: How often it has each operator.
        versions: Of its operators and of its format.
        calibration: How it was quantised: `scenes`, `method` and `float_ends`; None for a file in float32.
    """

    size: int
    inputs: dict[str, str]
    outputs: dict[str, str]
    operators: dict[str, int]
    versions: dict[str, int | str]
    calibration: dict[str, Any] | None = None


def describe_files(name: Format, files: Mapping[str, bytes]) -> FileFacts:
    """Returns what the files of a format, path -> content, consist of."""
    size = sum(map(len, files.values()))
    match name:
        case "onnx":
            return _describe_onnx(*files.values())
        case "litert":
            return _describe_litert(*files.values())
        case "saved_model":
            (graph,) = (content for path, content in files.items() if path.endswith("/saved_model.pb"))
            return _describe_saved_model(graph, size)


def _describe_onnx(content: bytes) -> FileFacts:
    model = import_onnx().load_model_from_string(content)
    metadata = {each.key: json.loads(each.value) for each in model.metadata_props}
    return FileFacts(
        size=len(content),
        inputs=_describe_tensors(model.graph.input),
        outputs=_describe_tensors(model.graph.output),
        operators=_count(node.op_type for node in model.graph.node),
        versions={"opset": model.opset_import[0].version, "ir_version": model.ir_version},
        calibration=metadata.get("calibration"),
    )


def _describe_tensors(tensors: Iterable[Any]) -> dict[str, str]:
    helper = import_onnx().helper
    types = {each.name: each.type.tensor_type for each in tensors}
    return {
        name: f"{helper.tensor_dtype_to_np_dtype(each.elem_type)} "
        f"({', '.join(length.dim_param or str(length.dim_value) for length in each.shape.dim)})"
        for name, each in types.items()
    }


def _describe_litert(content: bytes) -> FileFacts:
    from ai_edge_litert import schema_py_generated as schema  # only who takes the extra `litert` has it

    model = schema.ModelT.InitFromPackedBuf(content)
    (graph,), (signature,) = model.subgraphs, model.signatureDefs
    types, operators = (
        {number: name for name, number in vars(each).items() if isinstance(number, int)}
        for each in (schema.TensorType, schema.BuiltinOperator)
    )

    def describe(tensors: Iterable[Any]) -> dict[str, str]:
        found = {each.name.decode(): graph.tensors[each.tensorIndex] for each in tensors}
        return {
            name: f"{types[each.type].lower()} ({', '.join(map(str, each.shape))})"
            for name, each in sorted(found.items())
        }

    oldest = {each.name: bytes(model.buffers[each.buffer].data) for each in model.metadata}[b"min_runtime_version"]
    return FileFacts(
        size=len(content),
        inputs=describe(signature.inputs),
        outputs=describe(signature.outputs),
        operators=_count(operators[model.operatorCodes[each.opcodeIndex].builtinCode] for each in graph.operators),
        versions={"format": model.version, "oldest_runtime": oldest.strip(b"\0").decode()},
    )


def _describe_saved_model(content: bytes, size: int) -> FileFacts:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    from tensorflow.dtypes import as_dtype

    (graph,) = SavedModel.FromString(content).meta_graphs
    signature = graph.signature_def[SIGNATURE]
    functions = [each for each in graph.graph_def.library.function if "__traced_" not in each.signature.name]

    def describe(tensors: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: f"{as_dtype(each.dtype).name} "
            f"({', '.join('batch' if length.size < 0 else str(length.size) for length in each.tensor_shape.dim)})"
            for name, each in sorted(tensors.items())
        }

    return FileFacts(
        size=size,
        inputs=describe(signature.inputs),
        outputs=describe(signature.outputs),
        operators=_count(node.op for each in functions for node in each.node_def),  # not those that load the weights
        versions={"format": graph.graph_def.versions.producer, "oldest": graph.graph_def.versions.min_consumer},
    )


def _count(operators: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(operators).items()))
