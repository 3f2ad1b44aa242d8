"""Scenes as the networks of two runs see them: both are loaded and predict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io import DataCatalog, DatasetError

from roadseg.datasets.run_records import RunRecord
from roadseg.reporting.caption import name_export
from roadseg.reporting.comparison_page import ScenePictures
from roadseg.runs.comparing import GoneError, load_version
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.prepared import PreparedScenes

if TYPE_CHECKING:
    from roadseg.exporting.onnx_network import OnnxNetwork
    from roadseg.scoring.prediction import Prediction


@dataclass(frozen=True)
class Pictures:
    """What two networks predict for scenes.

    Attributes:
        scenes: One element per scene, in the order in which they were asked for.
        classes: The classes of their label maps.
        missing: The sentence that says why there are no pictures, if there are none.
    """

    scenes: Sequence[ScenePictures]
    classes: Sequence[SegmentationClass]
    missing: str


def draw_pictures(
    catalogs: Sequence[DataCatalog], first: RunRecord, second: RunRecord, changed: pd.DataFrame
) -> Pictures:
    """Returns the scenes with what the network of each run predicts, or why they can't be had.

    Args:
        catalogs: As the two runs saw it: a run may have scored the model of another data set.
        first: The run that is called A.
        second: The one that is called B.
        changed: The scenes, as `compare_scenes` returns them; both runs have them, equal in pixels and labels.
    """
    if changed.empty:
        return Pictures([], [], "")
    try:
        prepared = _load_scenes(catalogs[0], first, second)
        ours, theirs = (
            _predict(catalog, run, prepared, list(changed["scene"]))
            for catalog, run in zip(catalogs, (first, second), strict=True)
        )
    except (GoneError, DatasetError) as gone:
        return Pictures([], [], f"There are no pictures: {gone}.")
    pictures = [
        ScenePictures(
            title=f"{row['scene']}: mean IoU {row['difference']:+.4f}, A {row['first']:.4f}, B {row['second']:.4f}",
            image=prepared[row["scene"]].image,
            truth=our.truth,
            first=our.label_map,
            second=their.label_map,
        )
        for row, our, their in zip(changed.to_dict("records"), ours, theirs, strict=True)
    ]
    return Pictures(pictures, prepared.classes, "")


def _load_scenes(catalog: DataCatalog, first: RunRecord, second: RunRecord) -> PreparedScenes:
    try:
        scenes: PreparedScenes = load_version(catalog, first, "prepared_scenes")
    except GoneError:
        scenes = load_version(catalog, second, "prepared_scenes")
    return scenes


def _predict(
    catalog: DataCatalog, run: RunRecord, prepared: PreparedScenes, scenes: Sequence[str]
) -> "list[Prediction]":
    from roadseg.scoring.prediction import predict_scenes  # Keras, for which a page without pictures need not wait
    from roadseg.segnet.predictor import Predictor

    model = load_version(catalog, run, "segnet_model")
    exported = _open_export(catalog, run) if name_export(run.runtime) else None
    predictor = Predictor(model, batch_size=run.parameters["evaluate"]["batch_size"], network=exported)
    return list(predict_scenes(predictor, prepared, scenes))


def _open_export(catalog: DataCatalog, run: RunRecord) -> "OnnxNetwork":
    from roadseg.exporting.saved_export import SavedExport, open_export

    folder: Any = catalog["exported_models_folder"]
    runtime = run.runtime or {}
    export = SavedExport(folder.load(), runtime["exported_model"], runtime["precision"])
    if not export.is_there:
        raise GoneError(f"exported_model {export.version} of run {run.run} was removed")
    return open_export(export)
