"""SegNet: VGG16's convolutions down, the same mirrored up, joined by nothing but the positions of the maxima."""

from typing import Annotated

import keras
from pydantic import BaseModel, Field

from roadseg.segnet.layers import BatchNormalization, MaxPoolingWithIndices2D, MaxUnpooling2D

ENCODER_FILTERS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
DECODER_FILTERS = ((64,), (128, 64), (256, 256, 128), (512, 512, 256), (512, 512, 512))
BAYESIAN_BLOCKS = (3, 4, 5)


class NetworkOptions(BaseModel, frozen=True, extra="forbid", strict=True):
    """Size and regularisation of a SegNet.

    Attributes:
        width: Multiplies the number of filters of every convolution but the classifier; 1 is the paper's network.
        dropout: Share of activations dropped after encoders 3, 4, 5 and decoders 5, 4, 3; 0 is none.
        batch_norm_momentum: Share of the moving statistics that one training step keeps.

    Reference:
        Dropout: Bayesian SegNet, "central four encoder-decoder", https://arxiv.org/abs/1511.02680.
    """

    width: Annotated[float, Field(gt=0)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    batch_norm_momentum: Annotated[float, Field(ge=0, lt=1)]


def build_segnet(image_size: tuple[int, int], num_classes: int, options: NetworkOptions) -> keras.Model:
    """Returns an untrained SegNet from RGB images to the logits of every pixel.

    The weights are drawn from Keras' global generator: `keras.utils.set_random_seed` before the call repeats them.

    Args:
        image_size: (height, width) in pixels; any size, each pooling rounds up.
        num_classes: Number of classes, void not counted.
        options: Width, dropout and momentum.

    Returns:
        Model from (batch, height, width, 3) images, uint8 or float, 0..255, to (batch, height, width, num_classes)
        float32 logits.

    Reference:
        Badrinarayanan, Kendall, Cipolla: SegNet, https://arxiv.org/abs/1511.00561, and its published
        `segnet_train.prototxt`: convolutions with biases, one 3x3 convolution as classifier.
    """
    images = keras.Input((*image_size, 3), name="images")
    # The paper normalises local contrast; over the whole image, that takes away the colour and strength of the light.
    x = keras.layers.LayerNormalization(axis=(1, 2), center=False, scale=False, dtype="float32", name="contrast")(
        images
    )

    # encoder
    recorded = []
    for block, filters in enumerate(ENCODER_FILTERS, start=1):
        x = _convolutions(x, f"encoder{block}", filters, options)
        size = (x.shape[1], x.shape[2])
        x, indices = MaxPoolingWithIndices2D(name=f"encoder{block}_pool")(x)
        recorded.append((indices, size))
        x = _bayesian_dropout(x, f"encoder{block}", block, options)

    # decoder
    for block in range(len(DECODER_FILTERS), 0, -1):
        indices, size = recorded[block - 1]
        x = MaxUnpooling2D(size, name=f"decoder{block}_unpool")(x, indices)
        x = _convolutions(x, f"decoder{block}", DECODER_FILTERS[block - 1], options)
        x = _bayesian_dropout(x, f"decoder{block}", block, options)

    # classifier
    x = _convolution(num_classes, name="classifier")(x)
    logits = keras.layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="segnet")


def _convolutions(
    x: keras.KerasTensor, block: str, filters: tuple[int, ...], options: NetworkOptions
) -> keras.KerasTensor:
    for number, count in enumerate(filters, start=1):
        width = max(8, int(count * options.width))
        x = _convolution(width, name=f"{block}_conv{number}")(x)
        x = BatchNormalization(momentum=options.batch_norm_momentum, name=f"{block}_norm{number}")(x)
        x = keras.layers.ReLU(name=f"{block}_relu{number}")(x)
    return x


def _convolution(filters: int, name: str) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=name)


def _bayesian_dropout(x: keras.KerasTensor, block: str, level: int, options: NetworkOptions) -> keras.KerasTensor:
    if options.dropout == 0 or level not in BAYESIAN_BLOCKS:
        return x
    dropped: keras.KerasTensor = keras.layers.Dropout(options.dropout, name=f"{block}_dropout")(x)
    return dropped
