"""What scoring costs beside predicting: `make bench`, or `python tests/benchmarks/evaluate.py --rounds 5`.

All sides read the same prepared scenes of 240x480 from their PNG files and send them through the same network, of a
quarter of the paper's width, trained a little so that its predictions have the outlines of things. Where truth has the
size of the annotations, these are as large as those of IDD, beside JPEG images. The sides take turns, so that whatever
else the machine does troubles all alike; each figure is the median of the rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml
from train import SIZE, our_network
from yardsticks import CLASSES, Case

TRAIN_BATCH = 4
MEASURES = ("boundary_f1", "calibration_error")
RESOLUTIONS = ("native", "idd_protocol")
RAW_SIZE = (1080, 1920)
SPLITS = ("train", "validation", "test")
"""Scenes fall to them in turns, each scene a drive of its own."""

PARAMETERS = Path(__file__).parents[2] / "conf/base/parameters_evaluate.yml"


def choose_options(**changed: Any) -> Any:
    """Returns the options of the evaluation, those of a plain `kedro run` but for the changed ones."""
    from roadseg.scoring.measures import EvaluateOptions

    return EvaluateOptions(**yaml.safe_load(PARAMETERS.read_text())["evaluate"] | changed)


def prepare(drawn: Any, label_space: Any, folder: str) -> Any:
    """Returns drawn scenes, prepared in a folder."""

    from roadseg.datasets.scene_store import SceneStoreDataset
    from roadseg.reading.preparation import carry_out
    from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

    options = PrepareOptions(image_size=SIZE, unknown_label="error", unusable_share=0.0, workers=None)
    plan = plan_preparation(drawn, sorted(drawn), label_space, options)
    return carry_out(plan, SceneStoreDataset(filepath=f"{folder}/store").load())


def enlarge(drawn: Any, folder: str) -> Any:
    """Returns the same scenes as raw ones of `RAW_SIZE`, written to a folder."""
    import cv2

    from roadseg.datasets.scene_folders import SceneFoldersDataset

    for name, scene in drawn.items():
        image = cv2.resize(scene.image[..., ::-1], RAW_SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        label_map = cv2.resize(scene.label_map, RAW_SIZE[::-1], interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(f"{folder}/{name}.jpg", image)
        cv2.imwrite(f"{folder}/{name}.png", label_map)
    files = {"images": "{frame}.jpg", "annotations": "{frame}.png", "raw_names": scene.raw_names}
    return SceneFoldersDataset(filepath=folder, **files).load()


def predict(network: Any, scenes: Any, batch_size: int) -> None:
    """Predicts all scenes, and keeps nothing."""
    from roadseg.training.feeding import SceneBatches

    batches = SceneBatches(scenes, list(scenes), batch_size)
    for index in range(len(batches)):
        network.predict_on_batch(batches[index][0])


def score(predictor: Any, scenes: Any, read_truth: Any, options: Any) -> None:
    """Predicts all scenes and takes their measures, as the evaluation does."""
    from roadseg.scoring.measures import measure_scene
    from roadseg.scoring.resolution import predict_at

    for prediction in predict_at(predictor, scenes, list(scenes), options, read_truth):
        measure_scene(prediction, CLASSES, options)


def tell_origin() -> dict[str, Any]:
    """Returns what model and scores say alike of where they come from."""
    from roadseg.machine import describe_machine

    origin = {"run": "", "data_set": "drawn", "environment": "", "commit": None, "packages": {}}
    return origin | {"machine": describe_machine()}


def keep(network: Any, classes: Any) -> Any:
    """Returns the network as a model with a record."""
    from roadseg.segnet.model_record import ModelRecord
    from roadseg.segnet.trained import TrainedSegNet

    record = ModelRecord(
        **tell_origin(),
        learnt_from={name: {"version": "", "digest": ""} for name in ("prepared_scenes", "split_table")},
        classes=classes,
        image_size=SIZE,
        training_drives=(),
        parameters={"network": {"architecture": "segnet", "width": 0.25, "start": "random"}},
        training={"epochs": 1, "best_epoch": 1, "best_validation_mean_iou": 0.0, "seconds": 0.0},
    )
    return TrainedSegNet(network, record)


def summaries(model: Any, scenes: Any, raw: Any, label_space: Any) -> dict[str, tuple[Callable[[], Any], int]]:
    """Returns what the evaluation does beside measuring scenes: name -> how, and how many things it does that for."""
    import pandas as pd

    from roadseg.datasets.provenance import Provenance
    from roadseg.pipelines.evaluate import nodes
    from roadseg.reading.work_options import WorkOptions
    from roadseg.reporting.gallery import choose_gallery
    from roadseg.scenes.palette import PictureOptions
    from roadseg.scenes.seed import Seed
    from roadseg.scoring.error_detection import tabulate_detection
    from roadseg.scoring.summary import read_statistics, summarise_split
    from roadseg.scoring.tables import ScoredScenes

    options, ids, names = choose_options(), list(scenes), [each.name for each in scenes.classes]
    table = pd.DataFrame([*zip(ids, ids, cycle(SPLITS), strict=False)], columns=["scene", "drive", "split"])
    versions = {"prepared_scenes": "", "split_table": "", "segnet_model": ""}
    provenance = Provenance(**tell_origin(), versions=versions, parameters={"evaluate": options.model_dump()})
    sources = {"prepared_scenes": scenes, "split_table": table, "raw_scenes": raw, "label_space": label_space}
    work = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)
    confusion, calibration, doubts, of_scenes, of_classes, suspect_scenes, suspect_regions = nodes.score_scenes(
        segnet_model=model,
        **sources,
        provenance=provenance,
        options=options,
        seed=Seed(1),
        work_options=work,
    )
    tables = {"scene_scores": of_scenes, "scene_class_scores": of_classes}
    scores, _ = nodes.summarise_scores(
        **tables,
        calibration_table=calibration,
        prior_confusion=nodes.score_prior(**sources, options=options, work_options=work),
        model_record=model.record,
        prepared_scenes=scenes,
        split_table=table,
        provenance=provenance,
        options=options,
        seed=Seed(1),
    )
    test = read_statistics(ScoredScenes(names, of_scenes, of_classes), calibration)["test"]
    shown = len(choose_gallery(of_scenes, options.gallery_scenes))
    report = partial(
        nodes.write_report,
        segnet_model=model,
        prepared_scenes=scenes,
        confusion_table=confusion,
        **tables,
        doubt_table=doubts,
        error_detection=tabulate_detection(doubts),
        suspect_scenes=suspect_scenes,
        suspect_regions=suspect_regions,
        scores=scores,
        provenance=provenance,
        options=options,
        picture_options=PictureOptions(palette="classes"),
        seed=Seed(1),
    )
    return {
        "the prior": (partial(nodes.score_prior, **sources, options=options, work_options=work), len(ids)),
        f"intervals of {len(test.drives)} drives": (partial(summarise_split, test, names, 1), 1),
        f"the report, {shown} scenes shown": (report, shown),
    }


def milliseconds(function: Callable[[], Any], count: int) -> float:
    """Returns how long a call takes, for each of so many things."""
    start = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - start) / count


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    options = parser.parse_args()

    from roadseg.datasets.drawn import DrawnScenesDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.scenes.preprocessing import read_truth
    from roadseg.segnet.folding import fold_batch_norms
    from roadseg.segnet.predictor import Predictor
    from roadseg.training.augmentation import AugmentationOptions
    from roadseg.training.feeding import SceneBatches, Shuffle

    network = our_network(Case(0.25, options.precision, TRAIN_BATCH, SIZE))
    with tempfile.TemporaryDirectory() as prepared, tempfile.TemporaryDirectory() as enlarged:
        label_space = LabelSpaceDataset(name="seven_classes").load()
        drawn = DrawnScenesDataset(drives=options.scenes, frames_per_drive=1, size=SIZE, seed=1).load()
        scenes, raw = prepare(drawn, label_space, prepared), enlarge(drawn, enlarged)
        unchanged = AugmentationOptions(flip=False, scale=(1, 1), saturation=0.0, gamma=1.0)
        network.fit(SceneBatches(scenes, list(scenes), TRAIN_BATCH, shuffle=Shuffle(1, unchanged)), verbose=0)
        model = keep(network, scenes.classes)
        read = partial(read_truth, raw_scenes=raw, label_space=label_space, classes=scenes.classes)
        changes: dict[str, dict[str, Any]] = {
            "confusion matrices": {},
            **{f"and {name}": {"further_measures": [name]} for name in MEASURES},
            **{f"confusion matrices, {name}": {"resolution": name} for name in RESOLUTIONS},
        }
        batch_size = choose_options().batch_size
        sides = {"predicting alone": (partial(predict, fold_batch_norms(network), scenes, batch_size), len(scenes))}
        for name, changed in changes.items():
            chosen = choose_options(**{"further_measures": []} | changed)
            sides[name] = (partial(score, Predictor(model, batch_size=batch_size), scenes, read, chosen), len(scenes))
        sides |= summaries(model, scenes, raw, label_space)
        for function, _ in sides.values():
            function()  # compiles
        rounds = [{name: milliseconds(*side) for name, side in sides.items()} for _ in range(options.rounds)]
    print(
        f"{options.scenes} scenes of {SIZE[0]}x{SIZE[1]}, annotated at {RAW_SIZE[0]}x{RAW_SIZE[1]}; "
        "milliseconds per scene, per split or per shown scene (times as long as predicting a scene)"
    )
    for name in sides:
        ratio = statistics.median(each[name] / each["predicting alone"] for each in rounds)
        taken = statistics.median(each[name] for each in rounds)
        print(f"{name:34}{taken:10.2f} ({ratio:.3f})", flush=True)


if __name__ == "__main__":
    main()
