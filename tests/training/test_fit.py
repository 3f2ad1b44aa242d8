import os
import signal
import subprocess
import sys
import threading
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import ops
from scipy.special import logsumexp
from sklearn.metrics import jaccard_score

from model_records import model_record
from roadseg.errors import InputError
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import PreparedScene
from roadseg.segnet.device import choose_placement
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.trained import STATE
from roadseg.training import fit as training
from roadseg.training.augmentation import AugmentationOptions
from roadseg.training.callbacks import FiniteLoss, TrainingInterruptedError
from roadseg.training.continuation import EarlierTraining
from roadseg.training.fit import TrainingData, TrainingOutputs, train_network
from roadseg.training.losses import choose_loss
from roadseg.training.recipe import PlateauOptions, Recipe
from training.options import train_options

SIZE = (32, 32)
MIRRORED = AugmentationOptions(flip=True, scale=(1.0, 1.0), saturation=0.0, gamma=1.0)


def options(**changes):
    return train_options(**{"learning_rate": 0.01, "augmentation": MIRRORED} | changes)


@pytest.fixture
def scenes(in_memory):
    """Six scenes of bright and dark halves, the label map saying which."""
    random = np.random.default_rng(0)
    made = {}
    for number in range(6):
        label_map = np.zeros(SIZE, np.uint8)
        label_map[:, : random.integers(8, 24)] = 2
        image = (np.repeat(label_map[..., None], 3, 2) * 100 + random.integers(0, 40, (*SIZE, 3))).astype(np.uint8)
        made[f"drive_{number}"] = PreparedScene(image, label_map, raw_size=SIZE)
    return in_memory(made)


def network_options(momentum=0.5, dropout=0.0):
    return NetworkOptions(
        architecture="segnet", width=0.01, dropout=dropout, batch_norm_momentum=momentum, start="random"
    )


def train(scenes, tmp_path, momentum=0.5, dropout=0.0, earlier=None, **changes):
    ids = list(scenes)
    chosen = options(**changes)
    return train_network(
        TrainingData(scenes, ids[:4], ids[4:]),
        Recipe(network_options(momentum, dropout), chosen, seed=1),
        choose_placement(chosen),
        TrainingOutputs(tmp_path / "state", tmp_path / "tensorboard", Palette(scenes.classes)),
        earlier,
    )


def readers():
    """Returns the threads that read scenes ahead."""
    return {each for each in threading.enumerate() if each.name.startswith("scene_reader")}


STANDSTILL = {
    "momentum": 0.9999999,
    "epochs": 9,
    "learning_rate": 1e-12,
    "schedule": "plateau",
    "plateau": PlateauOptions(factor=0.5, patience=1, floor=0.2e-12),
    "early_stopping_patience": 4,
}
"""Nothing is learnt at this rate, and the moving statistics stand still: the first epoch stays the best one."""


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("muon", marks=pytest.mark.slow)])
def test_the_network_is_that_of_the_best_epoch_and_its_score_that_of_all_validation_pixels(scenes, tmp_path, optimizer):
    of_others = readers()
    trained = train(scenes, tmp_path, optimizer=optimizer)
    network, history = trained.network, trained.history
    assert not trained.is_interrupted
    assert readers() <= of_others
    assert not network.compiled  # its state keeps the optimizer
    assert list(history["epoch"]) == [1, 2, 3]
    assert list(history["learning_rate"]) == pytest.approx([0.01] * 3)
    images, truth = zip(*(scenes.read_pair(scene) for scene in list(scenes)[4:]), strict=True)
    truth, predicted = np.ravel(truth), network.predict(np.stack(images), verbose=0).argmax(-1).ravel()
    occurring = sorted({*truth, *predicted})
    expected = jaccard_score(truth, predicted, labels=occurring, average="macro")
    assert history["val_mean_iou"].max() == pytest.approx(expected, abs=1e-6)
    assert list((tmp_path / "tensorboard").rglob("events.*"))


@pytest.mark.slow
def test_a_plateau_lowers_the_learning_rate_and_then_ends_the_training(scenes, tmp_path):
    history = train(scenes, tmp_path, **STANDSTILL).history
    assert list(history["learning_rate"] * 1e12) == pytest.approx([1, 1, 0.5, 0.25, 0.2], rel=1e-5)


@pytest.mark.parametrize(
    ("published", "why"),
    [
        ({}, "but it has none; see"),
        (
            {4: "validation", 5: "validation"},
            "but it has none: none of the 2 scenes published as validation has labels",
        ),
        ({3: "validation", 4: "validation", 5: "test"}, "but it has none; see"),  # the first of them has labels
    ],
)
def test_a_split_without_scenes_is_named_and_said_to_be_there_without_labels(scenes, published, why):
    for number, row in enumerate(scenes.rows):
        row["published_split"] = published.get(number, "train")
        row["pixels"] = row["pixels"] if number < 4 else None
    with pytest.raises(InputError, match=f"scenes in the split 'validation', {why}"):
        TrainingData(scenes, list(scenes)[:4], [])


def test_class_weights_follow_from_the_training_scenes_alone(scenes, tmp_path, monkeypatch):
    given = []

    def keep(loss_options, class_weights):
        given.extend(class_weights)
        return choose_loss(loss_options, class_weights)

    monkeypatch.setattr(training, "choose_loss", keep)
    weighted = {"class_weights": "median_frequency", "class_weight_limit": 9.0}
    loss = options().loss.model_copy(update=weighted)
    train(scenes, tmp_path, loss=loss, epochs=1)
    shares = [np.mean([scenes.read_pair(scene)[1] == each for scene in list(scenes)[:4]]) for each in (0, 2)]
    # Classes 0 and 2 are in each scene, class 1 in none; the median of two is their mean.
    assert given == pytest.approx([0.5 / shares[0], 9, 0.5 / shares[1]], abs=1e-4)
    assert abs(shares[0] - np.mean([scenes.read_pair(scene)[1] == 0 for scene in scenes])) > 0.001


@pytest.mark.slow
def test_averaged_weights_are_what_is_validated_and_saved(scenes, tmp_path, monkeypatch):
    end, after_steps = FiniteLoss.on_train_batch_end, []

    def on_train_batch_end(self, batch, logs=None):
        end(self, batch, logs)
        after_steps.append([np.array(each) for each in self.model.trainable_variables])

    monkeypatch.setattr(FiniteLoss, "on_train_batch_end", on_train_batch_end)
    changes = {"optimizer": "sgd", "sgd_momentum": 0.0, "batch_size": 1, "epochs": 1, "weight_average": 0.75}
    trained = train(scenes, tmp_path, **changes)
    assert len(after_steps) == 4
    average = after_steps[0]
    for weights in after_steps[1:]:
        average = [0.75 * mine + 0.25 * theirs for mine, theirs in zip(average, weights, strict=True)]
    for mine, theirs, last in zip(trained.network.trainable_variables, average, after_steps[-1], strict=True):
        np.testing.assert_allclose(np.array(mine), theirs, rtol=1e-5, atol=1e-7, err_msg=mine.path)
        assert np.any(np.array(mine) != last), mine.path
    images, truth = zip(*(scenes.read_pair(scene) for scene in list(scenes)[4:]), strict=True)
    logits = trained.network.predict(np.stack(images), verbose=0)
    losses = logsumexp(logits, axis=-1) - np.take_along_axis(logits, np.stack(truth)[..., None], -1)[..., 0]
    assert trained.history["val_loss"].item() == pytest.approx(losses.mean(), rel=1e-5)


def test_the_policy_of_a_training_does_not_outlast_it(scenes):
    ids, chosen = list(scenes), options(precision="bfloat16")
    recipe = Recipe(network_options(), chosen, seed=1)
    network = training._build(TrainingData(scenes, ids[:4], ids[4:]), recipe, choose_placement(chosen))
    assert network.get_layer("encoder1_conv1").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_a_trial_is_never_longer_than_a_training():
    assert options(epochs=5, trial_epochs=2).shortened().epochs == 2
    assert options(epochs=1, trial_epochs=2).shortened().epochs == 1


class Killed(Exception):
    pass


def train_until(scenes, tmp_path, epoch, step, **changes):
    """Trains, and dies in a step of an epoch, both from 0."""
    end = FiniteLoss.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        end(self, batch, logs)
        if (self._epoch, batch) == (epoch, step):
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FiniteLoss, "on_train_batch_end", on_train_batch_end)
        with pytest.raises(Killed):
            train(scenes, tmp_path, **changes)


def same(trained, whole):
    """Compares two trainings bit by bit, but for the time that they took."""
    for mine, theirs in zip(trained.network.variables, whole.network.variables, strict=True):
        np.testing.assert_array_equal(np.array(mine), np.array(theirs), err_msg=mine.path)
    mine, theirs = (each.history.drop(columns=["seconds", "images_per_second"]) for each in (trained, whole))
    pd.testing.assert_frame_equal(mine, theirs)


MUON = {"optimizer": "muon", "schedule": "cosine", "epochs": 5, "dropout": 0.3, "weight_average": 0.8, "cache": True}


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [MUON, MUON | {"jit_compile": True}, STANDSTILL],
    ids=["muon, cosine, dropout, averaged weights, cache", "the same compiled", "adam, plateau, early stopping"],
)
def test_killed_twice_it_goes_on_and_ends_as_one_that_was_not(scenes, tmp_path, changes):
    whole = train(scenes, tmp_path / "whole", **changes)
    for epoch, step in ((2, 1), (3, 0)):
        train_until(scenes, tmp_path / "killed", epoch, step, **changes)
    same(train(scenes, tmp_path / "killed", **changes), whole)


def ended(trained, path):
    """Returns a training that has ended, as its model keeps it."""
    trained.network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(STATE, trained.state)
    best = int(trained.history["epoch"][trained.history["val_mean_iou"].argmax()])
    record = model_record(training={"epochs": len(trained.history), "best_epoch": best})
    return EarlierTraining("v1", record, str(path), lambda: path.open("rb"))


MUON_ON_A_PLATEAU = MUON | {"schedule": "plateau", "early_stopping_patience": 9}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "epochs"),
    [(MUON_ON_A_PLATEAU, 2), (STANDSTILL, 3)],
    ids=["muon, plateau, dropout, averages", "adam, plateau, early stopping, best epoch before, killed"],
)
def test_going_on_for_more_epochs_it_ends_as_one_that_had_them_from_the_beginning(scenes, tmp_path, changes, epochs):
    whole = train(scenes, tmp_path / "whole", **changes)
    first = train(scenes, tmp_path / "first", **changes | {"epochs": epochs})
    earlier = ended(first, tmp_path / "first.keras")
    if changes is STANDSTILL:
        train_until(scenes, tmp_path / "more", epochs + 1, 0, earlier=earlier, **changes)
    more = train(scenes, tmp_path / "more", earlier=earlier, **changes)
    same(more, whole)
    assert len(more.history) > epochs


@pytest.mark.slow
def test_a_falling_rate_goes_on_as_if_all_epochs_had_been_planned(scenes, tmp_path):
    falling = {"schedule": "polynomial", "polynomial_power": 1.0, "warm_up": 0.0}
    first = train(scenes, tmp_path / "first", epochs=1, **falling)
    more = train(scenes, tmp_path / "more", epochs=3, earlier=ended(first, tmp_path / "first.keras"), **falling)
    # Two steps an epoch: the rates of steps 0, 2 and 4, the last two of six.
    assert list(more.history["learning_rate"]) == pytest.approx([0.01, 0.01 * 4 / 6, 0.01 * 2 / 6])


@pytest.mark.slow
def test_on_jax_too_it_goes_on_and_ends_as_one_that_was_not():
    tests = [
        "killed_twice_it_goes_on_and_ends_as_one_that_was_not[muon, cosine, dropout, averaged weights, cache]",
        "going_on_for_more_epochs_it_ends_as_one_that_had_them_from_the_beginning[muon, plateau, dropout, averages]",
    ]
    command = [sys.executable, "-m", "pytest", "-x", *(f"{__file__}::test_{test}" for test in tests)]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert " 2 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_killed_in_the_first_epoch_it_starts_from_the_beginning(scenes, tmp_path):
    whole = train(scenes, tmp_path / "whole")
    train_until(scenes, tmp_path / "killed", 0, 1)
    same(train(scenes, tmp_path / "killed"), whole)


@pytest.mark.slow
def test_killed_after_the_last_epoch_it_trains_no_more(scenes, tmp_path, monkeypatch):
    whole = train(scenes, tmp_path, early_stopping_patience=1, learning_rate=1e-12, momentum=0.9999999, epochs=9)
    assert len(whole.history) == 2
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it trains"))
    same(train(scenes, tmp_path, early_stopping_patience=1, learning_rate=1e-12, momentum=0.9999999, epochs=9), whole)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["best weights", "state"])
def test_kill_while_the_state_is_written_costs_that_epoch_alone(scenes, tmp_path, moment):
    whole = train(scenes, tmp_path / "whole")
    state = tmp_path / "killed" / "state"
    train_until(scenes, tmp_path / "killed", 2, 1)
    # What a kill in the middle of writing epoch 3 leaves behind.
    half = "epoch0003.weights.h5" if moment == "best weights" else "state.npz.part"
    (state / half).write_bytes(b"half")
    same(train(scenes, tmp_path / "killed"), whole)
    assert len(list(state.glob("*.weights.h5"))) == 1


@pytest.mark.slow
def test_ctrl_c_ends_the_training_with_its_best_epoch_and_it_can_go_on(scenes, tmp_path, monkeypatch, caplog):
    whole = train(scenes, tmp_path / "whole")
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        end = FiniteLoss.on_train_batch_end

        def press(self, batch, logs=None):
            end(self, batch, logs)
            if (self._epoch, batch) == (2, 0):
                signal.raise_signal(signal.SIGINT)

        patch.setattr(FiniteLoss, "on_train_batch_end", press)
        stopped = train(scenes, tmp_path / "stopped")
    assert stopped.is_interrupted
    assert list(stopped.history["epoch"]) == [1, 2]
    assert signal.getsignal(signal.SIGINT) is before
    assert caplog.text.count("with its best epoch so far") == 1
    with monkeypatch.context() as patch:  # the epochs before a kill count, too
        patch.setattr(FiniteLoss, "on_train_batch_end", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        assert list(train(scenes, tmp_path / "stopped").history["epoch"]) == [1, 2]
    assert caplog.text.count("with its best epoch so far") == 2
    same(train(scenes, tmp_path / "stopped"), whole)


def test_ctrl_c_in_the_first_epoch_has_nothing_to_keep_and_says_so(scenes, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(FiniteLoss, "on_train_batch_end", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    of_others = readers()
    with pytest.raises(TrainingInterruptedError) as interrupt:
        train(scenes, tmp_path)
    assert isinstance(interrupt.value, KeyboardInterrupt)  # by which the session tells it from a fault
    assert readers() <= of_others
    assert "and so does the run, because no epoch is finished" in caplog.text


def test_loss_that_is_not_a_number_is_named_with_its_scenes(scenes, tmp_path, monkeypatch):
    def not_a_number(truth, logits):
        return ops.mean(logits) * np.nan

    monkeypatch.setattr(training, "choose_loss", lambda *_: not_a_number)
    with pytest.raises(ValueError, match=r"the loss is nan in epoch 1, step 1 \(scenes drive_\d, drive_\d\)"):
        train(scenes, tmp_path, cache=True)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


def test_last_step_of_an_epoch_that_breaks_the_weights_is_not_kept(scenes, tmp_path):
    with pytest.raises(ValueError, match=r"the validation loss is (nan|inf) after epoch 1; try a lower train.learning"):
        train(scenes, tmp_path, optimizer="sgd", learning_rate=1e38, batch_size=4)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("batch_size", "devices", "advice"),
    [
        (5, 1, "train.batch_size=2, or a smaller network.width or prepare.image_size"),
        (1, 1, "a smaller network.width or prepare.image_size"),
        (6, 2, "train.batch_size=2, or a smaller network.width or prepare.image_size"),
        (2, 2, "a smaller network.width or prepare.image_size"),
    ],
)
def test_advice_is_a_batch_that_the_devices_can_share(batch_size, devices, advice):
    assert training._advise_less_memory(options(batch_size=batch_size, devices=devices)) == advice


def test_memory_that_runs_out_is_told_with_what_did_not_fit(scenes, tmp_path, monkeypatch):
    def fit(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(keras.Model, "fit", fit)
    words = r"memory ran out with train.batch_size 2, network.width 0.01 and images of 32 x 32 on cpu:0; try "
    with pytest.raises(MemoryError, match=words + "train.batch_size=1"):
        train(scenes, tmp_path)
