"""Each node of the train pipeline, called as the function that it is; how a network learns is tested in `training`."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy.special import log_softmax

from model_records import WHOLE, model_record
from roadseg.datasets.provenance import Provenance
from roadseg.pipelines.train import nodes
from roadseg.reading.folder import Folder
from roadseg.reading.work_options import WorkOptions
from roadseg.scenes.palette import PictureOptions
from roadseg.scenes.prepared import PreparedScene, PreparedScenes
from roadseg.scenes.raw import SceneOptions
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import digest_contents
from roadseg.segnet.network import NetworkOptions, build_network
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet
from roadseg.training.continuation import EarlierTraining
from roadseg.training.fit import Training
from roadseg.training.recipe import Recipe
from roadseg.training.temperature import LIMITS
from training.options import train_options

SPLITS = pd.DataFrame(
    {
        "scene": ["a_0", "b_0", "c_0", "d_0"],
        "drive": ["a", "b", "c", "d"],
        "split": ["train", "train", "validation", "test"],
    }
)
VERSIONS = {"prepared_scenes": "v1", "split_table": "v2", "segnet_model": "v0"}
TINY = NetworkOptions(architecture="segnet_basic", start="random", width=0.02, dropout=0.0, batch_norm_momentum=0.5)
PLAIN = PictureOptions(palette="classes")


@pytest.fixture
def prepared(in_memory: Callable[..., PreparedScenes]) -> PreparedScenes:
    random = np.random.default_rng(0)
    label_map = np.repeat([[0], [1], [2], [255]], 16, axis=1).repeat(4, axis=0).astype(np.uint8)
    images = {scene: random.integers(0, 256, (16, 16, 3), np.uint8) for scene in SPLITS["scene"]}
    return in_memory({scene: PreparedScene(image, label_map, (16, 16)) for scene, image in images.items()})


WORK = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)


def provenance(folder: Path) -> Provenance:
    folders = {"training_state": Folder.at(folder / "states"), "tensorboard_folder": Folder.at(folder / "tensorboard")}
    return Provenance(run="v3", data_set="mine", commit="c", versions=VERSIONS, parameters={"seed": 1}, folders=folders)


def test_a_trial_trains_as_many_epochs_as_a_trial_has_and_its_record_says_from_what(
    prepared: PreparedScenes, tmp_path: Path
) -> None:
    options = train_options(epochs=5, trial_epochs=1)
    model, record, history = nodes.train_segnet(
        prepared_scenes=prepared,
        split_table=SPLITS,
        network_options=TINY,
        options=options,
        scene_options=SceneOptions(limit=4),
        picture_options=PLAIN,
        work_options=WORK,
        seed=Seed(1),
        provenance=provenance(tmp_path),
        continued_training=None,
    )
    assert model.record == record
    assert model.state is not None
    assert model.network.output_shape == (None, 16, 16, 3)
    assert history["epoch"].tolist() == [1]
    assert (record.run, record.data_set, record.commit) == ("v3", "mine", "c")
    assert {name: each.version for name, each in record.learnt_from.items()} == {
        "prepared_scenes": "v1",
        "split_table": "v2",
    }
    assert {name: each.digest for name, each in record.learnt_from.items()} == digest_contents(prepared, SPLITS)
    assert record.training_drives == ("a", "b")
    assert (record.classes, record.image_size) == (prepared.classes, (16, 16))
    assert record.training.epochs == len(record.training.history) == 1
    assert record.started_from is None
    # The temperature of the softmax makes the validation scene more probable: after one epoch, it is the highest.
    image, truth = prepared.read_pair("c_0")
    logits = Predictor(model).predict(image).logits.astype(np.float64)

    def cross_entropy(temperature: float) -> float:
        scaled = log_softmax(logits / temperature, axis=-1)
        known = truth != 255
        return float(-np.take_along_axis(scaled[known], truth[known][:, None].astype(int), axis=-1).mean())

    assert record.temperature is not None
    assert record.temperature == pytest.approx(LIMITS[1], rel=0.01)
    assert cross_entropy(record.temperature) < cross_entropy(10.0) < cross_entropy(1.0)
    assert [path.name for path in (tmp_path / "states").iterdir()] == [record.state]  # which the run removes at its end


def test_the_record_names_the_best_epoch_and_the_training_that_went_on(
    prepared: PreparedScenes, tmp_path: Path
) -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [3.0, 2.0, np.nan],
            "val_mean_iou": [0.25, 0.5, 0.375],
            "seconds": [1.04, 2.0, 3.0],
        }
    )
    training = Training(network=None, history=history, is_interrupted=True, state=b"")
    unused: Any = None
    earlier = EarlierTraining("v0", model_record(training={"epochs": 2}), "a.keras", unused)
    record = nodes.record_training(prepared, SPLITS, training, provenance(tmp_path), earlier)
    facts = record.training
    assert (facts.epochs, facts.best_epoch, facts.best_validation_mean_iou) == (3, 2, 0.5)
    assert (facts.seconds, facts.is_interrupted) == (6.0, True)
    assert facts.continued_from is not None
    assert (facts.continued_from.run, facts.continued_from.epochs) == ("v0", 2)
    assert [row["loss"] for row in facts.history] == [3.0, 2.0, None]
    assert nodes.record_training(prepared, SPLITS, training, provenance(tmp_path), None).training.continued_from is None


def test_other_choices_have_another_checkpoint_and_only_the_first_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    placement: Any = SimpleNamespace(policy="float32")

    def choose(seed: int) -> Path:
        recipe = Recipe(TINY, train_options(), seed)
        return nodes._choose_checkpoint(recipe, placement, {"split_table": "0a"}, provenance(tmp_path))

    first = choose(1)
    assert choose(1) == first
    assert not caplog.messages
    first.mkdir(parents=True)
    assert choose(1) == first
    assert not caplog.messages
    other = choose(2)
    assert other != first
    assert [message.split(":")[0] for message in caplog.messages] == ["Starts a new training"]
    other.mkdir()
    choose(2)  # goes on, whatever else is there
    assert len(caplog.messages) == 1


def test_curves_are_those_of_the_history_and_the_caption_names_the_model() -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2],
            "loss": [2.0, 1.0],
            "val_loss": [3.0, 4.0],
            "mean_iou": [0.25, 0.5],
            "val_mean_iou": [0.125, 0.25],
            "learning_rate": [0.1, 0.2],
            "seconds": [30.0, 31.0],
        }
    )
    figure = nodes.draw_curves(history, model_record(run="v9"))
    losses, ious, _ = figure.axes
    assert [line.get_ydata().tolist() for line in losses.lines[:2]] == [[2, 1], [3, 4]]
    assert [line.get_ydata().tolist() for line in ious.lines[:2]] == [[0.25, 0.5], [0.125, 0.25]]
    assert figure.get_supxlabel().startswith("segnet_model v9, prepared_scenes v1")


def test_the_diagram_is_that_of_the_network_and_the_caption_names_the_model() -> None:
    figure = nodes.draw_network(TrainedSegNet(build_network((8, 16), 3, TINY), model_record(run="v9")))
    texts = [each.get_text() for each in figure.findobj(Text)]
    assert any(text.startswith("classifier\n8 x 16\n") and text.endswith("\n3") for text in texts)
    assert figure.get_supxlabel().startswith(
        f"segnet_model v9, prepared_scenes {WHOLE['learnt_from']['prepared_scenes']['version']}"
    )
