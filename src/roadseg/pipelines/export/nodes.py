"""Export: a trained SegNet to files for other runtimes, proved on validation scenes."""

import logging
from typing import Any

import pandas as pd

from roadseg.errors import advising
from roadseg.exporting.exported_model import ExportedModel, export_model
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.proof import prove_export, read_proving_scenes
from roadseg.pipelines.advice import load_own_data
from roadseg.scenes.prepared import PreparedScenes
from roadseg.segnet.trained import TrainedSegNet, check_classes, check_image_size

logger = logging.getLogger(__name__)


def export_segnet(
    segnet_model: TrainedSegNet, prepared_scenes: PreparedScenes, split_table: pd.DataFrame, options: ExportOptions
) -> tuple[ExportedModel, dict[str, Any]]:
    """Returns the exported model, and what was found when it ran in other runtimes; one that fails there is refused."""
    with advising(load_own_data(segnet_model.record)):
        check_classes(segnet_model.record, [each.name for each in prepared_scenes.classes])
        check_image_size(segnet_model.record, prepared_scenes.image_size)
    scenes = read_proving_scenes(prepared_scenes, split_table, options.scenes)
    exported = export_model(segnet_model, options)
    proof = prove_export(exported, segnet_model, *scenes, options.runtimes)
    for name, each in (("keras", proof.keras), *proof.runtimes.items()):
        logger.info("%s %s: %.1f milliseconds per image", name, each.version, each.milliseconds)
    return exported, proof.model_dump(mode="json")
