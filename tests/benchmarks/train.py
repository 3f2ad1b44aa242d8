"""How fast the network learns and predicts: `make bench`, or `python tests/benchmarks/train.py --rounds 5`.

The first table compares RoadSeg with the reference notebook's layers and with PyTorch: seconds per image, how many
times as fast RoadSeg is, and the most memory a process took. Each figure is the median of processes that measure one
thing each, in turns, so that other programs slow all alike; a process counts the median of its steps.
The second table says what reading, decoding and changing scenes add to training: the time of a step over that of a step
with one batch that is always the same.
"""

import argparse
import importlib.util
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise, product
from typing import Any

from yardsticks import (
    CLASSES,
    LEARNING_RATE,
    Case,
    Steps,
    median_seconds,
    notebook_steps,
    random_batch,
    read_peak,
    torch_steps,
)

SIZE = (240, 480)
BATCH = 4
WIDTHS = (0.25, 1.0)
WORKS = ("train", "predict", "feed")
WARM_UP = 2
"""Steps that do not count: the first is compiled in, the second still allocates."""

AUGMENTATION = {"flip": True, "scale": (0.5, 2.0), "saturation": 0.3, "gamma": 1.3}
FEEDINGS = ((1.0, False), (0.25, True))
"""Width, and whether scenes are changed at random."""

READ_AHEAD = 6
"""Steps of each fit that do not count: their batches were read while the first step was being prepared."""

IN_PROCESS = "--in-process"


def in_process(
    function: Callable[..., Any], *arguments: Any, python: str = sys.executable, backend: str = "tensorflow"
) -> Any:
    """Returns what a function of a script returns in a process of its own; JSON must hold arguments and result.

    Args:
        function: A function of a script that hands `IN_PROCESS` to `answer`.
        *arguments: Its arguments.
        python: The interpreter.
        backend: What Keras runs on there.
    """
    command = [python, inspect.getfile(function), IN_PROCESS, function.__name__, json.dumps(arguments)]
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{finished.stderr}\n{function.__name__}{arguments} failed in {python}, see above")
    return json.loads(finished.stdout.splitlines()[-1])


def answer(*functions: Callable[..., Any]) -> None:
    """Calls the function that the command line names, and prints what it returns."""
    name, arguments = sys.argv[2:]
    print(json.dumps({each.__name__: each for each in functions}[name](*json.loads(arguments))))


def has_torch() -> bool:
    """Returns whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def chosen_precision() -> str:
    """Returns what `train.precision: auto` picks on this machine."""
    return "bfloat16" if placement("auto").policy == "mixed_bfloat16" else "float32"


def placement(precision: str) -> Any:
    """Returns where and how a training computes on this machine."""
    from roadseg.segnet.device import DeviceOptions, choose_placement

    return choose_placement(DeviceOptions(device="auto", devices=1, precision=precision, jit_compile="auto"))


def our_network(case: Case) -> Any:
    """Returns RoadSeg's network, compiled as a training does it, with the yardsticks' Adam."""
    import keras

    from roadseg.segnet.device import placed_on
    from roadseg.segnet.network import NetworkOptions, build_network
    from roadseg.training.losses import MaskedCrossentropy

    chosen = placement(case.precision)
    options = NetworkOptions(
        architecture="segnet", start="random", width=case.width, dropout=0.0, batch_norm_momentum=0.9
    )
    keras.config.set_dtype_policy(chosen.policy)
    with placed_on(chosen):
        network = build_network(case.size, CLASSES, options)
        network.compile(keras.optimizers.Adam(LEARNING_RATE), MaskedCrossentropy(), jit_compile=chosen.jit_compile)
        network.optimizer.build(network.trainable_variables)
    return network


def our_steps(case: Case) -> Steps:
    """Returns the steps of RoadSeg's network: the compiled functions that training and evaluation call."""
    from roadseg.segnet.folding import fold_batch_norms

    network, (images, label_maps) = our_network(case), random_batch(case)
    folded = cache(lambda: fold_batch_norms(network))  # only where predicting is measured: training's memory is, too
    return Steps(lambda: network.train_on_batch(images, label_maps), lambda: folded().predict_on_batch(images))


PEERS = {"RoadSeg": our_steps, "notebook": notebook_steps, "PyTorch": torch_steps}


def measure(peer: str, work: str, width: float, precision: str, steps: int) -> tuple[float, float]:
    """Returns the seconds per image and the most memory that this process took, in GB."""
    case = Case(width, precision, BATCH, SIZE)
    seconds = median_seconds(getattr(PEERS[peer](case), work), WARM_UP, steps) / case.batch
    return seconds, read_peak() / 1e9


def row(name: str, *cells: str) -> str:
    """Returns a line of a table."""
    return f"{name:26}" + "".join(f"{cell:>19}" for cell in cells)


def compare(options: argparse.Namespace, works: list[str]) -> None:
    """Prints the first table."""
    pythons = {"RoadSeg": sys.executable, "notebook": sys.executable, "PyTorch": options.torch}
    if not in_process(has_torch, python=options.torch):
        del pythons["PyTorch"]
        print(f"PyTorch is left out: {options.torch} can't import it; --torch names an interpreter that can")
    print(
        f"Batch {BATCH}, {SIZE[0]}x{SIZE[1]}, {CLASSES} classes, {options.precision}; "
        f"seconds per image (times as long as RoadSeg's), GB of memory\n"
    )
    print(row("", *pythons, *(f"{peer}, GB" for peer in pythons)))
    for work, width in product(works, options.widths):
        rounds = [
            {
                peer: in_process(measure, peer, work, width, options.precision, options.steps, python=python)
                for peer, python in pythons.items()
            }
            for _ in range(options.rounds)
        ]
        seconds, memory = (
            {peer: statistics.median(each[peer][fact] for each in rounds) for peer in pythons} for fact in (0, 1)
        )
        ours = seconds["RoadSeg"]
        times = [f"{each:.4f} ({each / ours:.2f})" for each in seconds.values()]
        print(row(f"{work}, width {width:g}", *times, *(f"{each:.2f}" for each in memory.values())), flush=True)
        if work == "train" and width == 1:
            print(f"  RoadSeg takes {1 - memory['RoadSeg'] / memory['notebook']:.0%} less memory than the notebook")


def measure_feeding(width: float, is_augmented: bool, precision: str, rounds: int, steps: int) -> tuple[float, float]:
    """Returns the median seconds of a step with one repeated batch, and with scenes that are read.

    Both train the same network through `fit`, in turns, so that they differ by nothing but what hands out batches.
    """

    from roadseg.datasets.drawn import DrawnScenesDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.datasets.scene_store import SceneStoreDataset
    from roadseg.reading.preparation import carry_out
    from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation
    from roadseg.training.augmentation import AugmentationOptions
    from roadseg.training.feeding import SceneBatches, Shuffle

    augmentation = AUGMENTATION if is_augmented else {"flip": False, "scale": (1, 1), "saturation": 0.0, "gamma": 1.0}
    shuffle = Shuffle(1, AugmentationOptions(**augmentation))
    drawn = DrawnScenesDataset(drives=READ_AHEAD + steps, frames_per_drive=BATCH, size=SIZE, seed=1).load()
    prepare = PrepareOptions(image_size=SIZE, unknown_label="error", unusable_share=0.0, workers=None)
    network = our_network(Case(width, precision, BATCH, SIZE))
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_preparation(drawn, sorted(drawn), LabelSpaceDataset(name="seven_classes").load(), prepare)
        scenes = carry_out(plan, SceneStoreDataset(filepath=f"{folder}/store").load())
        repeated = repeat(SceneBatches(scenes, list(scenes), BATCH, shuffle=shuffle)[0], READ_AHEAD + steps)
        step_seconds(network, repeated)  # compiles
        alone, fed = [], []
        for _ in range(rounds):
            alone += step_seconds(network, repeated)[READ_AHEAD:]
            fed += step_seconds(network, SceneBatches(scenes, list(scenes), BATCH, shuffle=shuffle))[READ_AHEAD:]
    return statistics.median(alone), statistics.median(fed)


def repeat(batch: Any, steps: int) -> Any:
    """Returns a data set for `fit` that hands out the same batch again and again."""
    import keras

    class RepeatedBatch(keras.utils.PyDataset):
        def __len__(self) -> int:
            return steps

        def __getitem__(self, index: int) -> Any:
            return batch

    return RepeatedBatch()


def step_seconds(network: Any, batches: Any) -> list[float]:
    """Trains a network for an epoch and returns the time of each step, from its batch to its loss.

    A step ends when its loss is read, as in a training, where a callback looks at each loss.
    """
    import keras

    ends = [time.perf_counter()]

    def note(batch: int, logs: dict[str, Any]) -> None:
        float(logs["loss"])
        ends.append(time.perf_counter())

    watch = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    network.fit(batches, shuffle=False, callbacks=[watch], verbose=0)
    return [after - before for before, after in pairwise(ends)]


def compare_feeding(options: argparse.Namespace) -> None:
    """Prints the second table."""
    print("\n" + row("seconds per step", "one batch", "scenes", "ratio"))
    for width, is_augmented in FEEDINGS:
        if width in options.widths:
            alone, fed = in_process(
                measure_feeding, width, is_augmented, options.precision, options.rounds, options.steps
            )
            name = f"width {width:g}, {'augmented' if is_augmented else 'as they are'}"
            print(row(name, f"{alone:.4f}", f"{fed:.4f}", f"{fed / alone:.3f}"), flush=True)


def main() -> None:
    """Reads the command line and prints both tables; imports nothing large, for a process begins with that memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), help="default: what training picks here")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each figure")
    parser.add_argument("--steps", type=int, default=5, help="steps that a process measures")
    parser.add_argument("--widths", type=float, nargs="+", default=WIDTHS)
    parser.add_argument("--works", choices=WORKS, nargs="+", default=WORKS)
    parser.add_argument("--torch", default=sys.executable, help="an interpreter that has PyTorch")
    options = parser.parse_args()
    options.precision = options.precision or in_process(chosen_precision)
    works = [work for work in options.works if work != "feed"]
    if works:
        compare(options, works)
    if "feed" in options.works:
        compare_feeding(options)


if __name__ == "__main__":
    if IN_PROCESS in sys.argv:
        answer(has_torch, chosen_precision, measure, measure_feeding)
    else:
        main()
