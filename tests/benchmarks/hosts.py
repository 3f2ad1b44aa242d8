"""The share of time that two hosts lose by waiting for each other: `PYTHONPATH=tests python tests/benchmarks/hosts.py`.

Hosts are processes, each on a core of its own. Each has `--batch-size` scenes of a batch, as one host alone has, so the
difference is waiting: for the gradients of the other host, and for its reading.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from training.hosts import name_hosts


def train(options: argparse.Namespace) -> None:
    """Trains as one host, and prints the images per second of the last epoch."""
    from roadseg.hosts import read_hosts
    from roadseg.meeting import Meeting
    from roadseg.scenes.labels import SegmentationClass
    from roadseg.scenes.palette import Palette
    from roadseg.segnet.device import choose_placement
    from roadseg.segnet.network import NetworkOptions
    from roadseg.training.fit import TrainingData, TrainingOutputs, train_network
    from roadseg.training.recipe import Recipe
    from training.options import train_options

    class Scenes:
        classes = tuple(SegmentationClass(name=name, colour=(0, 0, 0)) for name in "abcdefg")
        image_size = tuple(options.size)

        def read_pair(self, scene: str) -> tuple[np.ndarray, np.ndarray]:
            random = np.random.default_rng(int(scene))
            shape = self.image_size
            return random.integers(0, 255, (*shape, 3), np.uint8), random.integers(0, 7, shape, np.uint8)

    hosts = read_hosts()
    os.sched_setaffinity(0, {hosts.number if hosts else 0})
    batch_size = options.batch_size * (hosts.count if hosts else 1)
    chosen = train_options(epochs=options.epochs, batch_size=batch_size, learning_rate=0.001)
    network = NetworkOptions(
        architecture="segnet", width=options.width, dropout=0.0, batch_norm_momentum=0.9, start="random"
    )
    ids = [str(number) for number in range(batch_size * options.steps)]
    folder = Path(options.folder)
    with Meeting(hosts, lambda fault: None) if hosts else nullcontext() as meeting:
        if meeting:
            meeting.gather("loaded", "")
        trained = train_network(
            TrainingData(Scenes(), ids, ids[:batch_size]),
            Recipe(network, chosen, seed=1),
            choose_placement(chosen),
            TrainingOutputs(folder / "state", folder / "log", Palette(Scenes.classes)),
        )
    print(f"images per second: {trained.history['images_per_second'].iloc[1:].max()}")


def measure(count: int, arguments: list[str]) -> float:
    """Returns the images per second of so many hosts together."""
    with tempfile.TemporaryDirectory() as folder:
        blocked = Path(folder) / "blocked/tensorflow"  # nothing here needs it, and it takes seconds to load
        blocked.mkdir(parents=True)
        (blocked / "__init__.py").write_text("raise ImportError('not here')\n")
        paths = os.pathsep.join([str(blocked.parent), str(Path(__file__).parents[1])])
        common = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": paths}
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "--folder", folder, *arguments],
                env=common | environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for environment in name_hosts(count)
        ]
        outputs = [each.communicate()[0] for each in started]
    return float(outputs[0].rpartition(":")[2])


def main() -> None:
    """Compares one host with two, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=[120, 240], metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--batch-size", type=int, default=4, help="scenes per host and step")
    parser.add_argument("--steps", type=int, default=10, help="per epoch")
    parser.add_argument("--epochs", type=int, default=4, help="the first one does not count")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        train(options)
        return
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for count, measured in rates.items():
            measured.append(measure(count, sys.argv[1:]))
    one, two = (max(measured) for measured in rates.values())
    print(f"one host {one:.1f} images/s, two hosts {two:.1f} images/s: {1 - two / (2 * one):.1%} lost by waiting")


if __name__ == "__main__":
    main()
