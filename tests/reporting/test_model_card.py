import re

import pandas as pd
import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard
from huggingface_hub.repocard import metadata_load
from pydantic import ValidationError

from model_records import model_record
from reporting.exports import REPORT, quantised
from roadseg.reporting.model_card import CardOptions, Evaluation, write_model_card

NASTY = "a|b_*c*<i>`d`"
DASH = "\N{EN DASH}"
PARAMETERS = {
    "export": {"opset": 17},
    "seed": 7,
    "network": {"architecture": "segnet", "width": 0.25, "start": "random"},
}
CLASSES = [{"name": "road", "colour": [128, 64, 18]}, {"name": NASTY, "colour": [0, 0, 230]}]
CLASSES += [{"name": "sky", "colour": [70, 130, 180]}]


def split(mean_iou, ious, intervals=None, **changes):
    """Returns the summary of a split in which each class has a third of 300 pixels."""
    classes = {
        each["name"]: {"iou": iou, "accuracy": None if iou is None else 0.5, "pixels": 100, "boundary_f1": None}
        for each, iou in zip(CLASSES, ious, strict=True)
    }
    names = ("mean_iou", "pixel_accuracy", "calibration_error", "scaled_calibration_error")
    found = dict(zip(names, (mean_iou, 0.75, 0.125, 0.0625), strict=True))
    absent = [name for name, each in classes.items() if each["iou"] is None]
    of_classes = {name: {"iou": None} for name in classes}
    intervals = {"scores": dict.fromkeys(names) | (intervals or {}), "classes": of_classes}
    facts = {"scenes": 3, "drives": 2, "pixels": 300, "absent_classes": absent, "intervals": intervals}
    return facts | found | {"classes": classes} | changes


def evaluation(**changes):
    splits = {
        "train": split(0.8, [0.9, 0.8, 0.7]),
        "validation": split(None, [None, None, None], pixel_accuracy=None),
        "test": split(0.5, [0.75, 0.25, None], {"mean_iou": [0.4, 0.61234]}),
    }
    drives = [
        ("train", "a", 2, 0.1, 0.2),
        ("test", "x", 2, 0.55, 0.75),
        ("test", NASTY, 1, 0.25, 0.5),
        ("test", "y", 1, None, None),
    ]
    columns = ["split", "drive", "scenes", "mean_iou", "pixel_accuracy"]
    facts = {
        "run": "v4",
        "data_set": "drawn",
        "data_name": "drawn street scenes",
        "digests": {"prepared_scenes": "0a", "split_table": "0b"},
        "resolution": "native",
        "options": {"samples": 0, "protocol_size": [720, 1280]},
        "runtime": None,
        "splits": splits,
        "drive_scores": pd.DataFrame(drives, columns=columns),
    }
    return Evaluation(**facts | changes)


def card(*, command="kedro run --params train.epochs=2", scored=None, report=None, **changes):
    record = model_record(classes=CLASSES, parameters=PARAMETERS, **changes)
    return write_model_card(record, command, scored, report)


def section(text, title):
    return re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def table(text):
    """Returns the rows of the tables in a text, without the rules, as a reader of Markdown sees their cells."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    cells = [[re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell.strip()) for cell in row] for row in rows]
    return [row for row in cells if set("".join(row)) != {"-"}]


def test_model_hubs_read_the_head(tmp_path):
    text = card(scored=evaluation())
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    head = metadata_load(tmp_path / "README.md")
    assert head["license"] == "mit"
    assert (head["pipeline_tag"], head["library_name"]) == ("image-segmentation", "keras")
    assert "segnet" in head["tags"]
    results = ModelCard(text).data.eval_results
    assert all(isinstance(each, EvalResult) and each.task_type == "image-segmentation" for each in results)
    found = {(each.dataset_split, each.metric_type): (each.metric_value, each.metric_args) for each in results}
    assert found["test", "mean_iou"] == (0.5, {"resolution": "native", "interval": [0.4, 0.6123]})
    assert found["train", "accuracy"] == (0.75, {"resolution": "native"})
    assert ("validation", "mean_iou") not in found  # undefined
    assert ("train", "boundary_f1") not in found  # not measured
    assert {(each.dataset_type, each.dataset_name) for each in results} == {("drawn", "drawn street scenes")}


def test_without_scores_and_licence_the_head_is_valid_and_the_card_says_so():
    text = card(licence=None, data_name=None, data_terms=None, command=None)
    data = ModelCard(text).data
    assert (data.license, data.eval_results) == (None, None)
    assert "No record says that exactly this model was evaluated" in section(text, "Scores")
    assert "## Where it fails" not in text
    assert ["terms", "unknown"] in table(section(text, "Data"))
    assert "Licence of the model: none was given." in text
    assert ["command", "unknown: there is no record of the run"] in table(section(text, "Training"))


def test_scores_stand_beside_their_intervals_and_resolution():
    text = card(scored=evaluation())
    scores = section(text, "Scores")
    assert scores.startswith("\nOn drawn street scenes, at the size of each annotation, by run v4.")
    assert "It learnt from train, validation chose the epoch, and test did neither." in scores
    assert table(scores) == [
        ["", "train", "validation", "test"],
        ["scenes", "3", "3", "3"],
        ["drives", "2", "2", "2"],
        ["pixels", "300", "300", "300"],
        ["mean IoU", "0.8000", DASH, "0.5000 (0.4000 to 0.6123)"],
        ["pixel accuracy", "0.7500", DASH, "0.7500"],
    ]
    assert "Not in the means of test, because they do not occur there: sky." in scores
    calibration = section(text, "Calibration")
    assert "temperature 1.500" in calibration
    assert table(calibration)[1:] == [["before", *3 * ["0.1250"]], ["after", *3 * ["0.0625"]]]


def test_the_worst_classes_and_drives_are_named_as_they_are_called():
    text = card(scored=evaluation())
    classes, drives = section(text, "Where it fails").split("The drives")
    assert table(classes)[1:] == [[NASTY, "0.2500", "50.0 %", "33.3 %"], ["road", "0.7500", "50.0 %", "33.3 %"]]
    assert table(drives)[1:] == [[NASTY, "1", "0.2500", "0.5000"], ["x", "2", "0.5500", "0.7500"]]
    assert table(section(text, "Classes"))[1:] == [
        ["0", "road", "`#804012`", "0.7500"],
        ["1", NASTY, "`#0000e6`", "0.2500"],
        ["2", "sky", "`#4682b4`", DASH],
    ]
    assert "not at hand" in section(card(scored=evaluation(drive_scores=None)), "Where it fails")


def test_the_origin_is_that_of_the_record():
    text = card(scored=evaluation(), command="kedro run --params 'a=`b|c`'")
    assert "# SegNet of driving scenes, trained on drawn street scenes\n" in text
    assert "It sees RGB images of 15 x 24 pixels. It has 1,234 parameters (architecture\n`segnet`, width 0.25)." in text
    origin = dict(table(section(text, "Training").split("Its parameters")[0])[1:])
    assert origin["command"] == "`kedro run --params 'a='b|c''`"
    assert (origin["run, started at (UTC)"], origin["git commit"], origin["seed"]) == ("v3", "0123+", "7")
    assert (origin["first weights"], origin["epochs"]) == ("random, run v0", "2, the best on validation is 1")
    assert (origin["duration"], origin["keras"]) == ("0:01:02 (h:mm:ss)", "3.15.1")
    assert origin["machine"] == "Z80, 2 cores, H100, Linux-6.1"
    assert ["network.width", "0.25"] in table(section(text, "Training"))
    assert "opset" not in text  # no training uses it
    data = table(section(text, "Data"))
    assert ["terms", "Apache-2.0"] in data
    assert ["split_table", "version v2, content 0b"] in data


def test_scores_on_other_scenes_are_not_taken_for_those_of_its_splits():
    other = evaluation(data_set="camvid", data_name=None, digests={"prepared_scenes": "ff", "split_table": "0b"})
    text = card(scored=other)
    assert "**These are not the scenes that it learnt from**" in section(text, "Scores")
    assert "It learnt from train" not in text
    results = yaml.safe_load(text.split("---")[1])["model-index"][0]["results"]
    assert results[0]["dataset"] == {"type": "camvid", "name": "camvid", "split": "train"}


def test_a_record_of_an_older_program_lacks_intervals_and_scores():
    older = split(0.5, [0.5, 0.5, 0.5])
    del older["scaled_calibration_error"]
    of_classes = {f"IoU {each['name']}": None for each in CLASSES}
    older["intervals"] = {"mean_iou": [0.4, 0.6], "pixel_accuracy": None, **of_classes}
    text = card(scored=evaluation(splits={"test": older}))
    assert ["mean IoU", "0.5000 (0.4000 to 0.6000)"] in table(section(text, "Scores"))
    assert ["after", DASH] in table(section(text, "Calibration"))


@pytest.mark.parametrize("resolution", ["network", "idd_protocol"])
def test_the_resolution_is_named(resolution):
    options = {"samples": 4, "protocol_size": [720, 1280]}
    scores = section(card(scored=evaluation(resolution=resolution, options=options)), "Scores")
    named = {"network": "the network's 15 x 24 pixels", "idd_protocol": "the 720 x 1280 pixels of IDD's protocol"}
    assert f"at {named[resolution]}, by run v4, as the mean of 4 passes with dropout." in scores


def test_an_exported_file_that_was_scored_is_named():
    runtime = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v9", "precision": "int8"}
    text = card(scored=evaluation(runtime=runtime))
    head = yaml.safe_load(text.split("---")[1])
    assert "library_name" not in head
    (first, *_), *_ = (each["metrics"] for each in head["model-index"][0]["results"])
    assert first["args"]["runtime"] == "onnxruntime 1.32.0 from the export v9 (int8)"
    scores = section(text, "Scores")
    assert "annotation, by run v4 in onnxruntime 1.32.0 from the export v9 (int8)." in scores


def test_the_card_of_an_export_has_its_files_and_proofs():
    text = card(scored=evaluation(), report=REPORT)
    assert "onnx" in ModelCard(text).data.tags
    files = section(text, "Files")
    assert "32 validation scenes (11,520 pixels)" in files
    assert table(files) == [
        ["format", "bytes", "inputs", "outputs", "versions"],
        [
            "onnx", "1,234,567", "images: uint8 (batch, 15, 24, 3)",
            "label_map: uint8 (batch, 15, 24)<br>confidence: float32 (batch, 15, 24)", "opset: 17<br>ir_version: 8",
        ],
        [
            "program", "version", "pixels of the same class", "in images of one colour", "mean IoU", "difference",
            "ms per image", "times Keras",
        ],
        ["Keras", "3.15.1", "99.9931 %", "100.0000 %", "0.7940", "+0.000000", "40.0", "1.00"],
        ["onnxruntime", "1.32", "100.0000 %", "100.0000 %", "0.7940", "-0.000003", "50.0", "1.25"],
    ]  # fmt: skip
    assert "These are scores of the model in Keras" in section(text, "Scores")
    assert "in int8" not in text


@pytest.mark.parametrize("float_ends", [True, False])
def test_the_card_of_an_export_in_int8_says_how_it_was_quantised(float_ends):
    text = section(card(report=quantised(["a_1", "a_2"], float_ends)), "Files")
    assert "A file in int8 may give pixels another class" in text
    ends = "; its first and its last convolution are in float32." if float_ends else ".\n"
    assert f"The file in int8 was calibrated with 2 training scenes, by the method percentile{ends}" in text
    assert "calibrated with 1 training scene, by" in card(report=quantised(["a_1"], float_ends))


def licence(id_, name=None, link=None):
    return CardOptions(licence=id_, licence_name=name, licence_link=link)


def test_a_licence_is_none_or_an_id_of_model_hubs():
    for id_ in (None, "apache-2.0", "cc-by-nc-4.0"):
        assert licence(id_).licence == id_
    for id_ in ("", "My Licence", "Apache-2.0", "a\nb"):
        for given in ((id_,), ("other", id_)):
            with pytest.raises(
                ValidationError, match=r"expected the id that model hubs have for a licence, such as apache"
            ):
                licence(*given)


def test_the_licence_other_alone_has_a_name_and_perhaps_a_link():
    assert licence("other", "research-only").licence_link is None
    with pytest.raises(ValidationError, match=r"'other' needs a name, .* card\.licence_name, such as research-only"):
        licence("other", None, "LICENSE")
    for given in ((None, "mine"), ("mit", "mine"), ("mit", None, "LICENSE")):
        with pytest.raises(ValidationError, match=rf"are for the licence 'other', but licence is {given[0]!r}"):
            licence(*given)
    with pytest.raises(ValidationError, match=r"licence_link\n.*expected an address without spaces, such as https:"):
        licence("other", "mine", "the web")
    text = card(licence="other", licence_name="research-only", licence_link="https://example.org/terms")
    data = ModelCard(text).data
    assert (data.license, data.license_name) == ("other", "research-only")
    assert data.license_link == "https://example.org/terms"
    said = section(text, "Use and limits").replace("\\", "")
    assert "- Licence of the model: research-only (https://example.org/terms).\n" in said
    assert ModelCard(card()).data.license_name is None
