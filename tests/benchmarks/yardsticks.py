"""The SegNets that RoadSeg's speed is compared with: the reference notebook's layers, and PyTorch.

Both are the network of the paper: 13 convolutions down, 13 up, of which the last is the classifier.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Filters and convolutions of each encoder block; the decoder mirrors them."""

CLASSES = 7
LEARNING_RATE = 1e-4


class Case(NamedTuple):
    """What is computed.

    Attributes:
        width: Multiplies the filters of every convolution but the classifier.
        precision: `float32` or `bfloat16`; the weights are float32 with both.
        batch: Images per step.
        size: (height, width) of an image in pixels.
    """

    width: float
    precision: str
    batch: int
    size: tuple[int, int]


class Steps(NamedTuple):
    """The steps of a network; each returns when its result is there.

    Attributes:
        train: Moves the weights once by Adam, always with the same batch.
        predict: Gives the scores of each class for each pixel of the same batch.
    """

    train: Callable[[], Any]
    predict: Callable[[], Any]


def median_seconds(step: Callable[[], Any], warm_up: int, steps: int) -> float:
    """Returns the median time of a step, after some that do not count."""
    for _ in range(warm_up):
        step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def read_peak() -> int:
    """Returns the most memory in bytes that this process has had, on Linux.

    `resource.getrusage` would begin with what the process that started this one has.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def random_batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Returns images (batch, height, width, 3) and label maps (batch, height, width), both uint8."""
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (case.batch, *case.size, 3), np.uint8)
    return images, random.integers(0, CLASSES, (case.batch, *case.size), np.uint8)


def encoder_filters(width: float) -> list[list[int]]:
    """Returns the filters of the convolutions of each encoder block, from the image down."""
    return [[_scaled(filters, width)] * depth for filters, depth in BLOCKS]


def decoder_filters(width: float) -> list[list[int]]:
    """Returns the filters of the convolutions of each decoder block, up to the image, without the classifier."""
    after = [[]] + [[_scaled(filters, width)] for filters, _ in BLOCKS[:-1]]
    blocks = [[_scaled(filters, width)] * (depth - 1) for filters, depth in BLOCKS]
    return [block + last for block, last in zip(blocks, after, strict=True)][::-1]


def _scaled(filters: int, width: float) -> int:
    return max(8, int(filters * width))


def notebook_steps(case: Case) -> Steps:
    """Returns the steps of the reference notebook's layers in Keras on TensorFlow, not compiled by XLA."""
    import keras
    import tensorflow as tf

    class PoolWithArgmax(keras.layers.Layer):
        def call(self, maps: Any) -> Any:
            return tf.nn.max_pool_with_argmax(maps, ksize=2, strides=2, padding="VALID", output_dtype=tf.int64)

        def compute_output_spec(self, maps: Any) -> Any:
            count, height, width, channels = maps.shape
            shape = (count, height // 2, width // 2, channels)
            return keras.KerasTensor(shape, maps.dtype), keras.KerasTensor(shape, "int64")

    class ScatterUnpool(keras.layers.Layer):
        def call(self, values: Any, places: Any) -> Any:
            _, height, width, channels = values.shape
            count = tf.shape(places, out_type=tf.int64)[0]
            images = tf.broadcast_to(tf.range(count)[:, None, None, None], tf.shape(places))
            flat = tf.scatter_nd(
                tf.stack([images, places], axis=-1), values, tf.stack([count, 4 * height * width * channels])
            )
            return tf.reshape(flat, (-1, 2 * height, 2 * width, channels))

        def compute_output_spec(self, values: Any, places: Any) -> Any:
            count, height, width, channels = values.shape
            return keras.KerasTensor((count, 2 * height, 2 * width, channels), values.dtype)

    def convolve(x: Any, block: list[int]) -> Any:
        for filters in block:
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = keras.layers.BatchNormalization()(x)
        return x

    keras.config.set_dtype_policy("mixed_bfloat16" if case.precision == "bfloat16" else "float32")
    x = inputs = keras.Input((*case.size, 3))
    pooled = []
    for block in encoder_filters(case.width):
        x = convolve(x, block)
        odd = ((0, x.shape[1] % 2), (0, x.shape[2] % 2))
        if odd != ((0, 0), (0, 0)):
            x = keras.layers.ZeroPadding2D(odd)(x)
        x, places = PoolWithArgmax()(x)
        pooled.append((places, odd))
    for block, (places, odd) in zip(decoder_filters(case.width), reversed(pooled), strict=True):
        x = ScatterUnpool()(x, places)
        if odd != ((0, 0), (0, 0)):
            x = keras.layers.Cropping2D(odd)(x)
        x = convolve(x, block)
    x = keras.layers.Conv2D(CLASSES, 3, padding="same")(x)
    network = keras.Model(inputs, keras.layers.Softmax(dtype="float32")(x))
    network.compile(keras.optimizers.Adam(LEARNING_RATE), "sparse_categorical_crossentropy", jit_compile=False)
    images, label_maps = random_batch(case)
    images, label_maps = (images / 255).astype(np.float32), label_maps.astype(np.int32)
    return Steps(lambda: network.train_on_batch(images, label_maps), lambda: network.predict_on_batch(images))


def torch_steps(case: Case, compiled: bool = False) -> Steps:
    """Returns the steps of a PyTorch network, channels last, on a GPU where PyTorch sees one.

    Its batch lies on the device already, and its predictions stay there.

    Args:
        case: What is computed.
        compiled: Whether the network goes through `torch.compile`.
    """
    import torch
    from torch.nn import functional

    def block_of(channels: int, block: list[int]) -> torch.nn.Sequential:
        layers: list[torch.nn.Module] = []
        for before, filters in zip([channels, *block], block, strict=False):
            layers += [torch.nn.Conv2d(before, filters, 3, padding=1), torch.nn.BatchNorm2d(filters)]
            layers += [torch.nn.ReLU(inplace=True)]
        return torch.nn.Sequential(*layers)

    class SegNet(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            channels, halves = 3, []
            for blocks in (encoder_filters(case.width), decoder_filters(case.width)):
                half = torch.nn.ModuleList()
                for block in blocks:
                    half.append(block_of(channels, block))
                    channels = block[-1]
                halves.append(half)
            self.encoder, self.decoder = halves
            self.classifier = torch.nn.Conv2d(channels, CLASSES, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pooled = []
            for block in self.encoder:
                x = block(x)
                height, width = x.shape[2:]
                # Rounds odd sizes up, as RoadSeg does: 15 rows pool to 8.
                x, places = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
                pooled.append((places, (height, width)))
            for block, (places, size) in zip(self.decoder, reversed(pooled), strict=True):
                x = block(functional.max_unpool2d(x, places, 2, output_size=size))
            return self.classifier(x)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    network: Any = SegNet().to(device, memory_format=torch.channels_last)
    if compiled:
        network = torch.compile(network)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    images, label_maps = (torch.from_numpy(each).to(device) for each in random_batch(case))
    images = (images.permute(0, 3, 1, 2) / 255).to(memory_format=torch.channels_last)
    label_maps = label_maps.long()
    mixed = {"device_type": device, "dtype": torch.bfloat16, "enabled": case.precision == "bfloat16"}

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def train() -> None:
        network.train()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(**mixed):
            loss = functional.cross_entropy(network(images), label_maps)
        loss.backward()
        optimizer.step()
        wait()

    def predict() -> None:
        network.eval()
        with torch.inference_mode(), torch.autocast(**mixed):
            network(images)
        wait()

    return Steps(train, predict)
