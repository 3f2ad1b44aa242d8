"""SegNet: convolutions down, the same mirrored up, joined only by the positions of the maxima."""

import random
from typing import Annotated, Literal, NamedTuple

import keras
from pydantic import BaseModel, Field, PositiveFloat

from roadseg.segnet.layers import BatchNormalization, MaxPoolingWithIndices2D, MaxUnpooling2D


class Architecture(NamedTuple):
    """How one SegNet differs from another.

    Attributes:
        encoders: Filters of each convolution of each encoder, from the image down.
        decoders: The same of the decoder of each encoder.
        kernel_size: Height and width of the kernels, pixels.
        classifier_size: The same of the classifier.
        has_biases: Whether convolutions have biases; the classifier always has.
        has_decoder_relu: Whether a ReLU follows each batch norm of the decoders too.
        bayesian_blocks: Encoders and decoders that dropout follows.
    """

    encoders: tuple[tuple[int, ...], ...]
    decoders: tuple[tuple[int, ...], ...]
    kernel_size: int
    classifier_size: int
    has_biases: bool
    has_decoder_relu: bool
    bayesian_blocks: tuple[int, ...]


ARCHITECTURES = {
    "segnet": Architecture(
        encoders=((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
        decoders=((64,), (128, 64), (256, 256, 128), (512, 512, 256), (512, 512, 512)),
        kernel_size=3,
        classifier_size=3,
        has_biases=True,
        has_decoder_relu=True,
        bayesian_blocks=(3, 4, 5),
    ),
    "segnet_basic": Architecture(
        encoders=4 * ((64,),),
        decoders=4 * ((64,),),
        kernel_size=7,
        classifier_size=1,
        has_biases=False,
        has_decoder_relu=False,
        bayesian_blocks=(3, 4),
    ),
}
"""The networks of https://arxiv.org/abs/1511.00561. SegNet: VGG16's 13 convolutions, with the biases of the published
`segnet_train.prototxt`. SegNet-Basic: section 3.1, "No biases are used after convolutions", though its published
prototxt has them. Dropout: the prototxts of Bayesian SegNet, https://arxiv.org/abs/1511.02680.
"""


CONTRAST, LOGITS = "contrast", "logits"

ALWAYS_FLOAT32 = (CONTRAST, LOGITS)
"""Names of the layers that compute in float32, whatever the dtype policy of the network."""


class NetworkOptions(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """Architecture, size, regularisation and first weights of a network.

    Attributes:
        architecture: `segnet` has 26 convolutions of 3x3, `segnet_basic` 8 of 7x7 and a classifier of 1x1.
        start: Where the weights start from, see `start_weights`: `random`, `imagenet`, or the path of a file.
        width: Multiplies the number of filters of every convolution but the classifier, rounded down, at least 8; 1 is
            the paper's network.
        dropout: From 0, below 1; share of activations dropped after encoders 3, 4, 5 and decoders 5, 4, 3, in
            SegNet-Basic after encoders 3, 4 and decoders 4, 3; 0 is none.
        batch_norm_momentum: From 0, below 1; share of the moving statistics that one training step keeps.
    """

    architecture: Literal["segnet", "segnet_basic"]
    start: str
    width: PositiveFloat
    dropout: Annotated[float, Field(ge=0, lt=1)]
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)]


def view_uncompiled(network: keras.Model) -> keras.Model:
    """Returns a network of the same layers without optimizer, loss and metrics; only a training needs these."""
    return keras.Model(network.input, network.output, name=network.name)


def build_network(image_size: tuple[int, int], num_classes: int, options: NetworkOptions) -> keras.Model:
    """Returns an untrained network from RGB images to the logits of every pixel, named after its architecture.

    The weights are drawn from Keras' global generator: `keras.utils.set_random_seed` before the call repeats them.

    Args:
        image_size: (height, width) in pixels; any size, each pooling rounds up.
        num_classes: Number of classes, void not counted.
        options: Architecture, width, dropout and momentum; `start` is left to `start_weights`.

    Returns:
        Model from (batch, height, width, 3) images, uint8 or float, 0..255, to (batch, height, width, num_classes)
        float32 logits.
    """
    architecture = ARCHITECTURES[options.architecture]
    images = keras.Input((*image_size, 3), name="images")
    # SegNet normalises local contrast, SegNet-Basic local response; over the whole image, and each colour alone, that
    # takes away the colour and strength of the light.
    x = keras.layers.GroupNormalization(groups=3, center=False, scale=False, dtype="float32", name=CONTRAST)(images)

    # encoder
    recorded = []
    for block, filters in enumerate(architecture.encoders, start=1):
        x = _convolutions(x, f"encoder{block}", filters, options, has_relu=True)
        size = (x.shape[1], x.shape[2])
        x, indices = MaxPoolingWithIndices2D(name=f"encoder{block}_pool")(x)
        recorded.append((indices, size))
        x = _bayesian_dropout(x, f"encoder{block}", block, options)

    # decoder
    for block in range(len(architecture.decoders), 0, -1):
        indices, size = recorded[block - 1]
        x = MaxUnpooling2D(size, name=f"decoder{block}_unpool")(x, indices)
        filters = architecture.decoders[block - 1]
        x = _convolutions(x, f"decoder{block}", filters, options, has_relu=architecture.has_decoder_relu)
        x = _bayesian_dropout(x, f"decoder{block}", block, options)

    # classifier
    x = _convolution(num_classes, architecture.classifier_size, has_bias=True, name="classifier")(x)
    logits = keras.layers.Activation("linear", dtype="float32", name=LOGITS)(x)
    return keras.Model(images, logits, name=options.architecture)


def _convolutions(
    x: keras.KerasTensor, block: str, filters: tuple[int, ...], options: NetworkOptions, *, has_relu: bool
) -> keras.KerasTensor:
    architecture = ARCHITECTURES[options.architecture]
    for number, count in enumerate(filters, start=1):
        width = max(8, int(count * options.width))
        name = f"{block}_conv{number}"
        x = _convolution(width, architecture.kernel_size, has_bias=architecture.has_biases, name=name)(x)
        x = BatchNormalization(momentum=options.batch_norm_momentum, name=f"{block}_norm{number}")(x)
        if has_relu:
            x = keras.layers.ReLU(name=f"{block}_relu{number}")(x)
    return x


def _convolution(filters: int, kernel_size: int, *, has_bias: bool, name: str) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        filters, kernel_size, padding="same", use_bias=has_bias, kernel_initializer="he_normal", name=name
    )


def _bayesian_dropout(x: keras.KerasTensor, block: str, level: int, options: NetworkOptions) -> keras.KerasTensor:
    if options.dropout == 0 or level not in ARCHITECTURES[options.architecture].bayesian_blocks:
        return x
    # With a seed of its own the layer keeps its generator among its variables on PyTorch too.
    seed = random.randrange(2**31)  # noqa: S311 - set by keras.utils.set_random_seed, nothing is kept secret by it
    dropped: keras.KerasTensor = keras.layers.Dropout(options.dropout, seed=seed, name=f"{block}_dropout")(x)
    return dropped
