"""What a training must have in common with its beginning to go on; that it does is tested in test_training.py."""

import json
import zipfile

import pytest

from model_records import model_record
from roadseg.segnet.network import NetworkOptions
from roadseg.segnet.trained import STATE, WEIGHTS
from roadseg.training import continuation
from roadseg.training.continuation import EarlierTraining
from roadseg.training.recipe import Recipe
from training.options import train_options

NETWORK = NetworkOptions(architecture="segnet", width=0.25, dropout=0.0, batch_norm_momentum=0.9, start="random")


@pytest.fixture
def earlier(tmp_path):
    """A training of three epochs, the first the best, whose parameters are those of `train_options` and `NETWORK`."""
    path = tmp_path / "segnet.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(WEIGHTS, b"weights")
        archive.writestr(STATE, b"state")
    parameters = {
        "train": train_options().model_dump(mode="json"),
        "network": NETWORK.model_dump(mode="json"),
        "seed": 1,
    }
    record = model_record(parameters=parameters, training={"epochs": 3, "best_epoch": 1})
    return EarlierTraining("v3", record, str(path), lambda: path.open("rb"))


def refuse(earlier, seed=1, network=NETWORK, **changes):
    with pytest.raises(ValueError, match=r"^train\.continue_from: ") as refusal:
        earlier.check(train_options(**{"epochs": 4} | changes), network, seed)
    return str(refusal.value).removeprefix("train.continue_from: ")


def test_what_computes_it_and_how_long_it_takes_may_differ(earlier):
    others = {"precision": "bfloat16", "jit_compile": True, "device": "auto", "cache": True, "trial_epochs": 9}
    earlier.check(train_options(epochs=4, continue_from="v3", early_stopping_patience=3, **others), NETWORK, 1)


def test_what_else_differs_is_named_with_both_values_and_what_to_do_instead(earlier):
    dropping = NETWORK.model_copy(update={"dropout": 0.5})
    scaled = train_options().augmentation.model_copy(update={"scale": (0.5, 2.0)})
    sentence = refuse(earlier, seed=2, network=dropping, optimizer="sgd", augmentation=scaled)
    assert sentence == (
        'the training of v3 cannot be continued: it has train.optimizer "adam", here "sgd"; '
        "train.augmentation.scale [1.0, 1.0], here [0.5, 2.0]; network.dropout 0.0, here 0.5; seed 1, here 2. "
        f"To start a new training from its weights, replace train.continue_from by network.start={earlier.path}"
    )


@pytest.mark.parametrize(("name", "value"), [("width", 0.5), ("architecture", "segnet_basic")])
def test_weights_that_do_not_fit_the_network_are_no_advice(earlier, name, value):
    sentence = refuse(earlier, network=NETWORK.model_copy(update={name: value}), optimizer="sgd")
    assert sentence.endswith(f", here {json.dumps(value)}. To train this network, leave out train.continue_from")


def test_a_recipe_names_the_training_that_goes_on_and_starts_from_no_file(earlier):
    started = NETWORK.model_copy(update={"start": "vgg16.h5", "width": 0.5})
    adapted = earlier.adapt(Recipe(started, train_options(epochs=4, continue_from="latest"), 7))
    wider = NETWORK.model_copy(update={"width": 0.5})
    assert adapted == Recipe(wider, train_options(epochs=4, continue_from="v3"), 7)


def test_an_option_that_its_record_lacks_differs_unless_older_trainings_had_this_value_in_effect(earlier, monkeypatch):
    del earlier.record.parameters["train"]["weight_average"]
    del earlier.record.parameters["train"]["plateau"]
    sentence = refuse(earlier)
    assert "it has no train.plateau.factor, here 0.5; no train.plateau.patience, here 1; no train.pl" in sentence
    assert "; no train.weight_average, here null. To start" in sentence
    plateau = {"train.plateau.factor": 0.5, "train.plateau.patience": 1, "train.plateau.floor": 0.001}
    monkeypatch.setattr(continuation, "ADDED", plateau | {"train.weight_average": None})
    earlier.check(train_options(epochs=4), NETWORK, 1)
    assert "it has train.weight_average null, here 0.9. To" in refuse(earlier, weight_average=0.9)


def test_no_more_epochs_than_it_has_had(earlier):
    sentence = refuse(earlier, epochs=3)
    assert sentence.startswith("the training of v3 has had 3 epochs: set train.epochs above that ")
    assert sentence.endswith("(with scenes.limit also train.trial_epochs), received 3")


def test_early_stopping_that_would_end_it_at_once(earlier):
    assert refuse(earlier, early_stopping_patience=2) == (
        "the best of the 3 epochs of the training of v3 is epoch 1, so early stopping would end it at once: "
        "train.early_stopping_patience must be above 2, or null, received 2"
    )


def test_a_model_that_keeps_no_state(earlier):
    with zipfile.ZipFile(earlier.path, "w") as archive:
        archive.writestr(WEIGHTS, b"weights")
    assert (
        "cannot be continued: its model file has no training state. To start a new training from its weights, "
        in refuse(earlier)
    )


def test_other_data_is_named(earlier):
    earlier.check_data({"prepared_scenes": "0a", "split_table": "0b"})
    with pytest.raises(ValueError, match=r"used other data: split_table differs$"):
        earlier.check_data({"prepared_scenes": "0a", "split_table": "0c"})


def test_its_state_gets_its_name_when_all_is_there(earlier, tmp_path):
    earlier.unpack(tmp_path)
    assert (tmp_path / "epoch0001.weights.h5").read_bytes() == b"weights"
    assert (tmp_path / "state.npz").read_bytes() == b"state"
    assert not list(tmp_path.glob("*.part"))
