import keras
import numpy as np
import pytest

from roadseg.training.schedule import choose_learning_rate


def rates(kind, steps, at, *, peak=0.1, warm_up=0.05, power=0.9):
    schedule = choose_learning_rate(kind, peak, steps=steps, warm_up=warm_up, power=power)
    return [float(schedule(step)) for step in at]


def test_cosine_rises_for_its_share_of_the_steps_and_falls_to_zero():
    assert rates("cosine", 100, (0, 4, 5, 5 + 19, 100)) == pytest.approx(
        [0.02, 0.1, 0.1, 0.05 * (1 + np.cos(np.pi / 5)), 0.0], abs=1e-7
    )


def test_polynomial_rises_and_falls_to_zero_by_its_power():
    assert rates("polynomial", 100, (0, 4, 5, 5 + 19, 100), power=2.0) == pytest.approx(
        [0.02, 0.1, 0.1, 0.1 * 0.8**2, 0.0], abs=1e-7
    )


@pytest.mark.parametrize("kind", ["cosine", "polynomial"])
def test_without_warm_up_the_first_step_has_the_highest_rate(kind):
    assert rates(kind, 10, (0, 10), warm_up=0.0) == pytest.approx([0.1, 0.0], abs=1e-7)


@pytest.mark.parametrize("kind", ["cosine", "polynomial"])
def test_training_of_one_step_takes_it_at_the_highest_rate(kind):
    assert rates(kind, 1, (0,)) == pytest.approx([0.1])


@pytest.mark.parametrize("kind", ["cosine", "polynomial"])
def test_schedule_survives_its_config(kind):
    schedule = choose_learning_rate(kind, 0.3, steps=20, warm_up=0.2, power=0.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert [float(again(step)) for step in range(21)] == [float(schedule(step)) for step in range(21)]
