"""The tables of an evaluation: all its scores can be computed again from them.

Names of classes are in cells, never in headings: a class may have any name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array

from roadseg.errors import InputError
from roadseg.scenes.labels import find_class_ids
from roadseg.scenes.splits import group_by_split
from roadseg.scoring.metrics import class_iou, count_classes, mean_iou, pixel_accuracy

if TYPE_CHECKING:
    from roadseg.scoring.measures import SceneMeasures  # Keras, for which what reads tables need not wait

Count = TypeVar("Count", bound=np.generic)

KEYS = ["split", "drive", "scene", "resolution"]
"""Columns that say which scene a row is about, and at which resolution its pixels are counted."""

CELL = ["truth", "predicted", "pixels"]
"""Columns of a cell of a confusion matrix: names of the true and of the predicted class, and how many pixels."""

COUNTS = ["hits", "pixels", "predicted_pixels"]
"""Columns of the class counts, as `count_classes` returns them: `pixels` are the true ones."""

BINS = ["pixels", "hits", "confidence"]
"""Columns of a bin of a calibration table, as `count_calibration` returns them."""


@dataclass(frozen=True)
class ScoredScenes:
    """Scenes as one run has scored them.

    Attributes:
        class_names: K names in the order of the ids.
        scene_scores: As `tabulate_scenes` returns it, or some of its rows.
        scene_class_scores: As `tabulate_scene_classes` returns it; rows of other scenes do not matter.
    """

    class_names: Sequence[str]
    scene_scores: pd.DataFrame
    scene_class_scores: pd.DataFrame

    def read_classes(self, scenes: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Returns the class counts of scenes, (scenes, K, 3) int64, and their boundary F1, (scenes, K) float64 or NaN.

        Args:
            scenes: Ids of scenes; one that has no row is void throughout.
        """
        counts = np.zeros((len(scenes), len(self.class_names), len(COUNTS)), np.int64)
        f1s = np.full((len(scenes), len(self.class_names)), np.nan)
        wanted = self.scene_class_scores[self.scene_class_scores["scene"].isin(scenes)]
        rows = pd.Index(scenes).get_indexer(pd.Index(wanted["scene"]))
        cells = rows, find_class_ids(wanted["class"], self.class_names)
        counts[cells], f1s[cells] = wanted[COUNTS], wanted["boundary_f1"]
        return counts, f1s


def list_scenes(split_table: pd.DataFrame, resolution: str) -> pd.DataFrame:
    """Returns the columns of `KEYS` of all scenes in the order in which they are scored: train first, each sorted."""
    drives = split_table.set_index("scene")["drive"]
    splits = group_by_split(split_table)
    rows = [(split, drives[scene], scene, resolution) for split, ids in splits.items() for scene in ids]
    return pd.DataFrame(rows, columns=KEYS).astype("str")


def tabulate_confusion(scenes: pd.DataFrame, matrices: Iterable[Any], class_names: Sequence[str]) -> pd.DataFrame:
    """Returns a row for each cell of the confusion matrices that has pixels: the columns of `KEYS` and of `CELL`.

    Args:
        scenes: As `list_scenes` returns them.
        matrices: (K, K) int64 of each scene, as NumPy arrays or sparse ones of SciPy.
        class_names: K names in the order of the ids.
    """
    cells = [coo_array(each) for each in matrices]
    rows = np.repeat(np.arange(len(scenes)), [each.nnz for each in cells])
    names = np.array(class_names, object)
    none = [np.zeros(0, np.int64)]
    truth, predicted, pixels = (
        np.concatenate([*none, *(getattr(each, part) for each in cells)]) for part in ("row", "col", "data")
    )
    named = {"truth": names[truth], "predicted": names[predicted], "pixels": pixels}
    table = scenes[KEYS].iloc[rows].reset_index(drop=True).assign(**named)
    return table.astype({"truth": "str", "predicted": "str"})


def sum_splits(table: pd.DataFrame, class_names: Sequence[str], splits: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    """Returns the (K, K) int64 confusion matrix of each split, from a table that `tabulate_confusion` made.

    Args:
        table: The confusion matrices.
        class_names: K names in the order of the ids.
        splits: Names of the splits; a split without rows in the table has only zeros.

    Raises:
        InputError: If it is a table of another shape, or of other classes.
    """
    if list(table) != [*KEYS, *CELL]:
        raise InputError(
            f"a table of confusion matrices has the columns {', '.join([*KEYS, *CELL])}, received "
            f"{shorten(', '.join(map(str, table)), 200)}: it was saved by another version of this project, so score "
            "the model again"
        )
    matrices = {split: np.zeros((len(class_names), len(class_names)), np.int64) for split in splits}
    for split, matrix in matrices.items():
        rows = table[table["split"] == split]
        cells = tuple(find_class_ids(rows[role], class_names) for role in ("truth", "predicted"))
        np.add.at(matrix, cells, rows["pixels"])
    return matrices


def add_up(groups: pd.Series, counts: NDArray[Count]) -> dict[str, NDArray[Count]]:
    """Returns the sum of the counts of each group, in the order in which the groups first occur.

    Args:
        groups: (scenes,) split or drive of each scene.
        counts: (scenes, ...) what is added.
    """
    return {str(group): counts[(groups == group).to_numpy()].sum(axis=0) for group in groups.unique()}


def tabulate_calibration(scenes: pd.DataFrame, measures: "Sequence[SceneMeasures]") -> pd.DataFrame:
    """Returns the calibration counts of each drive: split, drive, resolution, softmax, bin from 1, columns of `BINS`.

    Args:
        scenes: As `list_scenes` returns them.
        measures: Of these scenes; where calibration was not asked for, the table is empty. The column softmax is
            `plain`, or `scaled` by the temperature of the model where it has one.
    """
    keys = ["split", "drive", "resolution"]
    kinds = {"plain": [each.calibration for each in measures], "scaled": [each.scaled_calibration for each in measures]}
    rows: list[tuple[Any, ...]] = []
    for key, of_drive in scenes.groupby(keys, sort=False):
        for kind, calibrations in kinds.items():
            if counts := [each for place in of_drive.index if (each := calibrations[place]) is not None]:
                rows += [(*key, kind, place, *sums) for place, sums in enumerate(np.sum(counts, axis=0), start=1)]
    types = (
        dict.fromkeys([*keys, "softmax"], "str")
        | dict.fromkeys(["bin", "pixels", "hits"], "int64")
        | {"confidence": "float64"}
    )
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def tabulate_scenes(scenes: pd.DataFrame, measures: "Sequence[SceneMeasures]") -> pd.DataFrame:
    """Returns the scores of each scene: the columns of `KEYS`, `pixels` (not void), `mean_iou` and `pixel_accuracy`.

    Args:
        scenes: As `list_scenes` returns them.
        measures: Of these scenes; a score is NaN if all of a scene is void.
    """
    counts = [count_classes(each.confusion) for each in measures]
    scores = {
        "pixels": [each[:, 1].sum() for each in counts],
        "mean_iou": [mean_iou(each) for each in counts],
        "pixel_accuracy": [pixel_accuracy(each) for each in counts],
    }
    return scenes.assign(**scores)


def tabulate_scene_classes(
    scenes: pd.DataFrame, measures: "Sequence[SceneMeasures]", class_names: Sequence[str]
) -> pd.DataFrame:
    """Returns a row for each scene and class that is in its truth or its prediction, with counts and scores.

    Args:
        scenes: As `list_scenes` returns them.
        measures: Of these scenes.
        class_names: K names in the order of the ids.

    Returns:
        The columns of `KEYS`, `class`, those of `COUNTS`, which add up over scenes, `iou`, and `boundary_f1`: NaN where
        the truth has no boundary of the class, and throughout where boundaries were not asked for.
    """
    counts = np.array([count_classes(each.confusion) for each in measures])
    unknown = np.full(len(class_names), np.nan)
    f1s = np.array([unknown if each.boundary_f1 is None else each.boundary_f1 for each in measures])
    rows, classes = np.nonzero(counts.any(axis=-1))
    found = counts[rows, classes]
    named: Mapping[str, Any] = {"class": np.array(class_names, object)[classes]}
    named = {**named, **dict(zip(COUNTS, found.T, strict=True)), "iou": class_iou(found)}
    table = scenes[KEYS].iloc[rows].reset_index(drop=True).assign(**named, boundary_f1=f1s[rows, classes])
    return table.astype({"class": "str"})


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
