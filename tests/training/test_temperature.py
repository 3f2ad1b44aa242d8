"""Temperatures, beside those that were put into the data."""

import numpy as np
import pytest
from scipy.special import softmax

from roadseg.scenes.labels import VOID
from roadseg.training import temperature
from roadseg.training.temperature import LIMITS, fit_temperature


def draw_scene(generator, size=(60, 80), classes=4, sharpness=3.0):
    """Returns logits, and a label map that is drawn from their softmax: logits that are as sure as they are right."""
    logits = generator.normal(0, sharpness, (*size, classes)).astype(np.float32)
    chances = softmax(logits, axis=-1).cumsum(axis=-1)
    drawn = generator.random((*size, 1)) * chances[..., -1:]
    return logits, (drawn > chances).sum(axis=-1).astype(np.uint8)


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_logits_that_are_too_sure_by_a_factor_have_that_temperature(factor):
    generator = np.random.default_rng(3)
    scenes = [draw_scene(generator) for _ in range(8)]
    found = fit_temperature([(logits * np.float32(factor), truth) for logits, truth in scenes], 8, seed=1)
    assert found == pytest.approx(factor, rel=0.05)


def test_void_says_nothing():
    generator = np.random.default_rng(5)
    logits, truth = draw_scene(generator)
    flat = np.zeros((60, 80, 4), np.float32)
    both = np.concatenate([logits, flat]), np.concatenate([truth, np.full((60, 80), VOID, np.uint8)])
    assert fit_temperature([both], 1, seed=1) == fit_temperature([(logits, truth)], 1, seed=1)
    assert fit_temperature([(flat, np.full((60, 80), VOID, np.uint8))], 1, seed=1) == 1.0


def test_network_that_is_always_right_stays_within_the_limits():
    logits = np.zeros((4, 4, 3), np.float32)
    logits[..., 1] = 5
    found = fit_temperature([(logits, np.ones((4, 4), np.uint8))], 1, seed=1)
    assert LIMITS[0] <= found < 0.5  # below, the cross-entropy is 0 in float32


def test_pixels_that_are_drawn_give_nearly_the_temperature_of_all_and_the_same_each_time(monkeypatch):
    generator = np.random.default_rng(7)
    scenes = [draw_scene(generator) for _ in range(6)]
    whole = fit_temperature(scenes, 6, seed=1)
    monkeypatch.setattr(temperature, "PIXELS", 6 * 1000)
    drawn = [fit_temperature(scenes, 6, seed=1) for _ in range(2)]
    assert drawn[0] == drawn[1] == pytest.approx(whole, rel=0.1)
    assert drawn[0] != whole
