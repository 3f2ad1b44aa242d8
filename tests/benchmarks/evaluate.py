"""What scoring costs beside predicting: `make bench`, or `python tests/benchmarks/evaluate.py --rounds 5`.

Both sides read the same prepared scenes of 240x480 from their PNG files and send them through the same network, of a
quarter of the paper's width, trained a little so that its predictions have the outlines of things. They take turns, so
that whatever else the machine does troubles both alike; each figure is the median of the rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from train import SIZE, our_network
from yardsticks import CLASSES, Case

BATCH = 8
TRAIN_BATCH = 4
MEASURES = ("boundary_f1", "calibration_error")


def prepare(scenes: int, folder: str) -> Any:
    """Returns drawn scenes, prepared in a folder, frame by frame of ever other drives."""
    from kedro.io import Version

    from roadseg.datasets.drawn import DrawnScenesDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.datasets.prepared_scenes import PreparedScenesDataset
    from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

    drawn = DrawnScenesDataset(drives=scenes, frames_per_drive=1, size=SIZE, seed=1).load()
    options = PrepareOptions(image_size=SIZE, unknown_label="error", unusable_share=0.0, workers=None)
    store = PreparedScenesDataset(filepath=f"{folder}/manifest.json", version=Version(None, "1"))
    store.save(plan_preparation(drawn, sorted(drawn), LabelSpaceDataset(name="seven_classes").load(), options))
    return PreparedScenesDataset(filepath=f"{folder}/manifest.json", version=Version("1", None)).load()


def predict(network: Any, scenes: Any) -> None:
    """Predicts all scenes, and keeps nothing."""
    from roadseg.segnet.feeding import SceneBatches

    batches = SceneBatches(scenes, list(scenes), BATCH)
    for index in range(len(batches)):
        network.predict_on_batch(batches[index][0])


def score(network: Any, scenes: Any, further_measures: Sequence[str]) -> None:
    """Predicts all scenes and takes their measures, as the evaluation does."""
    from roadseg.scoring.measures import EvaluateOptions, measure_scene
    from roadseg.scoring.prediction import predict_scenes

    options = EvaluateOptions.model_construct(batch_size=BATCH, further_measures=further_measures)
    for prediction in predict_scenes(network, scenes, list(scenes), BATCH):
        measure_scene(prediction, CLASSES, options)


def seconds(function: Callable[..., None], *arguments: Any) -> float:
    """Returns how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    options = parser.parse_args()

    from roadseg.segnet.augmentation import AugmentationOptions
    from roadseg.segnet.feeding import SceneBatches, Shuffle

    network = our_network(Case(0.25, options.precision, TRAIN_BATCH, SIZE))
    sides: dict[str, Callable[[Any], None]] = {
        "predicting alone": lambda scenes: predict(network, scenes),
        "confusion matrices": lambda scenes: score(network, scenes, ()),
        **{f"and {name}": lambda scenes, name=name: score(network, scenes, (name,)) for name in MEASURES},
    }
    with tempfile.TemporaryDirectory() as folder:
        scenes = prepare(options.scenes, folder)
        unchanged = AugmentationOptions(flip=False, scale=(1, 1), saturation=0.0, gamma=1.0)
        network.fit(SceneBatches(scenes, list(scenes), TRAIN_BATCH, shuffle=Shuffle(1, unchanged)), verbose=0)
        for side in sides.values():
            side(scenes)  # compiles
        rounds = [{name: seconds(side, scenes) for name, side in sides.items()} for _ in range(options.rounds)]
    alone = statistics.median(each["predicting alone"] for each in rounds)
    print(f"{options.scenes} scenes of {SIZE[0]}x{SIZE[1]}, milliseconds a scene (times as long as predicting alone)")
    for name in sides:
        ratio = statistics.median(each[name] / each["predicting alone"] for each in rounds)
        taken = statistics.median(each[name] for each in rounds)
        print(f"{name:26}{1000 * taken / options.scenes:10.2f} ({ratio:.3f})", flush=True)
    print(f"{len(scenes) / alone:.1f} scenes a second are predicted")


if __name__ == "__main__":
    main()
