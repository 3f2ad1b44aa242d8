"""A trained SegNet at work: images of any size in, classes with confidences out, without any truth."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from roadseg.errors import InputError
from roadseg.scenes.preprocessing import resize_image
from roadseg.segnet.class_choice import Size
from roadseg.segnet.device import Device, Precision, choose_policy, predicting_on
from roadseg.segnet.dropout_samples import DropoutSamples
from roadseg.segnet.folding import fold_batch_norms
from roadseg.segnet.out_of_memory import explaining_memory
from roadseg.segnet.segmentation import Segmentation
from roadseg.segnet.trained import TrainedSegNet, load_model

Item = TypeVar("Item")

Image = NDArray[np.uint8]


class OtherNetwork(Protocol):
    """A network that another program runs, such as an exported one.

    Attributes:
        precision: Type of the numbers that it computes with.
    """

    precision: str

    def predict_on_batch(self, images: Image, /) -> NDArray[np.float32]:
        """Returns the logits, (batch, height, width, classes), of images (batch, height, width, 3) uint8."""


class Predictor:
    """Says of each pixel of an image which class it belongs to.

    Attributes:
        classes: Names and colours; a class's id is its position.
        image_size: (height, width) in pixels at which the network sees each image.
        precision: Type of the numbers that the network computes with, `float32` or `bfloat16`; of another network what
            that one says.
        batch_size: Images that go through the network at once.
        temperature: Divides the logits before the softmax; of the model's record, 1.0 where it has none.

    Examples:
        ```python
        predictor = Predictor.load("segnet.keras")
        label_map = predictor.predict(image).label_map
        for found in predictor.predict_each(images):
            print(found.confidence.mean())
        ```
    """

    def __init__(
        self,
        model: TrainedSegNet,
        *,
        batch_size: int = 8,
        device: Device = "auto",
        precision: Precision = "auto",
        samples: int = 0,
        seed: int = 0,
        network: OtherNetwork | None = None,
    ) -> None:
        """Takes the model, and folds its batch norms: it predicts faster, and the same up to rounding.

        Args:
            model: A trained model.
            batch_size: Images that go through the network at once, at least 1.
            device: `auto` takes a GPU where one is visible.
            precision: `auto` takes what the model was trained in, but float32 where bfloat16 is not the faster.
            samples: How many dropout samples each prediction is the mean of, see `DropoutSamples`; 0 drops nothing.
            seed: Of the samples, from 0; equal seeds give equal predictions.
            network: Predicts in the place of the model's own, of which it was made; without dropout samples.

        Raises:
            InputError: If a GPU is asked for and there is none, or samples of a model that was trained without dropout
                or of another network.
        """
        self.classes, self.image_size, self.batch_size = model.record.classes, model.record.image_size, batch_size
        self.temperature = model.record.temperature or 1.0
        self._device = device
        self._network: Any = network
        self._samples = None
        if network:
            if samples:
                raise InputError(f"samples: expected 0 with another network than the model's own, received {samples}")
            self.precision = network.precision
            return
        with predicting_on(device):
            self._network = fold_batch_norms(model.network, choose_policy(model.network, device, precision))
            if samples:
                self._samples = DropoutSamples(self._network, samples, seed, self.temperature)
        types = {layer.compute_dtype for layer in self._network.layers}
        self.precision = "bfloat16" if "bfloat16" in types else "float32"  # logits are float32 in either

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        batch_size: int = 8,
        device: Device = "auto",
        precision: Precision = "auto",
        samples: int = 0,
        seed: int = 0,
    ) -> Self:
        """Returns the predictor of a model in a `.keras` file that this project saved.

        Raises:
            FileNotFoundError: If there is no such file.
            FileError: If it is a folder, or has no network that can be loaded.
            InputError: If the file is damaged or has no model record, or as in the constructor.
        """
        with predicting_on(device):
            model = load_model(Path(path))
        return cls(model, batch_size=batch_size, device=device, precision=precision, samples=samples, seed=seed)

    def predict(self, image: Image) -> Segmentation:
        """Returns the classes of one image at its own size.

        Args:
            image: (height, width, 3) uint8, RGB, of any size.

        Raises:
            InputError: If it is something else.
            MemoryError: If memory runs out, with advice.
        """
        return next(self._predict([(image, None)], 1))

    def predict_each(self, images: Iterable[Image]) -> Iterator[Segmentation]:
        """Yields the classes of each image at its own size, once and in order.

        Only two batches are in memory at once: the one that is predicted, and the next, which another thread reads.

        Args:
            images: (height, width, 3) uint8 each, RGB, of any sizes.

        Raises:
            InputError: If one is something else; the message says which.
            MemoryError: If memory runs out, with advice.
        """
        return self.predict_at((image, None) for image in images)

    def predict_at(self, images: Iterable[tuple[Image, Size | None]]) -> Iterator[Segmentation]:
        """Yields the classes of each image at the size that stands beside it; None is its own, as in `predict_each`."""
        return self._predict(images, self.batch_size)

    def _predict(self, images: Iterable[tuple[Image, Size | None]], batch_size: int) -> Iterator[Segmentation]:
        for batch in _read_ahead(self._resize(images), batch_size):
            resized, sizes = zip(*batch, strict=True)
            yield from self._segment(np.stack(resized), sizes, batch_size)

    def _resize(self, images: Iterable[tuple[Image, Size | None]]) -> Iterator[tuple[Image, Size]]:
        for number, (image, size) in enumerate(images):
            _check_image(image, number)
            own_size = (image.shape[0], image.shape[1])
            yield (image if own_size == self.image_size else resize_image(image, self.image_size), size or own_size)

    def _segment(self, images: Image, sizes: Sequence[Size], batch_size: int) -> list[Segmentation]:
        # TensorFlow and JAX would trace the network anew for each number of images, so the last one comes again.
        batch = np.concatenate([images, np.repeat(images[-1:], batch_size - len(images), axis=0)])
        variances: Iterable[NDArray[np.float32] | None] = repeat(None)
        wanted, advice = f"{batch_size} images at once", "a smaller batch_size, or the device 'cpu'"
        with predicting_on(self._device), explaining_memory(wanted, advice):
            if self._samples:
                logits, variances = self._samples.predict(batch)
            else:
                logits = self._network.predict_on_batch(batch)
        temperature = 1.0 if self._samples else self.temperature  # which samples have in their softmaxes
        return [
            Segmentation(each, size, temperature, self._device, variance)
            for each, size, variance in zip(logits, sizes, variances, strict=False)
        ]


def _check_image(image: object, number: int) -> None:
    received = f"a {type(image).__name__}"
    if isinstance(image, np.ndarray):
        if image.ndim == 3 and image.shape[2] == 3 and image.size and image.dtype == np.uint8:
            return
        received = f"{' x '.join(map(str, image.shape))} {image.dtype}"
    raise InputError(
        f"image {number}: expected an array of height x width x 3 uint8 (red, green and blue in 0..255) with at least "
        f"one pixel, received {received}"
    )


def _read_ahead(items: Iterable[Item], batch_size: int) -> Iterator[list[Item]]:
    """Yields the items in batches; while one is used, another thread reads the next."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(lambda: list(islice(iterator, batch_size)))
        while batch := following.result():
            following = reader.submit(lambda: list(islice(iterator, batch_size)))
            yield batch
