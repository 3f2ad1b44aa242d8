"""The tables of an evaluation: confusion by class name, scores a scene, scores a split."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadseg.scoring.metrics import ScoreSummary, count_confusion, mean_iou, pixel_accuracy

Prediction = tuple[str, NDArray[np.uint8], NDArray[np.uint8]]


def score_predictions(
    predictions: Iterable[Prediction], num_classes: int
) -> tuple[NDArray[np.int64], list[dict[str, object]]]:
    """Returns the confusion matrix of all scenes, and one row of scores a scene.

    Args:
        predictions: Scene id, truth and prediction, as `predict_label_maps` yields them.
        num_classes: Number of classes K.

    Returns:
        (K, K) int64, rows true, columns predicted; rows with `scene`, `pixels` (not void), `mean_iou` and
        `pixel_accuracy` (NaN where a scene is void throughout).
    """
    total = np.zeros((num_classes, num_classes), np.int64)
    rows: list[dict[str, object]] = []
    for scene, truth, prediction in predictions:
        matrix = count_confusion(truth, prediction, num_classes)
        total += matrix
        scores = {"mean_iou": mean_iou(matrix), "pixel_accuracy": pixel_accuracy(matrix)}
        rows.append({"scene": scene, "pixels": int(matrix.sum())} | scores)
    return total, rows


def tabulate_confusion(matrices: Mapping[str, NDArray[np.int64]], class_names: Sequence[str]) -> pd.DataFrame:
    """Returns confusion matrices as one table: split, true class, and a column of pixels for each predicted class."""
    blocks = [
        pd.DataFrame(matrix, columns=list(class_names)).assign(split=split, truth=list(class_names))
        for split, matrix in matrices.items()
    ]
    return pd.concat(blocks, ignore_index=True)[["split", "truth", *class_names]]


def read_confusion(table: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Returns the (K, K) int64 confusion matrix of each split of a table that `tabulate_confusion` made."""
    matrices = table.drop(columns="truth").groupby("split", sort=False)
    return {str(split): rows.drop(columns="split").to_numpy(np.int64) for split, rows in matrices}


def tabulate_scores(summaries: Mapping[str, ScoreSummary], scenes: Mapping[str, int]) -> pd.DataFrame:
    """Returns one row a split: its scenes and pixels, its scores, and the IoU of each class.

    Args:
        summaries: Split -> what `summarise_confusion` returned.
        scenes: Split -> number of its scenes.
    """
    rows = []
    for split, summary in summaries.items():
        scores = {name: value for name, value in summary.items() if name not in ("classes", "absent_classes", "pixels")}
        ious = {f"IoU {name}": each["iou"] for name, each in summary["classes"].items()}
        rows.append({"split": split, "scenes": scenes[split], "pixels": summary["pixels"]} | scores | ious)
    return pd.DataFrame(rows)


def choose_examples(scene_scores: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the best, the median and the worst scene of each split by mean IoU, with the column `rank`.

    A split of two scenes has a best and a worst one, a split of one a single row. Scenes without a score are left out.
    """
    chosen = [scene_scores.head(0).assign(rank="")]
    for _, rows in scene_scores.dropna(subset="mean_iou").groupby("split", sort=False):
        ordered = rows.sort_values(["mean_iou", "scene"], ascending=[False, True], ignore_index=True)
        last = len(ordered) - 1
        places = {0: "best"} | ({last // 2: "median"} if last > 1 else {}) | ({last: "worst"} if last else {})
        chosen.append(ordered.loc[list(places)].assign(rank=list(places.values())))
    return pd.concat(chosen, ignore_index=True)
