"""Messages that name commands: those of nodes, which add to what the library refuses how it is mended."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from model_records import model_record
from predicting.pictures import draw_halves, model_of_colours, predict_options, save_picture
from roadseg.command_line import run
from roadseg.datasets.provenance import Provenance
from roadseg.errors import InputError, advising
from roadseg.pipelines.evaluate.nodes import draw_examples, score_scenes
from roadseg.pipelines.evaluate.scored_network import describe_runtime
from roadseg.pipelines.export.nodes import export_segnet
from roadseg.pipelines.predict.nodes import predict_pictures
from roadseg.pipelines.train.nodes import train_segnet
from roadseg.reading.folder import Folder
from roadseg.reading.picture_source import list_pictures
from roadseg.reading.work_options import WorkOptions
from roadseg.scenes.palette import PictureOptions
from roadseg.scenes.prepared import PreparedScene
from roadseg.scenes.seed import Seed
from roadseg.segnet.trained import TrainedSegNet
from roadseg.training.continuation import EarlierTraining

VERSIONS = {"prepared_scenes": "2026-01-01T00.00.00.000Z", "split_table": "2026-01-01T00.00.01.000Z"}
PINS = "prepared_scenes:2026-01-01T00.00.00.000Z,split_table:2026-01-01T00.00.01.000Z"
RUN = "2026-01-02T03.04.05.678Z"
HERE = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)
SPLITS = pd.DataFrame({"scene": ["a_0"], "drive": ["a"], "split": ["test"]})


def record(**changes: Any) -> Any:
    """The record of a model that learnt from other data, among them a drive of the same name."""
    return model_record(
        run=RUN,
        learnt_from={name: {"version": version, "digest": "0a"} for name, version in VERSIONS.items()},
        training_drives=("a",),
        **changes,
    )


def follow(advised: str) -> dict[str, Any]:
    """Returns what `kedro run` makes of options."""
    return run.make_context("run", shlex.split(advised)).params


@pytest.fixture
def prepared(in_memory: Callable[..., Any]) -> Any:
    """One scene, of the classes of the record and at its size."""
    size = tuple(record().image_size)
    scene = PreparedScene(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), size, ())
    return in_memory({"a_0": scene})


def refuse(prepared: Any, **changes: Any) -> str:
    """Returns what is said of a model that can't be scored on the scene."""
    classes = changes.pop("classes", prepared.classes)
    here = Provenance(run="v9", data_set="drawn", versions={}, parameters={})
    provenance = here.model_copy(update=changes.pop("here", {}))
    model: Any = TrainedSegNet(None, record(classes=classes, **changes))
    options: Any = type("Options", (), {"resolution": "network"})
    unused: Any = dict.fromkeys(("raw_scenes", "label_space", "seed", "work_options"))
    given: Any = {"prepared_scenes": prepared, "split_table": SPLITS, "options": options, "provenance": provenance}
    with pytest.raises(InputError) as raised:
        score_scenes(segnet_model=model, **given, **unused)
    return str(raised.value)


@pytest.mark.parametrize("here", [{"environment": "camvid", "data_set": "camvid"}, {"data_set": "camvid"}])
def test_model_of_another_data_set_and_size_is_refused_with_the_size_to_prepare_at(prepared: Any, here: Any) -> None:
    message = refuse(prepared, image_size=(240, 480), here=here)
    assert re.match(
        rf"the model of {RUN} takes images of 240 x 480 pixels, but the .* prepared at \d+ x \d+: p", message
    )
    sentence, pipelines, size = re.fullmatch(
        r"(.*) with (--pipelines \S+) and with (\S+) in --params", message
    ).groups()
    assert sentence.endswith(": prepare them at its size in the same run,")
    followed = follow(f"{pipelines} --params model_of=drawn,{size}")
    assert followed["params"] == {"model_of": "drawn", "prepare": {"image_size": [240, 480]}}
    assert "".join(followed["pipelines"]).replace(" ", "") in ("prepare,evaluate", "prepareevaluate")


@pytest.mark.parametrize(
    "changes", [{}, {"data_set": None}, {"environment": "camvid", "here": {"environment": "camvid"}}]
)
def test_model_of_another_size_than_its_own_data_has_now_is_refused_with_the_versions_that_fit(
    prepared: Any, changes: Any
) -> None:
    sentence, command = refuse(prepared, image_size=(240, 480), **changes).splitlines()
    assert sentence.endswith(": evaluate the model on its own data with")
    assert follow(command.partition("run ")[2])["load_versions"] == {"segnet_model": RUN, **VERSIONS}


def test_model_of_other_data_is_refused_with_the_command_that_fits(prepared: Any) -> None:
    sentence, command = refuse(prepared).splitlines()
    assert sentence.endswith("give them other names, else evaluate the model on its own data with")
    assert command == f"  kedro run --pipelines evaluate --load-versions segnet_model:{RUN},{PINS}"
    assert follow(command.partition("run ")[2])["load_versions"] == {"segnet_model": RUN, **VERSIONS}
    command = refuse(prepared, environment="camvid").splitlines()[-1]
    assert command == f"  kedro run --pipelines evaluate --env camvid --load-versions segnet_model:{RUN},{PINS}"


@pytest.mark.parametrize("environment", ["", "camvid"])
def test_a_model_that_was_never_exported_is_refused_in_onnx_with_the_command_that_exports_it(
    tmp_path: Path, environment: str
) -> None:
    options: Any = type("Options", (), {"runtime": "onnx"})
    folders = {"exported_models_folder": Folder.at(tmp_path / "exported_model")}
    origin = Provenance(run="v9", data_set="drawn", versions={}, parameters={}, folders=folders)
    with pytest.raises(InputError) as raised:
        describe_runtime(record(environment=environment), options, origin)
    sentence, command = str(raised.value).splitlines()
    assert sentence.startswith(f"there is no file in ONNX of the model of {RUN} in '{tmp_path}")
    assert sentence.endswith(": export it with")
    followed = follow(command.partition("run ")[2])
    assert followed["load_versions"] == {"segnet_model": RUN, **VERSIONS}
    assert "".join(followed["pipelines"]) == "export"
    assert (followed["env"] or "") == environment
    assert followed["params"] == {"export": {"image_size": None}}


def refuse_export(prepared: Any, **changes: Any) -> str:
    """Returns what is said of a model that can't be exported with the scene."""
    here = Provenance(run="v9", data_set="camvid", environment="camvid", versions={}, parameters={})
    model: Any = TrainedSegNet(None, record(**{"classes": prepared.classes} | changes))
    unused: Any = dict.fromkeys(("raw_scenes", "label_space", "model_history", "options", "card_options"))
    given: Any = {"prepared_scenes": prepared, "split_table": SPLITS, "provenance": here}
    with pytest.raises(InputError) as raised:
        export_segnet(segnet_model=model, **given, **unused)
    return str(raised.value)


@pytest.mark.parametrize("data_set", ["camvid", None])
def test_a_model_of_earlier_scenes_is_refused_in_export_with_the_versions_that_fit(
    prepared: Any, data_set: str | None
) -> None:
    sentence, _, advised = refuse_export(
        prepared, image_size=(240, 480), environment="camvid", data_set=data_set
    ).partition("; add ")
    assert sentence.startswith(f"the model of {RUN} takes images of 240 x 480 pixels, but the scenes were prepared at ")
    assert advised == f"--load-versions segnet_model:{RUN},{PINS}"
    assert follow(advised)["load_versions"] == {"segnet_model": RUN, **VERSIONS}


@pytest.mark.parametrize("environment", ["", "idd_lite"])
@pytest.mark.parametrize("changes", [{"image_size": (240, 480)}, {"classes": [{"name": "moon", "colour": (1, 2, 3)}]}])
def test_a_model_of_another_data_set_is_refused_in_export_with_the_command_that_has_its_environment(
    prepared: Any, environment: str, changes: dict[str, Any]
) -> None:
    sentence, command = refuse_export(prepared, environment=environment, data_set="idd_lite", **changes).splitlines()
    assert re.match(f"the model of {RUN} (takes images of|has other classes than) .*: export it with$", sentence)
    followed = follow(command.partition("run ")[2])
    assert "".join(followed["pipelines"]) == "export"
    assert (followed["env"] or "") == environment
    assert followed["load_versions"] == {"segnet_model": RUN, **VERSIONS}
    assert not followed["params"]  # what else was asked for stays


def lack_memory(monkeypatch: pytest.MonkeyPatch, network: keras.Model) -> None:
    """Lets networks say that memory ran out."""

    def predict_on_batch(*_: Any) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(type(network), "predict_on_batch", predict_on_batch)


def test_memory_that_runs_out_in_evaluate_is_told_with_what_to_try(
    prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = tuple(record().image_size)
    images = keras.Input((*size, 3))
    model = TrainedSegNet(
        keras.Model(images, keras.layers.Rescaling(1.0)(images)),
        model_record(classes=prepared.classes, image_size=size),
    )
    lack_memory(monkeypatch, model.network)
    plain = PictureOptions(palette="classes")
    options: Any = type("Options", (), {"runtime": "keras", "batch_size": 8, "samples": 0, "resolution": "network"})
    table = pd.DataFrame({"scene": ["a_0"], "split": ["test"], "mean_iou": [0.5]})
    with pytest.raises(MemoryError) as raised:
        draw_examples(model, prepared, table, None, options, plain, Seed(1))
    assert str(raised.value).startswith("memory ran out with 8 images at once; try a smaller batch_size")
    assert str(raised.value).endswith(
        ": give a smaller evaluate.batch_size, or write CUDA_VISIBLE_DEVICES= before the command to use the CPU"
    )


def test_samples_of_a_model_without_dropout_are_refused_in_predict_with_the_parameter(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", draw_halves((24, 32), 0, 1))
    model = model_of_colours()
    names = ("half_done_pictures", "predicted_pictures_folder")
    origin: Any = type("Origin", (), {"folders": {name: Folder.at(tmp_path / name) for name in names}})
    given = (list_pictures(tmp_path / "a.png"), model, origin)
    rest = (PictureOptions(palette="classes"), Seed(1), HERE)
    with pytest.raises(InputError, match=r"received 5: give predict\.samples=0 in --params, or train with network\."):
        predict_pictures(*given, predict_options(samples=5), *rest)
    assert len(predict_pictures(*given, predict_options(samples=0), *rest)[1]) == 1


def test_memory_that_runs_out_in_predict_is_told_with_what_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_picture(tmp_path / "a.png", draw_halves((24, 32), 0, 1))
    model = model_of_colours()
    lack_memory(monkeypatch, model.network)
    names = ("half_done_pictures", "predicted_pictures_folder")
    origin: Any = type("Origin", (), {"folders": {name: Folder.at(tmp_path / name) for name in names}})
    plain = PictureOptions(palette="classes")
    with pytest.raises(MemoryError) as raised:
        predict_pictures(list_pictures(tmp_path / "a.png"), model, origin, predict_options(), plain, Seed(1), HERE)
    assert str(raised.value).startswith("memory ran out with 2 images at once; try a smaller batch_size")
    assert str(raised.value).endswith(
        ": give a smaller predict.batch_size, or write CUDA_VISIBLE_DEVICES= before the command to use the CPU"
    )


def test_other_classes_are_refused_with_nothing_to_add(prepared: Any) -> None:
    classes = [{"name": "moon", "colour": (1, 2, 3)}]
    assert refuse(prepared, classes=classes).endswith("it has moon; the scenes have class 0, class 1, class 2")


def test_training_that_goes_on_with_other_data_is_refused_with_the_versions_that_fit(prepared: Any) -> None:
    earlier: Any = EarlierTraining(run=RUN, record=record(), path="a.keras", open=lambda: None)
    groups = ("network_options", "options", "scene_options", "picture_options", "work_options", "seed")
    unused: Any = dict.fromkeys((*groups, "provenance"))
    with pytest.raises(InputError) as raised:
        train_segnet(prepared_scenes=prepared, split_table=SPLITS, continued_training=earlier, **unused)
    sentence, _, advised = str(raised.value).partition("; add ")
    assert sentence == (
        f"train.continue_from: the training of {RUN} used other data: prepared_scenes and split_table differ"
    )
    assert follow(advised)["load_versions"] == VERSIONS
    assert advised == f"--pipelines train --load-versions {PINS}"


def test_other_errors_get_no_advice() -> None:
    with pytest.raises(ValueError, match=r"^a bug$"), advising(": run again"):
        raise ValueError("a bug")
