"""How fast, and how exact, the network is on a GPU: `python tests/benchmarks/gpu.py`.

Measures images per second in bfloat16 on every backend of Keras that is installed and sees the GPU, each in its own
process, beside PyTorch without and with `torch.compile`; the faster of the two counts. A step of training is one of
`fit` with a callback that reads its loss: that is what a training does, so all that Keras does between two steps counts
as well. To predict is to call the compiled network; `predict` would copy the logits from the GPU, which PyTorch is not
asked to do. On both sides the batch lies on the GPU already; TensorFlow's `fit` alone copies it anew for each step.

Then compares bfloat16 with float32, and the positions that pooling records with those that NumPy finds.
"""

import argparse
import importlib.util
import os
import statistics
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from train import IN_PROCESS, WARM_UP, answer, in_process, our_network, placement, repeat, row, step_seconds
from yardsticks import CLASSES, Case, median_seconds, random_batch, torch_steps

BACKENDS = ("jax", "torch", "tensorflow")

GFLOP = {"train": 424.0, "predict": 141.0}
"""Of one image of 240x480 at width 1: 70.7e9 products and as many sums forward, twice that backward."""

PEAKS = {"H200": 790.0}
"""TFLOP/s of products of bfloat16 matrices of 8192x8192 with random values."""

LEARNING_STEPS, LEARNING_RATE = 60, 0.002
"""Of the network that is compared: untrained ones say nothing, all their logits being nearly equal."""


def gpu_name(backend: str) -> str | None:
    """Returns what the GPU is called that a backend sees, None if it sees none."""
    match backend:
        case "jax":
            import jax

            device = jax.devices()[0]
            return device.device_kind if device.platform == "gpu" else None
        case "torch":
            import torch

            return torch.cuda.get_device_name() if torch.cuda.is_available() else None
        case _:
            import tensorflow as tf

            gpus = tf.config.list_physical_devices("GPU")
            return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else None


def measure_ours(width: float, batch: int, size: tuple[int, int], steps: int) -> dict[str, float]:
    """Returns the images per second of training and of predicting."""
    import keras

    from roadseg.segnet.folding import fold_batch_norms

    case = Case(width, "bfloat16", batch, tuple(size))
    network = our_network(case)
    images, label_maps = map(keras.ops.convert_to_tensor, random_batch(case))
    seconds = step_seconds(network, repeat((images, label_maps), WARM_UP + steps))[WARM_UP:]
    predict = predictor(fold_batch_norms(network))
    return {
        "train": batch / statistics.median(seconds),
        "predict": batch / median_seconds(lambda: predict(images), WARM_UP, steps),
    }


def predictor(network: Any) -> Callable[[Any], Any]:
    """Returns the compiled network as a function that returns when the logits are there, on the device."""
    import keras

    match keras.backend.backend():
        case "jax":
            import jax

            trainable, other = (
                [each.value for each in variables]
                for variables in (network.trainable_variables, network.non_trainable_variables)
            )
            logits = jax.jit(lambda *state, images: network.stateless_call(*state, images, training=False)[0])
            return lambda images: logits(trainable, other, images=images).block_until_ready()
        case "torch":
            import torch

            def predict(images: Any) -> Any:
                with torch.inference_mode():
                    logits = network(images, training=False)
                if logits.is_cuda:
                    torch.cuda.synchronize()
                return logits

            return predict
        case _:
            import tensorflow as tf

            call = tf.function(lambda images: network(images, training=False), jit_compile=network.jit_compile)
            return lambda images: float(call(images)[0, 0, 0, 0])


def measure_torch(width: float, batch: int, size: tuple[int, int], is_compiled: bool, steps: int) -> dict[str, float]:
    """Returns the images per second of training and of predicting."""
    yardstick = torch_steps(Case(width, "bfloat16", batch, tuple(size)), compiled=is_compiled)
    return {work: batch / median_seconds(getattr(yardstick, work), WARM_UP, steps) for work in GFLOP}


def compare_precisions(width: float, batch: int, size: tuple[int, int]) -> tuple[float, float, float]:
    """Compares the logits of a network in bfloat16 with those of the same weights and images in float32.

    Returns:
        The norm of the differences over that of the logits; the share of the pixels that get the same class; the share
        of the positions of pooling in bfloat16 that are those of NumPy.
    """
    forbid_tensor_float()
    size = tuple(size)
    images, label_maps = drawn_batch(batch, size)
    rounded, exact = (our_network(Case(width, precision, batch, size)) for precision in ("bfloat16", "float32"))
    rounded.optimizer.learning_rate = LEARNING_RATE
    rounded.fit(repeat((images, label_maps), LEARNING_STEPS), verbose=0)
    exact.set_weights(rounded.get_weights())
    logits, expected = (np.asarray(each.predict_on_batch(images), np.float64) for each in (rounded, exact))
    error = np.linalg.norm(logits - expected) / np.linalg.norm(expected)
    return float(error), float(np.mean(logits.argmax(-1) == expected.argmax(-1))), share_of_equal_indices()


def forbid_tensor_float() -> None:
    """Keeps the GPU from rounding the factors of float32 products to 10 bits, as all backends allow it to."""
    import keras

    match keras.backend.backend():
        case "jax":
            import jax

            jax.config.update("jax_default_matmul_precision", "highest")
        case "torch":
            import torch

            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        case _:
            import tensorflow as tf

            tf.config.experimental.enable_tensor_float_32_execution(False)


def drawn_batch(batch: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns drawn scenes: images (batch, height, width, 3) and label maps (batch, height, width), both uint8."""
    from roadseg.drawing.scene import DrawingOptions, draw_scene

    options = DrawingOptions(drives=batch, frames_per_drive=1, size=size, seed=1)
    scenes = [draw_scene(options, drive, 0) for drive in range(batch)]
    # Which of the drawn classes share one of seven makes no difference here.
    return np.stack([each.image for each in scenes]), np.stack([each.label_map % CLASSES for each in scenes])


def share_of_equal_indices() -> float:
    """Returns how many of the positions that compiled pooling in bfloat16 records are those that NumPy finds.

    The values are few, so that maxima often stand twice in a window, and half of the windows' pixels are zero.
    """
    import keras

    from roadseg.segnet.layers import MaxPoolingWithIndices2D

    values = np.maximum(np.random.default_rng(1).integers(-40, 41, (4, 15, 61, 64)), 0).astype(np.float32) / 8
    inputs = keras.Input(values.shape[1:])
    _, indices = MaxPoolingWithIndices2D(dtype="bfloat16")(inputs)
    pooling = keras.Model(inputs, indices)
    pooling.compile(jit_compile=placement("bfloat16").jit_compile)
    count, height, width, channels = values.shape
    padded = np.pad(values, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), constant_values=-np.inf)
    windows = padded.reshape(count, -(-height // 2), 2, -(-width // 2), 2, channels)
    expected = windows.transpose(0, 1, 3, 5, 2, 4).reshape(*windows.shape[:2], windows.shape[3], channels, 4).argmax(-1)
    return float(np.mean(pooling.predict_on_batch(values) == expected))


def find_gpus() -> dict[str, str]:
    """Returns the backends that see a GPU, and what it is called."""
    installed = [backend for backend in BACKENDS if importlib.util.find_spec(backend)]
    names = {backend: in_process(gpu_name, backend, backend=backend) for backend in installed}
    for backend in (backend for backend in installed if names[backend] is None):
        print(f"{backend} is left out: it sees no GPU")
    return {backend: name for backend, name in names.items() if name}


def main() -> None:
    """Reads the command line, prints the table and the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=(16, 64))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--peak", type=float, help="TFLOP/s of the GPU in bfloat16; default: known for the H200")
    parser.add_argument("--backends", choices=BACKENDS, nargs="+", default=BACKENDS)
    parser.add_argument("--cpu", action="store_true", help="try this script on the processor, on a small network")
    options = parser.parse_args()
    if options.cpu:
        names = {backend: "processor" for backend in BACKENDS if importlib.util.find_spec(backend)}
        os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}  # the processes inherit them
        width, size, batches = 0.125, (48, 70), (2,)
    else:
        names = find_gpus()
        width, size, batches = 1.0, (240, 480), options.batches
    if not names:
        sys.exit("no installed backend of Keras sees a GPU; --cpu tries this script on the processor")
    name = next(iter(names.values()))
    backends = [backend for backend in names if backend in options.backends]
    peak = options.peak or next((peak for chip, peak in PEAKS.items() if chip in name), None)

    print(f"{name}, {size[0]}x{size[1]}, width {width:g}, {CLASSES} classes, bfloat16; images per second\n")
    print(row("", "RoadSeg", "PyTorch", "torch.compile", "times as fast", "share of the peak"))
    for batch in batches:
        peers = [
            in_process(measure_torch, width, batch, size, is_compiled, options.steps, backend="torch")
            for is_compiled in (False, True)
            if "torch" in names
        ]
        for backend in backends:
            ours = in_process(measure_ours, width, batch, size, options.steps, backend=backend)
            for work, gflop in GFLOP.items():
                theirs = [each[work] for each in peers]
                ratio = f"{ours[work] / max(theirs):.2f}" if theirs else "-"
                share = f"{ours[work] * gflop / 1000 / peak:.0%}" if peak and not options.cpu else "-"
                speeds = [f"{each:.1f}" for each in (ours[work], *theirs)] + ["-"] * (2 - len(theirs))
                print(row(f"{backend}, {work}, batch {batch}", *speeds, ratio, share), flush=True)

    print("\n" + row("bfloat16 and float32", "relative error", "same class", "same positions"))
    for backend in backends:
        error, classes, indices = in_process(compare_precisions, width, batches[0], size, backend=backend)
        print(row(backend, f"{error:.2e}", f"{classes:.3%}", f"{indices:.3%}"), flush=True)


if __name__ == "__main__":
    if IN_PROCESS in sys.argv:
        answer(gpu_name, measure_ours, measure_torch, compare_precisions)
    else:
        main()
