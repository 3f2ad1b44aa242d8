"""Train: prepared scenes and their split to a SegNet, its history and its curves."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.pipelines.advice import load_what_was_learnt
from roadseg.reading.work_options import WorkOptions
from roadseg.reporting import network_diagram
from roadseg.reporting.caption import describe_model
from roadseg.reporting.figures import draw_training_curves
from roadseg.scenes.palette import PictureOptions, make_palette
from roadseg.scenes.prepared import PreparedScenes, content_digest
from roadseg.scenes.raw import SceneOptions
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import digest_contents, group_by_split
from roadseg.segnet.device import Placement, choose_placement
from roadseg.segnet.model_record import ContinuedFrom, LearntFrom, ModelRecord, StartedFrom, TrainingFacts
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.trained import TrainedSegNet
from roadseg.training.checkpoint import digest_code
from roadseg.training.continuation import EarlierTraining
from roadseg.training.fit import Training, TrainingData, TrainingOutputs, train_network
from roadseg.training.recipe import Recipe, TrainOptions
from roadseg.training.start import digest_start, record_start
from roadseg.training.temperature import measure_temperature

logger = logging.getLogger(__name__)


def train_segnet(
    *,
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    network_options: NetworkOptions,
    options: TrainOptions,
    scene_options: SceneOptions,
    picture_options: PictureOptions,
    work_options: WorkOptions,
    seed: Seed,
    provenance: Provenance,
    continued_training: EarlierTraining | None,
) -> tuple[TrainedSegNet, ModelRecord, pd.DataFrame] | None:
    """Returns the trained network with the record of what it learnt from, that record, and the training's history.

    Returns None where this host helps host 0, which has all of it.
    """
    digests = digest_contents(prepared_scenes, split_table)
    if continued_training:
        with advising(load_what_was_learnt(continued_training.record)):
            continued_training.check_data(digests)
    recipe = Recipe(network_options, options if scene_options.limit is None else options.shortened(), seed.root)
    recipe = continued_training.adapt(recipe) if continued_training else recipe
    placement = choose_placement(recipe.options)
    checkpoint = _choose_checkpoint(recipe, placement, digests, provenance)
    started_from = _find_start(recipe, split_table, continued_training)
    palette = make_palette(prepared_scenes.classes, picture_options)
    ids, in_flight = group_by_split(split_table), work_options.choose_in_flight(prepared_scenes.is_remote)
    training = train_network(
        TrainingData(prepared_scenes, ids["train"], ids["validation"], in_flight),
        recipe,
        placement,
        TrainingOutputs(checkpoint, provenance.folders["tensorboard_folder"].on_disk / provenance.run, palette),
        continued_training,
    )
    if placement.host:
        return None
    record = record_training(prepared_scenes, split_table, training, provenance, continued_training)
    facts = {"state": checkpoint.name, "started_from": started_from, "num_parameters": training.network.count_params()}
    record = record.model_copy(update=facts)
    if not training.is_interrupted:  # else the run is to end soon
        model = TrainedSegNet(training.network, record)
        temperature = measure_temperature(model, prepared_scenes, ids["validation"], seed.root, in_flight=in_flight)
        logger.info("Temperature of the softmax, fitted on validation: %.3f", temperature)
        record = record.model_copy(update={"temperature": temperature})
    return TrainedSegNet(training.network, record, training.state), record, training.history


def _choose_checkpoint(
    recipe: Recipe, placement: Placement, digests: Mapping[str, str], provenance: Provenance
) -> Path:
    """Returns the folder of a training, named by all that determines it, and says if only others are there."""
    parameters = [recipe.network.model_dump(mode="json"), recipe.options.model_dump(mode="json"), recipe.seed]
    program = [digest_code(), provenance.packages, placement.policy]
    folder = provenance.folders["training_state"].on_disk
    chosen = folder / content_digest([digests, parameters, digest_start(recipe.network.start), program])
    if not chosen.exists() and any(folder.glob("*")):
        logger.info(
            "Starts a new training: the checkpoints in %s have other data, parameters, first weights, precision, code "
            "or packages",
            folder,
        )
    return chosen


def _find_start(recipe: Recipe, split_table: pd.DataFrame, earlier: EarlierTraining | None) -> StartedFrom | None:
    """Returns the earlier model whose weights a training starts from, or those of the training that it goes on with."""
    if earlier and earlier.record.started_from:
        return earlier.record.started_from
    held_out = set(split_table.loc[split_table["split"] != "train", "drive"])
    return record_start(recipe.network.start, held_out)


def record_training(
    prepared_scenes: PreparedScenes,
    split_table: pd.DataFrame,
    training: Training,
    provenance: Provenance,
    earlier: EarlierTraining | None,
) -> ModelRecord:
    """Returns the model record of a training, without `state`, `started_from` and `num_parameters`."""
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
