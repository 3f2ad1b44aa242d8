"""Runs an exported model in its own runtime: a process of its own, which needs neither this project nor Keras.

    python -I runtime_script.py RUNTIME MODEL IMAGES PREDICTIONS

IMAGES is a file of NumPy, (images, height, width, 3) uint8. The script writes what it knows of runtime and model as a
line of JSON. For each line that it reads, it runs the model on the next image, saves the outputs for that image in
PREDICTIONS, a file of NumPy, and writes the seconds that the model took.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Run = Callable[[Any], Mapping[str, Any]]
"""From images to outputs, by their names."""


def open_in_onnxruntime(model: str) -> tuple[str, Run]:
    """Returns the version of onnxruntime, and a function that runs the model."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # else it disturbs who runs next
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    return onnxruntime.__version__, lambda images: dict(zip(names, session.run(names, {"images": images}), strict=True))


def open_in_openvino(model: str) -> tuple[str, Run]:
    """Returns the version of OpenVINO, and a function that runs the model in float32."""
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Any) -> Mapping[str, Any]:
        return {output.any_name: values for output, values in compiled([images]).items()}

    return openvino.__version__, run


def open_in_litert(model: str) -> tuple[str, Run]:
    """Returns the version of LiteRT, and a function that runs the model on one image."""
    from importlib.metadata import version

    from ai_edge_litert.interpreter import Interpreter

    predict = Interpreter(model, num_threads=os.cpu_count()).get_signature_runner()

    return version("ai-edge-litert"), lambda images: predict(images=images)


def open_in_tensorflow(model: str) -> tuple[str, Run]:
    """Returns the version of TensorFlow, and a function that runs the SavedModel."""
    import tensorflow

    loaded = tensorflow.saved_model.load(model)

    def run(images: Any) -> Mapping[str, Any]:
        found = loaded.signatures["serving_default"](images=tensorflow.constant(images))
        return {name: values.numpy() for name, values in found.items()}

    return tensorflow.__version__, run


OPENERS = {
    "onnxruntime": open_in_onnxruntime,
    "openvino": open_in_openvino,
    "litert": open_in_litert,
    "tensorflow": open_in_tensorflow,
}


def main(runtime: str, model: str, images: str, predictions: str) -> None:
    """Runs the model on one image per line of the standard input."""
    version, run = OPENERS[runtime](model)
    stack = np.load(images)
    run(stack[:1])  # the first call is slower
    answer({"version": version})
    for image, _ in zip(stack, sys.stdin, strict=False):
        started = time.perf_counter()
        outputs = run(image[None])
        seconds = time.perf_counter() - started
        np.savez(predictions, **{name: values[0] for name, values in outputs.items()})
        answer(seconds)


def answer(value: object) -> None:
    """Writes a line of JSON to who started the process."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
