"""Two devices that share each batch: virtual ones of the processor, in a process of their own."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

SCRIPT = """
import json, sys
from pathlib import Path

import keras
import numpy as np

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.segnet.device import choose_placement
from roadseg.segnet.network import NetworkOptions
from roadseg.training.fit import TrainingData, TrainingOutputs, train_network
from roadseg.training.recipe import Recipe
from training.options import train_options


class Scenes:
    classes = tuple(SegmentationClass(name=name, colour=(0, 0, 0)) for name in "abc")
    image_size = (16, 24)

    def read_pair(self, scene):
        random = np.random.default_rng(int(scene))
        label_map = random.integers(0, 3, self.image_size).astype(np.uint8)
        label_map[: int(scene)] = 255  # one image has more void than another
        return (label_map[..., None] * 50 + random.integers(0, 40, (*self.image_size, 3))).astype(np.uint8), label_map


def train(devices):
    options = train_options(
        devices=devices, epochs=2, batch_size=4, optimizer=sys.argv[2], learning_rate=0.0001, weight_average=0.5
    )
    network = NetworkOptions(architecture="segnet", width=0.01, dropout=0.0, batch_norm_momentum=0.5, start="random")
    folder = Path(sys.argv[1])
    trained = train_network(
        TrainingData(Scenes(), list("01234567"), list("89")),
        Recipe(network, options, seed=1),
        choose_placement(options),
        TrainingOutputs(folder / f"state{devices}", folder / f"log{devices}", Palette(Scenes.classes)),
    )
    trained.network.save(folder / f"{devices}.keras")
    return trained.history[["loss", "val_loss", "mean_iou", "val_mean_iou"]].to_dict("list")


print(json.dumps([train(1), train(2)]))
"""


def describe(path):
    """Yields what the file of a model says of each layer; `synchronized` there would stop Keras on JAX and PyTorch."""
    with zipfile.ZipFile(path) as archive:
        for layer in json.loads(archive.read("config.json"))["config"]["layers"]:
            del layer["config"]["dtype"]  # holds an address in memory
            yield layer["config"]


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "optimizer"), [("tensorflow", "sgd"), ("tensorflow", "muon"), ("jax", "sgd")])
# At higher rates rounding alone moves the second epoch by more than 1e-5; at none, its val_loss is 1e-3 away.
def test_two_devices_learn_what_one_learns(tmp_path, backend, optimizer):
    environment = {
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), optimizer],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one, two = json.loads(done.stdout.splitlines()[-1])
    for name in ("loss", "val_loss"):
        assert two[name] == pytest.approx(one[name], abs=1e-5), name
    for name in ("mean_iou", "val_mean_iou"):  # rounding turns a pixel or two of so few
        assert two[name] == pytest.approx(one[name], abs=0.005), name
    assert list(describe(tmp_path / "2.keras")) == list(describe(tmp_path / "1.keras"))
