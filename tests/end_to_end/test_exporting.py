"""A trained model exported as a user does it."""

import json
import re

import keras
import onnx
import pandas as pd
import pytest
from huggingface_hub import ModelCard

from end_to_end.project import Project


@pytest.mark.slow
def test_a_model_is_exported_with_its_proof_also_after_scenes_were_prepared_at_another_size(
    trained_copy: Project,
) -> None:
    (run,) = trained_copy.versions("06_models/drawn/segnet.keras")
    trained_copy.run("--pipelines", "prepare", "--params", "prepare.image_size=[40,48]")
    sentence = trained_copy.fail("--pipelines", "export")
    assert sentence.startswith(f"Error: the model of {run} takes images of ")
    assert trained_copy.versions("06_models/drawn/exported_model") == []

    options, versions = sentence.split("; add ")[1].split()
    assert options == "--load-versions"
    changes = "export.scenes=2,export.ir_version=9,export.formats=[onnx,litert,saved_model]"
    changes += ",card.licence=other,card.licence_name=mine"
    told = trained_copy.run("--pipelines", "export", "--params", changes, options, versions)
    (file,) = trained_copy.folder.glob("data/06_models/drawn/exported_model/*/exported_model/segnet.onnx")
    exported = onnx.load_model(file)
    metadata = {each.key: json.loads(each.value) for each in exported.metadata_props}
    assert (metadata["run"], exported.ir_version) == (run, 9)
    (path,) = trained_copy.folder.glob("data/08_reporting/drawn/export_report.json/*/export_report.json")
    report = json.loads(path.read_text())
    assert json.loads((file.parent / "segnet.json").read_text()) == metadata
    facts = report["files"]["onnx"]
    assert (report["scenes"], facts["versions"]["ir_version"], facts["size"]) == (2, 9, file.stat().st_size)
    assert {path.name for path in file.parent.iterdir()} == {
        "README.md", "segnet.json", "segnet.onnx", "segnet.tflite", "saved_model"
    }  # fmt: skip
    assert set(report["runtimes"]) == {"onnxruntime", "litert", "tensorflow"}
    assert f"exported_model: data/06_models/drawn/exported_model/{file.parents[1].name}/" in "".join(told.split("\n"))
    assert len(re.findall(r"of\s+the\s+pixels\s+have\s+the\s+same\s+class,\s+mean\s+IoU", told)) == 4
    assert all(each["equal_pixels"] >= 0.9999 for each in report["runtimes"].values())
    page = "".join(
        each.read_text("utf-8") for each in trained_copy.folder.glob("data/08_reporting/drawn/export_page.html/*/*")
    )
    assert f"<td>{report['runtimes']['onnxruntime']['version']}</td>" in page
    card = ModelCard((file.parent / "README.md").read_text("utf-8"))
    (scores,) = trained_copy.folder.glob("data/08_reporting/drawn/scores.json/*/scores.json")
    expected = json.loads(scores.read_text())["splits"]["test"]["mean_iou"]
    found = [each for each in card.data.eval_results if (each.dataset_split, each.metric_type) == ("test", "mean_iou")]
    assert found[0].metric_value == pytest.approx(expected, abs=5e-5)
    assert (card.data.license, card.data.license_name, metadata["licence_name"]) == ("other", "mine", "mine")
    assert f"| onnxruntime | {report['runtimes']['onnxruntime']['version']} |" in card.text

    options = ("--load-versions", versions)
    score = ("--pipelines", "evaluate", "--params", "evaluate.runtime=onnx", *options)
    told = trained_copy.run(*score)
    assert f"from the export {file.parents[1].name} (float32)" in " ".join(told.split())

    changes = "export.precision=int8,export.scenes=2,export.calibration_scenes=3"
    trained_copy.run("--pipelines", "export", "--params", changes, *options)
    file = max(trained_copy.folder.glob("data/06_models/drawn/exported_model/*/exported_model/segnet.onnx"))
    assert "was calibrated with 3 training scenes, by" in (file.parent / "README.md").read_text("utf-8")
    told = trained_copy.run(*score)
    assert f"from the export {file.parents[1].name} (int8)" in " ".join(told.split())

    each_scores = sorted(trained_copy.folder.glob("data/08_reporting/drawn/scores.json/*/scores.json"))
    of_keras, *of_files = (json.loads(path.read_text()) for path in each_scores)
    assert [each["runtime"]["precision"] for each in of_files] == ["float32", "int8"]
    assert len({json.dumps(each["splits"]) for each in (of_keras, *of_files)}) == 3
    for each, most in zip(of_files, (0.005, 0.05), strict=True):
        for split, summary in of_keras["splits"].items():
            assert each["splits"][split]["mean_iou"] == pytest.approx(summary["mean_iou"], abs=most)
            assert set(each["splits"][split]) == set(summary)

    changes += ",export.image_size=[96,150],export.outputs=logits"
    trained_copy.run("--pipelines", "export", "--params", changes, *options)
    path = max(trained_copy.folder.glob("data/08_reporting/drawn/export_report.json/*/export_report.json"))
    report = json.loads(path.read_text())
    facts = report["files"]["onnx"]
    assert (report["pixels"], facts["outputs"]) == (2 * 96 * 150, {"logits": "float32 (batch, 96, 150, 7)"})
    assert report["unquantized"]["onnxruntime"]["equal_pixels"] >= 0.9999
    assert 0.5 < report["runtimes"]["onnxruntime"]["equal_pixels"] < 1
    table = pd.read_csv(min(trained_copy.folder.glob("data/03_primary/drawn/split_table.csv/*/split_table.csv")))
    splits = table.set_index("scene")["split"]
    assert [splits[scene] for scene in facts["calibration"]["scenes"]] == 3 * ["train"]

    records = trained_copy.folder / "data/08_reporting/drawn/runs"
    before = len(list(records.iterdir()))
    sentence = trained_copy.fail("--pipelines", "export", "--params", "export.opset=12")
    assert sentence.startswith("Error: opset: expected 13, the oldest ")
    assert len(list(records.iterdir())) == before

    foreign = trained_copy.folder / "data/06_models/drawn/segnet.keras/2099-01-01T00.00.00.000Z/segnet.keras"
    foreign.parent.mkdir()
    images = keras.Input((32, 48, 3))
    keras.Model(images, keras.layers.Conv2D(7, 1)(images)).save(foreign)
    sentence = trained_copy.fail("--pipelines", "export")
    assert re.fullmatch(
        r"Error: .*segnet\.keras' contains no record\.json: it was not saved by this project\n", sentence
    )
