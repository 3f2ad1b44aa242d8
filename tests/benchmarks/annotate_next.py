"""Whether `annotation_order` finds the scenes that teach the most: `python tests/benchmarks/annotate_next.py FOLDER`.

FOLDER has the folders of IDD-Lite. Its annotated scenes are prepared once, and whole drives are shared out: a pool to
choose from, drives that validate, and drives that judge. Then, for each seed, a network is trained on scenes drawn at
random from the pool and predicts all others of it. As many again are annotated, chosen in different ways, and for each
way a network is trained from scratch on both halves together: with equal first weights, recipe and number of steps. So
all ways share the first half, and only the second differs. What is printed is the mean IoU on the drives that judge,
from one confusion matrix, of the epoch with the best mean IoU on the drives that validate. Of the half that was added,
it is also how many pixels a scene has of each class, as a multiple of the pool's mean.

What `--work` names is kept. The same command goes on there after a stop, and finished trainings are not repeated.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from evaluate import keep

SHARES = {"train": 0.65, "validation": 0.05, "test": 0.3}
"""Of the drives: the pool, those that validate, those that judge."""

SPLIT_SEED = 1
"""Of the split, which is the same for all seeds."""

PARAMETERS = Path(__file__).parents[2] / "conf/base"

WAYS = ("order", "entropy")
"""Beside random: as `annotation_order` ranks the pool, or the scenes with the highest mean entropy alone."""


def read_parameters(name: str) -> Any:
    """Returns the parameters of a plain `kedro run` in one of the files of `conf/base`."""
    return yaml.safe_load((PARAMETERS / f"parameters_{name}.yml").read_text())


def prepare(options: argparse.Namespace) -> Any:
    """Returns the annotated scenes, prepared in the folder of the work."""
    from roadseg.datasets.idd_lite import IddLiteDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.datasets.scene_store import SceneStoreDataset
    from roadseg.reading.preparation import carry_out
    from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

    raw = IddLiteDataset(filepath=str(options.folder)).load()
    annotated = [scene for scene, record in raw.records.items() if record.published_split == "train"]
    chosen = PrepareOptions(**read_parameters("prepare")["prepare"] | {"image_size": options.size})
    plan = plan_preparation(raw, annotated, LabelSpaceDataset(name="seven_classes").load(), chosen)
    return carry_out(plan, SceneStoreDataset(filepath=str(options.work / "store")).load())


def split(scenes: Any) -> dict[str, list[str]]:
    """Returns the scenes of whole drives: train is the pool, test are those that judge."""
    from roadseg.scenes.splits import SplitOptions, assign_splits, find_classes, group_by_split

    index, names = scenes.tabulate(), [each.name for each in scenes.classes]
    held = find_classes(index, scenes.tabulate_pixels(), names)
    chosen = SplitOptions(**read_parameters("prepare")["split"] | {"method": "drives", "shares": SHARES})
    return group_by_split(assign_splits(index, held, chosen, SPLIT_SEED))


def train(scenes: Any, ids: Sequence[str], validation: Sequence[str], seed: int, options: argparse.Namespace) -> Any:
    """Returns the model of a training, with its temperature, as `kedro run` trains it."""
    from roadseg.scenes.palette import Palette
    from roadseg.scenes.prepared import content_digest
    from roadseg.segnet.device import choose_placement
    from roadseg.segnet.network import NetworkOptions
    from roadseg.segnet.trained import TrainedSegNet
    from roadseg.training.fit import TrainingData, TrainingOutputs, train_network
    from roadseg.training.recipe import Recipe, TrainOptions
    from roadseg.training.temperature import measure_temperature

    parameters = read_parameters("train")
    network = NetworkOptions(**parameters["network"] | {"width": options.width})
    how = TrainOptions(**parameters["train"] | {"epochs": options.epochs})
    content = [sorted(ids), validation, seed, options.size, network.model_dump(), how.model_dump()]
    folder = options.work / "trainings" / content_digest(content)
    outputs = TrainingOutputs(folder, folder / "log", Palette(scenes.classes))
    data = TrainingData(scenes, sorted(ids), validation)
    training = train_network(data, Recipe(network, how, seed), choose_placement(how), outputs)
    if training.is_interrupted:
        raise KeyboardInterrupt
    kept = keep(training.network, scenes.classes)
    model = TrainedSegNet(kept.network, kept.record.model_copy(update={"image_size": options.size}))
    temperature = measure_temperature(model, scenes, validation, seed)
    return TrainedSegNet(model.network, model.record.model_copy(update={"temperature": temperature}))


def score(label_maps: Any, scenes: Any, ids: Sequence[str]) -> Any:
    """Returns hits, true and predicted pixels of each class of what is predicted for scenes."""
    from roadseg.scoring.metrics import count_classes, count_confusion

    truths, count = (scenes.read_pair(scene)[1] for scene in ids), len(scenes.classes)
    return count_classes(
        sum(count_confusion(truth, each, count) for truth, each in zip(truths, label_maps, strict=True))
    )


def predict(model: Any, scenes: Any, ids: Sequence[str]) -> Any:
    """Yields what a model says of each scene."""
    from roadseg.segnet.predictor import Predictor

    return Predictor(model).predict_each(scenes.read_pair(scene)[0] for scene in ids)


def choose(model: Any, scenes: Any, drive_of: Any, ids: Sequence[str], count: int) -> dict[str, list[str]]:
    """Returns the scenes to annotate next, of so many, in both ways that ask the model."""
    from roadseg.predicting.layout import describe_layout, stack_layouts
    from roadseg.scoring.annotation_order import order_for_annotation

    found = [(each.entropy.mean(dtype=np.float64), each.label_map) for each in predict(model, scenes, ids)]
    table = pd.DataFrame(
        {"picture": ids, "drive": drive_of[list(ids)].to_numpy(), "entropy": [each for each, _ in found]}
    )
    order = order_for_annotation(table, stack_layouts([describe_layout(each) for _, each in found]), count)
    unsure = table.sort_values("entropy", ascending=False, kind="stable").head(count)
    return {"order": list(order["picture"]), "entropy": list(unsure["picture"])}


def write_down(of_classes: Any) -> str:
    """Returns a number of each class, as text."""
    return " ".join(f"{each:.3f}" for each in of_classes)


def compare(seed: int, scenes: Any, splits: dict[str, list[str]], options: argparse.Namespace) -> dict[str, float]:
    """Prints the score of each training of a seed as it comes, and returns them: way -> mean IoU."""
    from roadseg.scoring.metrics import class_iou, mean_iou

    drive_of = scenes.tabulate().set_index("scene")["drive"]
    shuffled = np.random.default_rng(seed).permutation(splits["train"]).tolist()
    first, rest = shuffled[: options.count], shuffled[options.count :]
    second = {"none": [], "random": rest[: options.count]}
    means = {}
    for way in ("none", "random", *options.ways):
        ids = [*first, *second[way]]
        model = train(scenes, ids, splits["validation"], seed, options)
        label_maps = (each.label_map for each in predict(model, scenes, splits["test"]))
        counts = score(label_maps, scenes, splits["test"])
        means[way] = mean_iou(counts)
        if way == "none":
            second |= choose(model, scenes, drive_of, rest, options.count)
        pixels = [scenes.count_pixels(each).mean(axis=0) for each in (second[way] or first, splits["train"])]
        print(
            f"seed {seed} {way:8} {means[way]:.4f}  {len(ids)} scenes of {drive_of[ids].nunique()} drives\n"
            f"    IoU of each class              {write_down(class_iou(counts))}\n"
            f"    its pixels beside the pool's   {write_down(pixels[0] / pixels[1])}",
            flush=True,
        )
    return means


def guess(scenes: Any, splits: dict[str, list[str]]) -> float:
    """Returns the mean IoU of the most frequent class of each pixel in the whole pool."""
    from roadseg.scoring.metrics import mean_iou
    from roadseg.scoring.prior import fit_class_prior

    prior = fit_class_prior((scenes.read_pair(scene)[1] for scene in splits["train"]), len(scenes.classes))
    return mean_iou(score([prior] * len(splits["test"]), scenes, splits["test"]))


def summarise(of_seeds: list[dict[str, float]]) -> None:
    """Prints each way's mean over seeds, and what it gains over random scenes."""
    print(f"\n{'second half':12}{'mean':>8}{'gain over random':>20}   of each seed")
    for way in of_seeds[0]:
        gains = [each[way] - each["random"] for each in of_seeds]
        mean = statistics.mean(each[way] for each in of_seeds)
        print(f"{way:12}{mean:8.4f}{statistics.mean(gains):+20.4f}   {' '.join(f'{gain:+.4f}' for gain in gains)}")


def main() -> None:
    """Reads the command line and prints the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with leftImg8bit and gtFine of IDD-Lite")
    parser.add_argument(
        "--work", type=Path, default=Path("data/annotate_next"), help="for prepared scenes and trainings"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS, help="of choosing the second half")
    parser.add_argument("--count", type=int, default=60, help="scenes of each half")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 256), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--width", type=float, default=0.25, help="of the network, times the paper's filters")
    options = parser.parse_args()
    options.size = tuple(options.size)

    scenes = prepare(options)
    splits = split(scenes)
    pool, validation, judges = (len(each) for each in splits.values())
    print(
        f"{pool} scenes in the pool, {validation} validate, {judges} judge; prior {guess(scenes, splits):.4f}",
        flush=True,
    )
    summarise([compare(seed, scenes, splits, options) for seed in options.seeds])


if __name__ == "__main__":
    main()
