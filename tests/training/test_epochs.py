"""Each scene once an epoch, whatever Keras runs on: in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys

import keras
import numpy as np
from keras import ops

if sys.argv[1] == "2":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from roadseg.training.augmentation import AugmentationOptions
from roadseg.segnet.device import Placement, placed_on
from roadseg.training.feeding import SceneBatches, Shuffle


class Scenes:
    def read_pair(self, scene):
        return np.full((2, 2, 3), int(scene), np.uint8), np.zeros((2, 2), np.uint8)


def powers(truth, pixels):  # every sum of these says how often each scene is in it
    return ops.mean(3.0 ** pixels, axis=(1, 2, 3))


devices = int(sys.argv[1])
with placed_on(Placement(tuple(f"cpu:{number}" for number in range(devices)), "float32", False)):
    images = keras.Input((2, 2, 3))
    network = keras.Model(images, keras.layers.DepthwiseConv2D(1, depthwise_initializer="ones")(images))
    network.compile(keras.optimizers.SGD(0.0), powers, jit_compile=False)
    ids = [str(number) for number in range(12)]
    options = AugmentationOptions(flip=False, scale=(1.0, 1.0), saturation=0.0, gamma=1.0)
    training = SceneBatches(Scenes(), ids, devices, shuffle=Shuffle(1, options))
    validation = SceneBatches(Scenes(), ids[:10], devices)
    history = network.fit(training, validation_data=validation, epochs=3, shuffle=False, verbose=0).history
print(json.dumps(history))
"""


@pytest.mark.parametrize(
    ("backend", "devices"), [("jax", 1), *(pytest.param("tensorflow", each, marks=pytest.mark.slow) for each in (1, 2))]
)
def test_each_scene_is_trained_on_and_validated_once_an_epoch(backend, devices):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(devices)],
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    history = json.loads(done.stdout.splitlines()[-1])
    assert history["loss"] == pytest.approx([sum(3**number for number in range(12)) / 12] * 3, rel=1e-6)
    assert history["val_loss"] == pytest.approx([sum(3**number for number in range(10)) / 10] * 3, rel=1e-6)
