"""A trained SegNet as a model for LiteRT, the runtime for phones and small boards that was TensorFlow Lite."""

import tempfile
from pathlib import Path

from roadseg.exporting.model_description import Outputs
from roadseg.exporting.resampling import Size
from roadseg.exporting.saved_model import SIGNATURE, write_saved_model
from roadseg.segnet.trained import TrainedSegNet


def convert_to_litert(model: TrainedSegNet, outputs: Outputs, image_size: Size | None) -> bytes:
    """Returns a model for LiteRT that has only the runtime's own operators, in float32.

    Its signature `serving_default` has the inputs and outputs of `convert_to_saved_model`, with one image per batch.

    Args:
        model: A trained model.
        outputs: What it returns.
        image_size: (height, width) in pixels of images and outputs; None is the size of the network.

    Raises:
        RoadSegError: If Keras does not run on TensorFlow.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(model, outputs, image_size, 1, Path(folder))
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        return bytes(converter.convert())
