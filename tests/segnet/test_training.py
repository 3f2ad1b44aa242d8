import keras
import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from roadseg.scenes.prepared import PreparedScene
from roadseg.segnet import training
from roadseg.segnet.augmentation import AugmentationOptions
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.optimizer import ConvolutionMuon
from roadseg.segnet.training import PlateauOptions, TrainOptions, train_network

SIZE = (32, 32)


def options(**changes) -> TrainOptions:
    given = {
        "device": "cpu",
        "precision": "float32",
        "epochs": 3,
        "trial_epochs": 2,
        "batch_size": 2,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "schedule": "constant",
        "plateau": PlateauOptions(factor=0.5, patience=1, floor=0.001),
        "early_stopping_patience": None,
        "class_weight_limit": None,
        "augmentation": AugmentationOptions(flip=True, zoom=1.0, colour=0.0),
    }
    return TrainOptions(**{**given, **changes})


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


def train(scenes, tmp_path, momentum=0.5, **changes):
    ids = list(scenes)
    return train_network(
        scenes,
        {"train": ids[:4], "validation": ids[4:]},
        network_options=NetworkOptions(width=0.01, dropout=0.0, batch_norm_momentum=momentum),
        options=options(**changes),
        seed=1,
        state_folder=tmp_path / "state",
        log_folder=tmp_path / "tensorboard",
    )


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_the_network_is_that_of_the_best_epoch_and_its_score_that_of_all_validation_pixels(scenes, tmp_path, optimizer):
    network, history = train(scenes, tmp_path, optimizer=optimizer)
    moved_by_muon = isinstance(network.optimizer, ConvolutionMuon)
    assert moved_by_muon == (optimizer == "muon")
    assert list(history["epoch"]) == [1, 2, 3]
    assert list(history["learning_rate"]) == pytest.approx([0.01] * 3)
    images, truth = zip(*(scenes.read_pair(scene) for scene in list(scenes)[4:]), strict=True)
    truth, predicted = np.ravel(truth), network.predict(np.stack(images), verbose=0).argmax(-1).ravel()
    occurring = sorted({*truth, *predicted})
    expected = jaccard_score(truth, predicted, labels=occurring, average="macro")
    assert history["val_mean_iou"].max() == pytest.approx(expected, abs=1e-6)
    assert list((tmp_path / "tensorboard").rglob("events.*"))


def test_a_plateau_lowers_the_learning_rate_and_then_ends_the_training(scenes, tmp_path):
    # Nothing is learnt at this rate, and the moving statistics stand still: the first epoch stays the best one.
    _, history = train(
        scenes,
        tmp_path,
        momentum=0.9999999,
        epochs=9,
        learning_rate=1e-12,
        schedule="plateau",
        plateau=PlateauOptions(factor=0.5, patience=1, floor=0.2e-12),
        early_stopping_patience=4,
    )
    assert list(history["learning_rate"] * 1e12) == pytest.approx([1, 1, 0.5, 0.25, 0.2], rel=1e-5)


def test_a_split_without_scenes_is_named(scenes, tmp_path):
    with pytest.raises(ValueError, match="scenes in the split 'validation', there are none"):
        train_network(
            scenes,
            {"train": list(scenes), "validation": []},
            network_options=NetworkOptions(width=0.01, dropout=0.0, batch_norm_momentum=0.5),
            options=options(),
            seed=1,
            state_folder=tmp_path,
            log_folder=tmp_path,
        )


def test_cosine_warms_up_for_a_twentieth_of_the_steps_and_falls_to_zero():
    schedule = training._learning_rate(options(schedule="cosine", learning_rate=0.1), steps=100)
    rates = [float(schedule(step)) for step in (0, 5, 5 + 95 // 2, 100)]
    assert rates == pytest.approx([0.02, 0.1, 0.05 * (1 + np.cos(np.pi * 47 / 95)), 0.0], abs=1e-6)


def test_the_policy_of_a_training_does_not_outlast_it(scenes):
    network = training._build(
        scenes, NetworkOptions(width=0.01, dropout=0, batch_norm_momentum=0.5), "mixed_bfloat16", 1
    )
    assert network.get_layer("encoder1_conv1").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_a_trial_is_never_longer_than_a_training():
    assert options(epochs=5, trial_epochs=2).shortened().epochs == 2
    assert options(epochs=1, trial_epochs=2).shortened().epochs == 1
