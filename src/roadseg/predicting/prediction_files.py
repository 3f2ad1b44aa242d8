"""Predictions as files, in the names and ids that the scripts of other projects read."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from roadseg.reading.label_map_writing import PredictionFileOptions, encode_label_map
from roadseg.reading.whole_file import open_whole
from roadseg.scoring.prediction import Prediction


def write_predictions(
    predictions: Iterable[Prediction], folder: Path, num_classes: int, options: PredictionFileOptions
) -> Iterator[Prediction]:
    """Yields the predictions as they come, each after its label map is written as an 8-bit grey PNG.

    Args:
        predictions: Of scenes, at any resolution; a file has that of its prediction.
        folder: Where the files go; folders are made as the scenes' ids need them.
        num_classes: Number of classes.
        options: Names and ids.

    Raises:
        InputError: If there is not one id a class.
        OSError: If a file can't be written.
    """
    values = options.list_values(num_classes, "evaluate.prediction_files.ids")
    for each in predictions:
        path = folder / options.name.replace("{scene}", each.scene)
        with open_whole(LocalFileSystem(), str(path)) as file:
            file.write(encode_label_map(each.label_map, values))
        yield each
