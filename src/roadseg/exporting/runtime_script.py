"""Runs an exported model in its own runtime: a process of its own, which needs neither this project nor Keras.

    python -I runtime_script.py RUNTIME MODEL IMAGES PREDICTIONS

IMAGES is a file of NumPy, (images, height, width, 3) uint8. The script writes what it knows of runtime and model as a
line of JSON, then the seconds that the next image took for each line that it reads. At the end it saves `label_map` and
`confidence`, both (images, height, width), in PREDICTIONS, a file of NumPy.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Run = Callable[[Any], Sequence[Any]]
"""From images to label maps and confidences."""


def open_in_onnxruntime(model: str) -> tuple[str, Run]:
    """Returns the version of onnxruntime, and a function that runs the model."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    outputs = ["label_map", "confidence"]
    return onnxruntime.__version__, lambda images: session.run(outputs, {"images": images})


def open_in_openvino(model: str) -> tuple[str, Run]:
    """Returns the version of OpenVINO, and a function that runs the model in float32."""
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Any) -> Sequence[Any]:
        found = compiled([images])
        return found["label_map"], found["confidence"]

    return openvino.__version__, run


def open_in_litert(model: str) -> tuple[str, Run]:
    """Returns the version of LiteRT, and a function that runs the model on one image."""
    from importlib.metadata import version

    from ai_edge_litert.interpreter import Interpreter

    predict = Interpreter(model, num_threads=os.cpu_count()).get_signature_runner()

    def run(images: Any) -> Sequence[Any]:
        found = predict(images=images)
        return found["label_map"], found["confidence"]

    return version("ai-edge-litert"), run


def open_in_tensorflow(model: str) -> tuple[str, Run]:
    """Returns the version of TensorFlow, and a function that runs the SavedModel."""
    import tensorflow

    loaded = tensorflow.saved_model.load(model)

    def run(images: Any) -> Sequence[Any]:
        found = loaded.signatures["serving_default"](images=tensorflow.constant(images))
        return found["label_map"].numpy(), found["confidence"].numpy()

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
    found = []
    for image, _ in zip(stack, sys.stdin, strict=False):
        started = time.perf_counter()
        maps = run(image[None])
        answer(time.perf_counter() - started)
        found.append([each[0] for each in maps])
    label_maps, confidences = map(np.stack, zip(*found, strict=True))
    np.savez(predictions, label_map=label_maps, confidence=confidences)


def answer(value: object) -> None:
    """Writes a line of JSON to who started the process."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
