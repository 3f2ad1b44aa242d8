"""One host of a training, to be started as a process of its own.

Takes a folder, then options of the training that differ, as `name=value`. Writes there what it reads and learns.
"""

import json
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from roadseg.errors import InputError, RoadSegError
from roadseg.hosts import read_hosts
from roadseg.interruption import TerminatedError, Termination
from roadseg.meeting import Meeting
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.palette import Palette
from roadseg.segnet.device import choose_placement
from roadseg.segnet.network import NetworkOptions
from roadseg.training.fit import Training, TrainingData, TrainingOutputs, train_network
from roadseg.training.recipe import Recipe
from training.options import train_options

FOLDER = Path(sys.argv[1])
NAME = os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "alone")
SECONDS = float(os.environ.get("SECONDS_PER_SCENE", "0"))
BROKEN = os.environ.get("BROKEN_SCENE")


class Scenes:
    classes = tuple(SegmentationClass(name=name, colour=(0, 0, 0)) for name in "abc")
    image_size = (16, 24)

    def read_pair(self, scene):
        time.sleep(SECONDS)
        if scene == BROKEN:
            raise InputError(f"scene {scene} is broken")
        with (FOLDER / f"read_by_{NAME}.txt").open("a") as file:
            file.write(f"{scene}\n")
        return draw_pair(int(scene))


def draw_pair(scene: int):
    random = np.random.default_rng(scene)
    label_map = random.integers(0, 3, Scenes.image_size).astype(np.uint8)
    label_map[:scene] = 255  # one image has more void than another
    return (label_map[..., None] * 50 + random.integers(0, 40, (*Scenes.image_size, 3))).astype(np.uint8), label_map


def train() -> Training:
    changes = {name: json.loads(value) for name, value in (each.split("=") for each in sys.argv[2:])}
    options = train_options(**{"epochs": 2, "batch_size": 4, "learning_rate": 0.0001, "weight_average": 0.5, **changes})
    network = NetworkOptions(
        architecture="segnet_basic", width=0.01, dropout=0.0, batch_norm_momentum=0.5, start="random"
    )
    return train_network(
        TrainingData(Scenes(), list("01234567"), list("8901")),
        Recipe(network, options, seed=1),
        choose_placement(options),
        TrainingOutputs(FOLDER / "state", FOLDER / "log", Palette(Scenes.classes)),
    )


def describe(training: Training) -> dict:
    facts = training.history[["loss", "val_loss", "mean_iou", "val_mean_iou"]].to_dict("list")
    if training.state:  # host 0
        training.network.save(FOLDER / "segnet.keras")
        images = np.stack([draw_pair(scene)[0] for scene in (8, 9)])
        facts["logits"] = training.network.predict(images, verbose=0).mean((0, 1, 2)).tolist()
    return facts


def tell(fault: BaseException) -> str | None:
    return str(fault) if isinstance(fault, RoadSegError) else None


hosts = read_hosts()
try:
    with (
        Termination() as termination,
        Meeting(hosts, tell) if hosts else nullcontext() as meeting,
        termination.heeded(),
    ):
        if meeting:
            meeting.gather("loaded", "")
            meeting.watch()
        (FOLDER / f"learnt_by_{NAME}.json").write_text(json.dumps(describe(train())))
except RoadSegError as fault:
    sys.exit(f"Error: {fault}")
except KeyboardInterrupt as interrupt:
    sys.exit(143 if isinstance(interrupt, TerminatedError) else 130)
