"""Predictions as files, in the names and ids that the scripts of other projects read."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from roadseg.reading.folder import Folder
from roadseg.reading.label_map_writing import PredictionFileOptions, encode_label_map
from roadseg.scoring.prediction import Prediction

AT_ONCE = 16
"""Files that are on their way to an object store at the same time."""


def write_predictions(
    predictions: Iterable[Prediction], folder: Folder, num_classes: int, options: PredictionFileOptions
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
    with ThreadPoolExecutor(AT_ONCE) as writers:
        unwritten: deque[Future[None]] = deque()
        for each in predictions:
            content = encode_label_map(each.label_map, values)
            unwritten.append(writers.submit(folder.write, options.name.replace("{scene}", each.scene), content))
            while len(unwritten) > (0 if folder.is_local else AT_ONCE):
                unwritten.popleft().result()
            yield each
        for writing in unwritten:
            writing.result()
