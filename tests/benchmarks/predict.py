"""What choosing classes at the size of pictures costs: `make bench`, or `python tests/benchmarks/predict.py`.

All sides turn the same logits of 240x480 into label maps of 1080x1920. The logits are those that a trained network
might have: the classes of drawn scenes, blurred, and a little noise. The plain way resizes all logits and compares
them; another one resizes class by class with OpenCV. The sides take turns; each figure is the median over the rounds
of the mean over the scenes. The last table has logits of noise alone, where classes meet everywhere.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from train import SIZE
from yardsticks import CLASSES

PICTURE_SIZE = (1080, 1920)

Choose = Callable[[Any], Any]


def draw_logits(count: int) -> list[Any]:
    """Returns the logits of so many drawn scenes, (height, width, classes) float32 each."""
    from roadseg.datasets.drawn import DrawnScenesDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.scenes.labels import remap_label_map

    label_space = LabelSpaceDataset(name="seven_classes").load()
    drawn = DrawnScenesDataset(drives=count, frames_per_drive=1, size=SIZE, seed=1).load()
    scenes = (drawn.read(name, SIZE) for name in drawn)
    label_maps = (remap_label_map(scene.label_map, scene.raw_names, label_space)[0] for scene in scenes)
    noises = draw_noise(count)
    return [
        cv2.GaussianBlur(np.eye(256, CLASSES, dtype=np.float32)[label_map], (0, 0), 1.5) * 15 + noise / 10
        for label_map, noise in zip(label_maps, noises, strict=True)
    ]


def draw_noise(count: int) -> list[Any]:
    """Returns logits that are normal noise, (height, width, classes) float32 each."""
    random = np.random.default_rng(1)
    return [random.normal(size=(*SIZE, CLASSES)).astype(np.float32) for _ in range(count)]


def choose_by_opencv(logits: Any) -> Any:
    """Returns the classes of logits that OpenCV resizes class by class."""
    chosen, highest = np.zeros(PICTURE_SIZE, np.uint8), np.full(PICTURE_SIZE, -np.inf, np.float32)
    for index in range(logits.shape[-1]):
        one = np.ascontiguousarray(logits[..., index])
        resized = cv2.resize(one, PICTURE_SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        chosen[resized > highest] = index
        cv2.max(highest, resized, highest)
    return chosen


def milliseconds(choose: Choose, logits: list[Any]) -> tuple[float, float]:
    """Returns wall time and processor time of a call, each the mean over scenes."""
    wall, processor = time.perf_counter(), time.process_time()
    for each in logits:
        choose(each)
    seconds = time.perf_counter() - wall, time.process_time() - processor
    return 1000 * seconds[0] / len(logits), 1000 * seconds[1] / len(logits)


def compare(title: str, sides: dict[str, Choose], logits: list[Any], rounds: int) -> None:
    """Prints a table of the sides; the first one is the plain way."""
    plain, *_ = sides
    chosen = {name: [side(each) for each in logits] for name, side in sides.items()}
    times = [{name: milliseconds(side, logits) for name, side in sides.items()} for _ in range(rounds)]
    print(f"{len(logits)} label maps of {PICTURE_SIZE}, {title} of {SIZE}: milliseconds per label map")
    for name in sides:
        wall, processor = (statistics.median(each[name][which] for each in times) for which in (0, 1))
        share = statistics.median(each[name][1] / each[plain][1] for each in times)
        differing = sum(int((one != other).sum()) for one, other in zip(chosen[name], chosen[plain], strict=True))
        print(f"{name:28}{wall:8.2f}, of processor{processor:8.2f} ({share:.3f}), {differing} pixels differ")


def main() -> None:
    """Reads the command line and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    from roadseg.segnet.class_borders import choose_label_map
    from roadseg.segnet.class_choice import choose_class

    sides = {
        "all logits resized": lambda each: choose_class(each, PICTURE_SIZE)[0],
        "class by class by OpenCV": choose_by_opencv,
        "all logits only at borders": partial(choose_label_map, size=PICTURE_SIZE),
    }
    compare("logits", sides, draw_logits(options.scenes), options.rounds)
    compare("noise", sides, draw_noise(options.scenes // 3), options.rounds)


if __name__ == "__main__":
    main()
