"""How fast exported files are: `make bench`, or `python tests/benchmarks/export.py --rounds 20`.

All sides predict the classes and confidences of the same image of 240x480, one at a time, with two threads. Keras is
the network of `Predictor` in float32: with folded batch norms. The weights are untrained: the time does not depend on
them, nor does it on the images that int8 is calibrated with. The sides take turns, so that whatever else the machine
does troubles all alike; each figure is the median of the rounds, and in brackets the median of the ratios to Keras.
Where other programs run, `--threads 1` and the time of the processor say more: two threads wait for each other.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from evaluate import keep
from train import SIZE, WIDTHS, our_network
from yardsticks import Case

CALLS = 3
"""Calls per round: the first, which brings all into the caches again, does not count."""

Side = Callable[[], Any]


def make_model(width: float) -> Any:
    """Returns a network with a record."""
    from roadseg.datasets.label_space import LabelSpaceDataset

    return keep(our_network(Case(width, "float32", 1, SIZE)), LabelSpaceDataset(name="seven_classes").load().classes)


def draw_image() -> Any:
    """Returns blurred noise, (height, width, 3) uint8, so that few windows have equal maxima."""
    noise = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def in_keras(model: Any, image: Any) -> Side:
    """Returns what predicts the image in Keras."""
    from roadseg.segnet.predictor import Predictor

    predictor = Predictor(model, batch_size=1, device="cpu", precision="float32")
    return lambda: predictor.predict(image).confidence


def in_onnxruntime(content: bytes, image: Any, threads: int) -> Side:
    """Returns what predicts the image in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a thread that waits leaves its core
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"images": image[None]})


def in_openvino(content: bytes, image: Any, threads: int, precision: str) -> Side:
    """Returns what predicts the image in OpenVINO."""
    import openvino

    core = openvino.Core()
    choices = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    compiled = core.compile_model(core.read_model(content), "CPU", choices)
    return lambda: compiled([image[None]])


def in_litert(content: bytes, image: Any, threads: int) -> Side:
    """Returns what predicts the image in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segnet.tflite"
        path.write_bytes(content)
        predict = Interpreter(str(path), num_threads=threads).get_signature_runner()
    return lambda: predict(images=image[None])


def make_sides(model: Any, image: Any, threads: int) -> dict[str, Side]:
    """Returns what predicts the image, by name; Keras is the first."""
    from roadseg.exporting.litert_model import convert_to_litert
    from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
    from roadseg.exporting.quantization import QuantizationOptions, quantize_onnx

    converted = convert_to_onnx(model, OnnxOptions(outputs="classes", opset=17, ir_version=None, image_size=None))
    choices = QuantizationOptions(method="minmax", float_ends=True)
    quantized = quantize_onnx(converted, {"noise": image}, choices).SerializeToString()
    plain = converted.SerializeToString()
    return {
        "Keras": in_keras(model, image),
        "onnxruntime": in_onnxruntime(plain, image, threads),
        "onnxruntime, int8": in_onnxruntime(quantized, image, threads),
        "OpenVINO": in_openvino(plain, image, threads, "f32"),
        "OpenVINO, bfloat16": in_openvino(plain, image, threads, "bf16"),
        "LiteRT": in_litert(convert_to_litert(model, "classes", None), image, threads),
    }


def milliseconds(side: Side) -> tuple[float, float]:
    """Returns wall time and processor time of a call."""
    time.sleep(0.02)  # the threads of another side may still be waiting for work
    side()
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(CALLS - 1):
        side()
    seconds = time.perf_counter() - wall, time.process_time() - processor
    return 1000 * seconds[0] / (CALLS - 1), 1000 * seconds[1] / (CALLS - 1)


def compare(width: float, rounds: int, threads: int) -> None:
    """Prints a table of the sides."""
    sides = make_sides(make_model(width), draw_image(), threads)
    for side in sides.values():
        side()
    times = [{name: milliseconds(side) for name, side in sides.items()} for _ in range(rounds)]
    print(f"width {width}, {SIZE[0]}x{SIZE[1]}, {threads} threads: milliseconds per image, medians of {rounds} rounds")
    for name in sides:
        wall, processor = (statistics.median(each[name][which] for each in times) for which in (0, 1))
        ratios = [statistics.median(each[name][which] / each["Keras"][which] for each in times) for which in (0, 1)]
        print(f"{name:20}{wall:8.1f} ({ratios[0]:.2f}), of processor{processor:8.1f} ({ratios[1]:.2f})", flush=True)


def main() -> None:
    """Reads the command line and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=float, action="append", help="may come again; default: 0.25 and 1")
    options = parser.parse_args()
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(options.threads)  # TensorFlow reads it when it starts
    for width in options.width or WIDTHS:
        compare(width, options.rounds, options.threads)


if __name__ == "__main__":
    main()
