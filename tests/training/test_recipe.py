import math

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from roadseg.training.recipe import choose_optimizer, choose_steering_callbacks
from training.options import train_options as options


def move(gradients, **changes):
    """Returns a kernel and a bias, both 1 at the start, after one step for each gradient."""
    optimizer = choose_optimizer(options(**changes), steps=10)
    variables = [
        keras.Variable(np.ones((1, 1, 1, 2), "float32"), name="kernel"),
        keras.Variable([1.0, 1.0], name="bias"),
    ]
    optimizer.build(variables)
    for gradient in gradients:
        optimizer.apply([keras.ops.full(each.shape, gradient) for each in variables])
    return [np.ravel(each) for each in variables], optimizer


def test_sgd_takes_nesterovs_momentum():
    # velocity -0.1, then 0.5 * -0.1 - 0.1 = -0.15; Nesterov steps by 0.5 * velocity - 0.1
    (kernel, bias), _ = move([1.0, 1.0], optimizer="sgd")
    np.testing.assert_allclose(kernel, 1 - 0.15 - 0.175, rtol=1e-6)
    np.testing.assert_allclose(bias, 1 - 0.15 - 0.175, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
def test_weight_decay_takes_its_share_of_kernels_alone(optimizer):
    (kernel, bias), _ = move([0.0], optimizer=optimizer, weight_decay=0.2)
    np.testing.assert_allclose(kernel, 1 - 0.1 * 0.2, rtol=1e-6)
    np.testing.assert_allclose(bias, 1, rtol=1e-6)


def test_adam_decays_nothing_and_refuses_to_seem_so():
    np.testing.assert_allclose(move([0.0])[0][0], 1, rtol=1e-6)
    with pytest.raises(ValidationError, match=r"weight_decay is for adamw, muon and sgd, received 0.2 with adam"):
        options(weight_decay=0.2)


def test_averaged_weights_follow_at_their_rate():
    # Steps of 0.1: 0.9, then 0.8; the average starts as the first and keeps three quarters.
    _, optimizer = move([1.0, 1.0], optimizer="sgd", sgd_momentum=0.0, weight_average=0.75)
    np.testing.assert_allclose(
        np.ravel(optimizer._model_variables_moving_average[0]), 0.75 * 0.9 + 0.25 * 0.8, rtol=1e-6
    )


@pytest.mark.parametrize("schedule", ["cosine", "polynomial"])
def test_falling_schedules_end_at_zero_at_the_last_step(schedule):
    optimizer = choose_optimizer(options(schedule=schedule, optimizer="sgd"), steps=10)
    optimizer.build([keras.Variable([1.0])])
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-8)


def test_batch_must_be_shared_evenly():
    with pytest.raises(ValidationError, match=r"batch_size must be a multiple of devices \(3\), received 4"):
        options(devices=3, batch_size=4)


def test_plateau_must_have_room_to_fall():
    with pytest.raises(ValidationError, match=r"plateau.floor must be below learning_rate \(0.001\), received 0.001"):
        options(schedule="plateau", learning_rate=0.001)
    assert options(schedule="cosine", learning_rate=0.001).plateau.floor == 0.001


def test_steering_callbacks_are_those_that_are_asked_for():
    assert choose_steering_callbacks(options()) == []
    chosen = choose_steering_callbacks(options(weight_average=0.9, early_stopping_patience=2, schedule="plateau"))
    assert [type(each).__name__ for each in chosen] == ["AveragedWeights", "EarlyStopping", "ReduceLROnPlateau"]


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "rmsprop"},
        {"schedule": "linear"},
        {"learning_rate": math.inf},
        {"plateau": {"factor": 0.5, "patience": 1, "floor": math.inf}},
        {"warm_up": 1.0},
        {"weight_average": 1.0},
        {"weight_decay": -0.1},
        {"sgd_momentum": 1.0},
        {"nesterov": True},
    ],
)
def test_option_out_of_range_or_unknown_is_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        options(**change)
