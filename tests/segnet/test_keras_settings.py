"""Keras' own settings: those that can't train are told in a sentence, and the others change no network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roadseg.segnet.keras_settings import start_keras

NETWORK = """
from roadseg.segnet import keras
from roadseg.segnet.network import NetworkOptions, build_network
options = NetworkOptions(architecture="segnet", start="random", width=0.03, dropout=0.0, batch_norm_momentum=0.9)
network = build_network((32, 48), 3, options)
network.compile(loss=keras.losses.SparseCategoricalCrossentropy())
print(network.output_shape, network.layers[2].compute_dtype, network.loss.dtype, keras.config.epsilon())
"""


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' file of settings, which is not there yet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return tmp_path / "keras.json"


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [("pytorch", "torch"), ("Jax", "jax"), ("TensorFlow", "tensorflow"), ("numpy", "tensorflow or jax or torch")],
)
def test_backend_that_is_none_is_named_with_what_may_be_meant(
    name: str, meant: str, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text(json.dumps({"backend": name}))
    with pytest.raises(ValueError, match=f"^'{settings}' names the unknown backend '{name}'; did you mean {meant}\\?$"):
        start_keras()
    monkeypatch.setenv("KERAS_BACKEND", name)
    with pytest.raises(
        ValueError, match=f"^KERAS_BACKEND names the unknown backend '{name}'; did you mean {meant}\\?$"
    ):
        start_keras()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"backend": ', r"is not valid JSON: Expecting value: .*; correct or remove it$"),
        ('\ufeff{"backend": "jax"}', "is not valid JSON: "),
        ('["jax"]', r": expected an object such as \{\"backend\": \"jax\"\}, found \['jax'\]$"),
        ('{"backend": null}', "names the unknown backend 'None'"),
    ],
)
def test_settings_that_keras_would_pass_over_are_refused(content: str, sentence: str, settings: Path) -> None:
    settings.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^'{settings}' ?{sentence}"):
        start_keras()


def test_settings_of_which_another_process_has_written_nothing_yet_say_nothing(settings: Path) -> None:
    settings.touch()
    start_keras()


def test_settings_that_keras_refuses_are_named(settings: Path) -> None:
    settings.write_text('{"floatx": "bfloat16"}')
    done = run("import roadseg.segnet")
    assert f"InputError: Keras can't start with the settings in '{settings}': Invalid `floatx`" in done.stderr


def test_backend_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("raise ImportError('there is no PyTorch here')\n")
    done = run("import roadseg.segnet", KERAS_BACKEND="torch", PYTHONPATH=str(tmp_path))
    message = done.stderr.splitlines()[-1]
    assert message.startswith(
        "roadseg.errors.InputError: KERAS_BACKEND names the backend 'torch', with which Keras can't start (there"
    )
    assert "install what is missing, or set KERAS_BACKEND to tensorflow" in message


def test_format_and_numbers_are_the_projects_own(settings: Path) -> None:
    settings.write_text(json.dumps({"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.1}))
    done = run(NETWORK, KERAS_BACKEND="tensorflow")  # as the message above advises
    assert done.stdout == "(None, 32, 48, 3) float32 float32 1e-07\n", done.stderr
