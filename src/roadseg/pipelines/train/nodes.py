"""Train: prepared scenes and their split to a SegNet, its history and its curves."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.pipelines.advice import load_what_was_learnt
from roadseg.reporting import network_diagram
from roadseg.reporting.caption import describe_model
from roadseg.reporting.figures import draw_training_curves
from roadseg.scenes.palette import PictureOptions, make_palette
from roadseg.scenes.prepared import PreparedScenes, content_digest
from roadseg.scenes.raw import SceneOptions
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import digest_contents, group_by_split
from roadseg.segnet.device import choose_placement
from roadseg.segnet.model_record import ContinuedFrom, LearntFrom, ModelRecord, TrainingFacts
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.trained import TrainedSegNet
from roadseg.training.checkpoint import digest_code
from roadseg.training.continuation import EarlierTraining
from roadseg.training.fit import Training, TrainingData, TrainingOutputs, train_network
from roadseg.training.recipe import Recipe, TrainOptions
from roadseg.training.start import digest_start, record_start

logger = logging.getLogger(__name__)


def train_segnet(
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    network_options: NetworkOptions,
    options: TrainOptions,
    scene_options: SceneOptions,
    picture_options: PictureOptions,
    seed: Seed,
    provenance: Provenance,
    continued_training: EarlierTraining | None,
) -> tuple[TrainedSegNet, ModelRecord, pd.DataFrame]:
    """Returns the trained network with the record of what it learnt from, that record, and the training's history."""
    options = options if scene_options.limit is None else options.shortened()
    digests = digest_contents(prepared_scenes, split_table)
    if continued_training:
        with advising(load_what_was_learnt(continued_training.record)):
            continued_training.check_data(digests)
        options = options.model_copy(update={"continue_from": continued_training.run})
        network_options = network_options.model_copy(update={"start": "random"})  # the state has all weights
    placement = choose_placement(options)
    parameters = [network_options.model_dump(mode="json"), options.model_dump(mode="json"), seed.root]
    program = [digest_code(), provenance.packages, placement.policy]
    folder = provenance.folders["training_state"]
    checkpoint = _name_checkpoint([digests, parameters, digest_start(network_options.start), program], folder)
    held_out = set(split_table.loc[split_table["split"] != "train", "drive"])
    start = continued_training.record.started_from if continued_training else None
    started_from = start or record_start(network_options.start, held_out)
    ids = group_by_split(split_table)
    palette = make_palette(prepared_scenes.classes, picture_options)
    training = train_network(
        TrainingData(prepared_scenes, ids["train"], ids["validation"]),
        Recipe(network_options, options, seed.root),
        placement,
        TrainingOutputs(folder / checkpoint, provenance.folders["tensorboard_folder"] / provenance.run, palette),
        continued_training,
    )
    record = record_training(prepared_scenes, split_table, training, provenance, continued_training)
    record = record.model_copy(update={"state": checkpoint, "started_from": started_from})
    return TrainedSegNet(training.network, record, training.state), record, training.history


def _name_checkpoint(choices: Sequence[object], folder: Path) -> str:
    """Returns the name of the folder of a training that follows from some choices, and says if others are there."""
    name = content_digest(choices)
    others = [path.name for path in folder.glob("*") if path.name != name]
    if others and not (folder / name).exists():
        logger.info(
            "Starts a new training: the checkpoints in %s have other data, parameters, first weights, precision, code "
            "or packages",
            folder,
        )
    return name


def record_training(
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    training: Training,
    provenance: Provenance,
    earlier: EarlierTraining | None,
) -> ModelRecord:
    """Returns what the model of a training says of itself, but `state` and `started_from`."""
    digests = digest_contents(prepared_scenes, split_table)
    history = training.history
    best = history.iloc[int(history["val_mean_iou"].argmax())]
    return ModelRecord(
        **provenance.model_dump(exclude={"versions"}),
        learnt_from={
            name: LearntFrom(version=provenance.versions[name], digest=digest) for name, digest in digests.items()
        },
        classes=prepared_scenes.classes,
        image_size=prepared_scenes.image_size,
        training_drives=sorted(split_table.loc[split_table["split"] == "train", "drive"].unique()),
        training=TrainingFacts(
            epochs=len(history),
            best_epoch=int(best["epoch"]),
            best_validation_mean_iou=float(best["val_mean_iou"]),
            seconds=round(float(history["seconds"].sum()), 1),
            is_interrupted=training.is_interrupted,
            continued_from=ContinuedFrom(run=earlier.run, epochs=earlier.epochs) if earlier else None,
            history=history.astype(object).where(history.notna(), None).to_dict("records"),
        ),
    )


def draw_curves(training_history: pd.DataFrame, model_record: ModelRecord) -> Figure:
    """Returns the training curves."""
    return draw_training_curves(training_history, describe_model(model_record))


def draw_network(segnet_model: TrainedSegNet) -> Figure:
    """Returns the network as a diagram."""
    return network_diagram.draw_network(segnet_model.network, describe_model(segnet_model.record))
