"""Each node of the evaluate pipeline, called as the function that it is, with a network whose predictions are known."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import matplotlib as mpl
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, confusion_matrix, jaccard_score, roc_auc_score

from dask_cluster import DaskCluster
from model_records import WHOLE, model_record
from roadseg.datasets.provenance import Provenance
from roadseg.pipelines.evaluate import nodes
from roadseg.reading.folder import Folder
from roadseg.reading.label_map_writing import PredictionFileOptions
from roadseg.reading.work_options import WorkOptions
from roadseg.scenes.palette import PictureOptions
from roadseg.scenes.prepared import PreparedScene, PreparedScenes
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import digest_contents
from roadseg.scoring.error_detection import tabulate_detection
from roadseg.scoring.measures import EvaluateOptions
from roadseg.segnet.dropout_samples import NoDropoutError
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

NAMES = ["class 0", "class 1", "class 2"]
VOID = 255
TRUTH = {
    "a_0": [[0, 0, 0, 0], [2, 2, 2, 2]],
    "a_1": [[0, 0, 0, 0], [2, 2, 2, 0]],
    "a_2": [[0, 0, 0, 1], [2, 2, 1, VOID]],
    "b_0": [[0, 0, 1, 1], [2, 2, VOID, VOID]],
}
PREDICTION = {
    "a_0": TRUTH["a_0"],
    "a_1": [[0, 0, 0, 0], [2, 2, 0, 0]],
    "a_2": [[1, 1, 1, 1], [1, 1, 1, 1]],
    "b_0": [[0, 1, 1, 1], [2, 2, 0, 0]],
}
SPLITS = pd.DataFrame({"scene": [*TRUTH], "drive": ["a", "a", "a", "b"], "split": ["train"] * 3 + ["test"]})
HISTORY = dict.fromkeys(("loss", "mean_iou", "val_loss", "val_mean_iou", "learning_rate", "seconds"), 0.5) | {
    "epoch": 1
}
PLAIN = PictureOptions(palette="classes")
SAFE = PictureOptions(palette="safe")


MEASURES = ["calibration_error", "error_detection", "suspects"]


def evaluate_options(**changes: Any) -> EvaluateOptions:
    files = PredictionFileOptions(written=False, name="{scene}.png", ids=None)
    given = {"runtime": "keras", "batch_size": 2, "further_measures": MEASURES, "samples": 0, "resolution": "network"}
    rest = {"protocol_size": (4, 8), "gallery_scenes": 1, "prediction_files": files}
    rest["suspects"] = {"regions": 3, "confidence": 0.7}
    return EvaluateOptions.model_validate(given | rest | changes)


OPTIONS = evaluate_options()


@pytest.fixture
def prepared(in_memory: Callable[..., PreparedScenes]) -> PreparedScenes:
    """Scenes whose brightest channel is what the network takes a pixel for."""
    images = {scene: (200 * np.eye(3)[np.array(each)]).astype(np.uint8) for scene, each in PREDICTION.items()}
    return in_memory(
        {scene: PreparedScene(images[scene], np.array(each, np.uint8), (4, 8)) for scene, each in TRUTH.items()}
    )


@pytest.fixture
def model(prepared: PreparedScenes) -> TrainedSegNet:
    """A network whose logits are the image."""
    images = keras.Input((2, 4, 3))
    digests = digest_contents(prepared, SPLITS)
    record = model_record(
        classes=[each.model_dump() for each in prepared.classes],
        image_size=[2, 4],
        parameters={"network": {"architecture": "segnet", "width": 1.0, "start": "random"}},
        training={"history": [HISTORY]},
        training_drives=["a"],
        learnt_from={name: {"version": f"{name} v1", "digest": each} for name, each in digests.items()},
    )
    return TrainedSegNet(keras.Model(images, keras.layers.Rescaling(1 / 64)(images)), record)


WORK = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)


def provenance(folder: Path) -> Provenance:
    facts = {
        "versions": {"prepared_scenes": "v1", "split_table": "v2", "segnet_model": "v3"},
        "parameters": {"seed": 1, "evaluate": {"batch_size": 2, "samples": 0, "protocol_size": [4, 8]}},
        "packages": WHOLE["packages"],
        "machine": WHOLE["machine"],
        "folders": {"predictions_folder": Folder.at(folder)},
    }
    return Provenance.model_validate({"run": "v4", **facts})


def score(
    model: TrainedSegNet, prepared: PreparedScenes, folder: Path, cluster: str | None = None, **changes: Any
) -> Any:
    unused: Any = None  # raw scenes are read at other resolutions alone
    return nodes.score_scenes(
        segnet_model=model,
        prepared_scenes=prepared,
        split_table=SPLITS,
        raw_scenes=unused,
        label_space=unused,
        provenance=provenance(folder),
        options=evaluate_options(**changes),
        seed=Seed(1),
        work_options=WorkOptions(in_flight=16, cluster=cluster, wait_for_workers=60),
    )


def matrix_of(*scenes: str) -> np.ndarray:
    """Returns the confusion matrix of scenes as scikit-learn counts it."""
    truth, predicted = (np.concatenate([np.ravel(of[scene]) for scene in scenes]) for of in (TRUTH, PREDICTION))
    return confusion_matrix(truth[truth != VOID], predicted[truth != VOID], labels=range(3))


def mean_iou_of(*scenes: str) -> float:
    truth, predicted = (np.concatenate([np.ravel(of[scene]) for scene in scenes]) for of in (TRUTH, PREDICTION))
    return float(jaccard_score(truth[truth != VOID], predicted[truth != VOID], average="macro"))


def gather(confusion_table: pd.DataFrame, scene: str) -> list[list[int]]:
    rows = confusion_table[confusion_table["scene"] == scene]
    matrix = np.zeros((3, 3), int)
    for truth, predicted, pixels in rows[["truth", "predicted", "pixels"]].itertuples(index=False):
        matrix[NAMES.index(truth), NAMES.index(predicted)] += pixels
    return matrix.tolist()


@pytest.mark.scale
def test_cluster_scores_as_this_machine_does(model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path) -> None:
    choices = {"prediction_files": PredictionFileOptions(written=True, name="{scene}.png", ids=None), "batch_size": 1}
    with DaskCluster(2) as dask:
        there = score(model, prepared, tmp_path / "there", dask.address, **choices)
    here = score(model, prepared, tmp_path / "here", **choices)
    assert len(there) == 7
    for one, other in zip(there, here, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    written = [{path.name: path.read_bytes() for path in tmp_path.glob(f"{each}/v4/*")} for each in ("there", "here")]
    assert written[0] == written[1]
    assert sorted(written[0]) == [f"{scene}.png" for scene in TRUTH]


def test_every_scene_is_scored_once_by_what_the_network_makes_of_it(
    model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        confusion, calibration, doubts, scenes, of_classes, *_ = score(model, prepared, tmp_path)
    assert {scene: gather(confusion, scene) for scene in TRUTH} == {s: matrix_of(s).tolist() for s in TRUTH}
    assert scenes[["scene", "split", "pixels"]].to_numpy().tolist() == [
        ["a_0", "train", 8],
        ["a_1", "train", 8],
        ["a_2", "train", 7],
        ["b_0", "test", 6],
    ]
    assert scenes["mean_iou"].tolist() == pytest.approx([mean_iou_of(scene) for scene in TRUTH])
    assert scenes["pixel_accuracy"].tolist() == pytest.approx([1, 7 / 8, 2 / 7, 5 / 6])
    hits = calibration.groupby(["split", "softmax"])["hits"].sum().to_dict()
    both = ("plain", "scaled")  # the temperature changes confidences, no classes
    assert hits == {(split, softmax): n for split, n in {"train": 8 + 7 + 2, "test": 5}.items() for softmax in both}
    counts = doubts.groupby(["split", "doubt"])[["right", "wrong"]].sum()
    assert counts.loc[("train", "entropy")].tolist() == counts.loc[("train", "confidence")].tolist() == [17, 6]
    of_b = of_classes[of_classes["scene"] == "b_0"]
    assert of_b[["class", "hits", "pixels", "predicted_pixels"]].to_numpy().tolist() == [
        ["class 0", 1, 2, 1],
        ["class 1", 2, 2, 3],
        ["class 2", 2, 2, 2],
    ]
    assert not list(tmp_path.iterdir())
    assert "was trained on other data" not in caplog.text


def test_predictions_are_written_below_the_run_where_that_is_asked_for(
    model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    files = PredictionFileOptions(written=True, name="maps/{scene}.png", ids=[10, 20, 30])
    score(model, prepared, tmp_path, prediction_files=files)
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == [f"{scene}.png" for scene in TRUTH]
    written = np.asarray(Image.open(tmp_path / "v4/maps/b_0.png"))
    assert written.tolist() == [[10, 20, 20, 20], [30, 30, 10, 10]]


def test_a_model_of_other_data_is_scored_and_that_is_told(
    model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learnt_from = {name: {"version": "v0", "digest": "other"} for name in ("prepared_scenes", "split_table")}
    classes = [each.model_dump() for each in prepared.classes]
    record = model_record(run="v9", classes=classes, image_size=[2, 4], training_drives=["z"], learnt_from=learnt_from)
    with caplog.at_level(logging.INFO):
        scenes = score(TrainedSegNet(model.network, record), prepared, tmp_path)[3]
    assert len(scenes) == 4
    assert "The model of v9 was trained on other data and on none of these drives" in caplog.messages


def test_the_prior_guesses_the_most_frequent_class_of_each_pixel_in_train(prepared: PreparedScenes) -> None:
    unused: Any = None
    confusion = nodes.score_prior(prepared, SPLITS, unused, unused, OPTIONS, WORK)
    # By hand: row 0 is class 0 in all three (the last pixel in two of them), row 1 class 2 three times, class 2 twice
    # and class 1 once, and at last class 2 once and class 0 once, of which the first is named.
    guess = [[0, 0, 0, 0], [2, 2, 2, 0]]
    truth = np.ravel(TRUTH["b_0"])
    expected = confusion_matrix(truth[truth != VOID], np.ravel(guess)[truth != VOID], labels=range(3))
    assert gather(confusion, "b_0") == expected.tolist()


def test_without_a_scene_that_trains_there_is_no_prior(
    prepared: PreparedScenes, caplog: pytest.LogCaptureFixture
) -> None:
    unused: Any = None
    with caplog.at_level(logging.INFO):
        confusion = nodes.score_prior(prepared, SPLITS[SPLITS["split"] == "test"], unused, unused, OPTIONS, WORK)
    assert confusion.empty
    assert list(confusion)[-3:] == ["truth", "predicted", "pixels"]
    assert "There are no scenes in the split train" in caplog.text


@pytest.fixture
def summaries(model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """What `score_scenes` returns, and what `summarise_scores` makes of it, with what that logs."""
    unused: Any = None
    tables = score(model, prepared, tmp_path)
    _, calibration, _, scenes, of_classes, *_ = tables
    prior = nodes.score_prior(prepared, SPLITS, unused, unused, OPTIONS, WORK)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        scores, drive_scores = nodes.summarise_scores(
            scene_scores=scenes,
            scene_class_scores=of_classes,
            calibration_table=calibration,
            prior_confusion=prior,
            model_record=model.record,
            prepared_scenes=prepared,
            split_table=SPLITS,
            provenance=provenance(tmp_path),
            options=OPTIONS,
            seed=Seed(1),
        )
        score_table, class_scores = nodes.tabulate_scores(scores)
    return tables, (scores, score_table, class_scores, drive_scores), caplog.messages[-1]


def test_scores_say_where_they_come_from_and_stand_in_tables_and_log(
    summaries: Any, model: TrainedSegNet, prepared: PreparedScenes
) -> None:
    _, (scores, score_table, class_scores, drive_scores), told = summaries
    train, test = (mean_iou_of("a_0", "a_1", "a_2"), mean_iou_of("b_0"))
    assert [scores["splits"][split]["mean_iou"] for split in ("train", "test")] == pytest.approx([train, test])
    assert score_table[["split", "scenes", "pixels"]].to_numpy().tolist() == [["train", 3, 23], ["test", 1, 6]]
    assert score_table["mean_iou"].tolist() == pytest.approx([train, test])
    # Batches of two scenes, a_2 alone: the mean of ratios.
    batched = (mean_iou_of("a_0", "a_1") + mean_iou_of("a_2")) / 2
    assert score_table["batch_averaged_mean_iou"].tolist() == pytest.approx([batched, test])
    # Of b_0 the prior has class 0 right twice of 4 predicted, class 2 always, class 1 never.
    assert score_table["prior_mean_iou"].tolist()[1] == pytest.approx((2 / 4 + 0 + 1) / 3)
    assert scores["prior_mean_iou"]["test"] == pytest.approx(score_table["prior_mean_iou"].tolist()[1])
    assert (
        score_table[["prepared_scenes", "split_table", "segnet_model"]].to_numpy().tolist() == [["v1", "v2", "v3"]] * 2
    )
    assert class_scores["class"].tolist() == NAMES * 2
    assert class_scores["resolution"].tolist() == ["network"] * 6
    assert drive_scores[["split", "drive"]].to_numpy().tolist() == [["train", "a"], ["test", "b"]]
    assert (scores["run"], scores["resolution"], scores["model"]["run"]) == ("v4", "network", "v3")
    assert scores["digests"] == {name: each.digest for name, each in model.record.learnt_from.items()}
    assert "folders" not in scores
    assert scores["runtime"] == {"name": "keras", "version": keras.__version__}
    json.dumps(scores, allow_nan=False)
    assert told.startswith("Scores at network resolution\n")
    assert f"{test:.4f}" in told


def test_scores_of_an_exported_file_name_it_in_data_tables_log_and_figures(
    summaries: Any, model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "exported_model/v3a/exported_model"
    place.mkdir(parents=True)
    description = {"run": model.record.run, "image_size": model.record.image_size, "onnx": {"precision": "int8"}}
    (place / "segnet.json").write_text(json.dumps(description))
    (place / "segnet.onnx").write_bytes(b"is not opened to write what is known")
    (confusion, calibration, _, scenes, of_classes, *_), _, _ = summaries
    origin = provenance(tmp_path)
    with caplog.at_level(logging.INFO):
        scores, _ = nodes.summarise_scores(
            scene_scores=scenes,
            scene_class_scores=of_classes,
            calibration_table=calibration,
            prior_confusion=confusion,
            model_record=model.record,
            prepared_scenes=prepared,
            split_table=SPLITS,
            provenance=origin.model_copy(
                update={"folders": {"exported_models_folder": Folder.at(tmp_path / "exported_model")}}
            ),
            options=evaluate_options(runtime="onnx"),
            seed=Seed(1),
        )
        score_table, _ = nodes.tabulate_scores(scores)
    version = onnxruntime.__version__
    runtime = {"name": "onnxruntime", "version": version, "exported_model": "v3a", "precision": "int8"}
    assert scores["runtime"] == runtime
    assert scores["versions"] == {**origin.versions, "exported_model": "v3a"}
    assert score_table["exported_model"].tolist() == ["v3a", "v3a"]
    how = f"at network resolution, in onnxruntime {version} from the export v3a (int8)"
    assert caplog.messages[-1].startswith(f"Scores {how}\n")
    assert " ".join(nodes.draw_scores(scores).get_supxlabel().split()).startswith(f"A{how[1:]}. segnet_model v3")


def test_figures_show_these_scores_and_name_model_and_resolution(summaries: Any, prepared: PreparedScenes) -> None:
    (confusion, *_), (scores, *_), _ = summaries
    matrices = nodes.draw_confusion(confusion, prepared, scores)
    counts = next(axes for axes in matrices.axes if axes.get_title() == "test: pixels")
    assert [text.get_text() for text in counts.texts[:9]] == np.ravel(matrix_of("b_0")).astype(str).tolist()
    bars = nodes.draw_class_iou(confusion, prepared, scores, SAFE)
    np.testing.assert_allclose(bars.axes[0].containers[1].datavalues, [1 / 2, 2 / 3, 1])
    (swatches,) = bars.axes[0].collections
    assert mpl.colors.to_hex(swatches.get_facecolors()[1]) == "#0072b2"  # of (0, 0, 230) the safe colour
    table = nodes.draw_scores(scores)
    cells = [cell.get_text().get_text() for cell in table.axes[0].tables[0].get_celld().values()]
    assert f"{mean_iou_of('b_0'):.4f}" in cells
    for figure in (matrices, bars, table):
        assert " ".join(figure.get_supxlabel().split()).startswith("At network resolution. segnet_model v3")


def test_doubts_find_errors_as_scikit_learn_says_of_the_single_pixels(summaries: Any, prepared: PreparedScenes) -> None:
    (_, _, doubts, *_), (scores, *_), _ = summaries
    detection, figure = nodes.detect_errors(doubts, scores)
    of_train = [scene for scene in TRUTH if scene != "b_0"]
    truth, found = (np.concatenate([np.ravel(of[scene]) for scene in of_train]) for of in (TRUTH, PREDICTION))
    known = truth != VOID
    # The network is equally sure of each pixel, so doubts find nothing.
    assert detection[["split", "doubt"]].to_numpy().tolist() == [
        [split, doubt] for split in ("train", "test") for doubt in ("confidence", "entropy")
    ]
    assert detection["error_rate"].iloc[0] == pytest.approx((truth != found)[known].mean())
    assert detection["auroc"].tolist() == [0.5] * 4
    assert [axes.get_title() for axes in figure.axes] == ["train", "test"]
    assert figure.axes[1].lines[0].get_xydata()[-1].tolist() == pytest.approx([1, 1 / 6])


def test_the_variance_of_passes_with_dropout_finds_errors_as_scikit_learn_says_of_the_single_pixels(
    model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    images = keras.Input((2, 4, 3))
    logits = keras.layers.Dropout(0.5, seed=1)(keras.layers.Rescaling(1 / 64)(images))
    dropping = TrainedSegNet(keras.Model(images, logits), model.record)
    detection = tabulate_detection(score(dropping, prepared, tmp_path, samples=4)[2]).set_index(["split", "doubt"])
    assert detection.loc["train"].index.tolist() == ["confidence", "entropy", "variance"]
    of_train = [scene for scene in TRUTH if scene != "b_0"]
    predictor = Predictor(dropping, batch_size=2, samples=4, seed=1)
    found = list(predictor.predict_each(prepared[scene].image for scene in of_train))
    truth = np.ravel([TRUTH[scene] for scene in of_train])
    wrong = (truth != np.ravel([each.label_map for each in found]))[truth != VOID]
    variance = np.ravel([each.variance for each in found])[truth != VOID].round(6)  # some differ by rounding alone
    expected = [wrong.mean(), roc_auc_score(wrong, variance), average_precision_score(wrong, variance)]
    assert expected[1] != 0.5
    columns = ["error_rate", "auroc", "average_precision"]
    assert detection.loc[("train", "variance"), columns].tolist() == pytest.approx(expected)


def test_samples_of_a_model_without_dropout_are_refused_with_the_parameter(
    model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    with pytest.raises(
        NoDropoutError, match=r"dropout is 0\) .* received 4: give evaluate\.samples=0 in --params, or train"
    ):
        score(model, prepared, tmp_path, samples=4)


def test_examples_are_the_best_the_median_and_the_worst_scene_of_each_split(
    summaries: Any, model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    (_, _, _, scenes, *_), _, _ = summaries
    figure = nodes.draw_examples(model, prepared, scenes, provenance(tmp_path), OPTIONS, PLAIN, Seed(1))
    drawn = [axes for axes in figure.axes if axes.images]
    titles = [" ".join(axes.get_title(loc="left").split()) for axes in drawn]
    assert titles[::4] == [
        f"{rank} of {split}: {scene}, mean IoU {mean_iou_of(scene):.2f}"
        for rank, split, scene in [
            ("best", "train", "a_0"),
            ("median", "train", "a_1"),
            ("worst", "train", "a_2"),
            ("best", "test", "b_0"),
        ]
    ]
    image, truth, prediction, errors = (np.asarray(axes.images[0].get_array()) for axes in drawn[12:])
    road, car, sky = ([*each.colour] for each in prepared.classes)
    assert image.tolist() == prepared["b_0"].image.tolist()
    assert truth.tolist() == [[road, road, car, car], [sky, sky, [0] * 3, [0] * 3]]
    assert prediction.tolist() == [[road, car, car, car], [sky, sky, road, road]]
    assert errors[0, 1].tolist() == [213, 0, 0]
    caption = " ".join(figure.get_supxlabel().split())
    assert caption.startswith(
        "Pictures and errors are at network resolution, mean IoU is at network resolution. segnet"
    )


def test_suspects_are_where_the_network_says_surely_another_class(
    summaries: Any, model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    (*_, suspect_scenes, suspect_regions), _, _ = summaries
    # At the temperature 1.5 each pixel has the confidence 1 / (1 + 2 exp(-200 / 64 / 1.5)), 0.80: all wrong ones count.
    assert suspect_scenes["scene"].tolist() == ["a_2", "b_0", "a_1", "a_0"]
    assert suspect_regions[["scene", "truth", "predicted", "top", "left", "pixels"]].to_numpy().tolist() == [
        ["a_2", "class 0", "class 1", 0, 0, 3],
        ["a_2", "class 2", "class 1", 1, 0, 2],
        ["a_1", "class 2", "class 0", 1, 2, 1],  # b_0 has such a region too, and there is room for three
    ]
    figure = nodes.draw_suspects(model, prepared, suspect_regions, provenance(tmp_path), OPTIONS, PLAIN, Seed(1))
    titles = [" ".join(axes.get_title(loc="left").split()) for axes in figure.axes if axes.images]
    assert titles[::4] == [
        "1, train: a_2, class 0 or class 1?",
        "2, train: a_2, class 2 or class 1?",
        "3, train: a_1, class 2 or class 0?",
    ]
    none = nodes.draw_suspects(model, prepared, suspect_regions[:0], provenance(tmp_path), OPTIONS, PLAIN, Seed(1))
    assert not [axes for axes in none.axes if axes.images]


def test_report_shows_as_many_scenes_as_asked_for_in_the_colours_asked_for(
    summaries: Any, model: TrainedSegNet, prepared: PreparedScenes, tmp_path: Path
) -> None:
    (confusion, _, doubts, scenes, of_classes, suspect_scenes, suspect_regions), (scores, *_), _ = summaries
    page = nodes.write_report(
        segnet_model=model,
        prepared_scenes=prepared,
        confusion_table=confusion,
        scene_scores=scenes,
        scene_class_scores=of_classes,
        doubt_table=doubts,
        error_detection=nodes.detect_errors(doubts, scores)[0],
        suspect_scenes=suspect_scenes,
        suspect_regions=suspect_regions,
        scores=scores,
        provenance=provenance(tmp_path),
        options=OPTIONS,
        picture_options=SAFE,
        seed=Seed(1),
    )
    shown = re.findall(r"<figure id=.*?</figure>", page, re.DOTALL)
    assert [re.search(r"[ab]_\d", each)[0] for each in shown] == [
        *("a_0", "b_0"),  # the best scene of each split
        *("a_2", "a_2", "a_1"),  # and all suspect regions
    ]
    assert f"<strong>{mean_iou_of('b_0'):.4f}</strong> mean IoU on test" in page
    assert "rgb(0, 114, 178)" in page
    assert "rgb(0, 0, 230)" not in page  # the colour of class 1 in its label space
