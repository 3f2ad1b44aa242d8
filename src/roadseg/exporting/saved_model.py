"""A trained SegNet as a SavedModel, for TensorFlow Serving and TensorFlow.js."""

import tempfile
from pathlib import Path

from roadseg.exporting.model_description import Outputs
from roadseg.exporting.resampling import Size
from roadseg.exporting.tensorflow_graph import build_graph
from roadseg.segnet.trained import TrainedSegNet

SIGNATURE = "serving_default"
"""Name of the function, as TensorFlow Serving expects it."""


def convert_to_saved_model(model: TrainedSegNet, outputs: Outputs, image_size: Size | None) -> dict[str, bytes]:
    """Returns the files of a SavedModel, path -> content, whose function `serving_default` predicts.

    It takes `images`, (batch, height, width, 3) uint8, RGB, of any batch. Its outputs are those of `convert_to_onnx`.

    Args:
        model: A trained model.
        outputs: What the function returns.
        image_size: (height, width) in pixels of images and outputs; None is the size of the network.

    Raises:
        RoadSegError: If Keras does not run on TensorFlow.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_saved_model(model, outputs, image_size, None, folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


def write_saved_model(
    model: TrainedSegNet, outputs: Outputs, image_size: Size | None, batch: int | None, folder: Path
) -> None:
    """Writes a SavedModel into a folder; `batch` is the number of images that it takes, None is any number."""
    graph = build_graph(model, outputs, image_size, batch)
    import tensorflow as tf

    tf.saved_model.save(graph, str(folder), {SIGNATURE: graph.predict})
