import json
import re
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

from exporting.networks import model_of, pictures
from roadseg.errors import FileError, InputError, RoadSegError
from roadseg.exporting.onnx_model import OnnxOptions, convert_to_onnx
from roadseg.exporting.onnx_network import OnnxNetwork
from roadseg.exporting.saved_export import SavedExport, find_export, open_export
from roadseg.reading.folder import Folder
from roadseg.segnet.predictor import Predictor
from segnet.small_networks import small_segnet

SIZE = (35, 50)
CLASS_IDS = OnnxOptions(outputs="classes", opset=17, ir_version=None, image_size=None)


@pytest.fixture(scope="module")
def model():
    return model_of(small_segnet(SIZE, "segnet_basic"), run="v3", temperature=2.5)


@pytest.fixture(scope="module")
def file(model):
    return convert_to_onnx(model, CLASS_IDS).SerializeToString()


def save(folder, version, description, files):
    """Saves an export as Kedro does."""
    place = folder / "exported_model" / version / "exported_model"
    place.mkdir(parents=True)
    (place / "segnet.json").write_text(json.dumps(description))
    for name, content in files.items():
        (place / name).write_bytes(content)
    return Folder.at(folder / "exported_model")


def test_an_exported_network_predicts_what_its_twin_in_keras_does(model, file, tmp_path):
    folder = save(tmp_path, "v4", {"run": "v3", "image_size": SIZE}, {"segnet.onnx": file})
    network = open_export(find_export(folder, model.record, before="v5"))
    exported, twin = (
        Predictor(model, batch_size=4, **changes) for changes in ({"network": network}, {"precision": "float32"})
    )
    assert (exported.precision, exported.temperature, exported.image_size) == ("float32", 2.5, SIZE)
    found, expected = (list(each.predict_each(pictures(SIZE))) for each in (exported, twin))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=1e-4)
        np.testing.assert_array_equal(ours.label_map, theirs.label_map)
        for name in ("confidence", "network_confidence", "entropy"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-4)


def test_the_classes_of_the_logits_are_those_of_the_file_also_of_a_quantised_one(model, file, tmp_path):
    images = pictures(SIZE)

    class Images(CalibrationDataReader):
        def __init__(self):
            self.left = [{"images": each[None]} for each in images]

        def get_next(self):
            return self.left.pop() if self.left else None

    path = tmp_path / "int8.onnx"
    quantize_static(onnx.load_from_string(file), path, Images(), quant_format=QuantFormat.QDQ, per_channel=True)
    returns_logits = convert_to_onnx(model, CLASS_IDS.model_copy(update={"outputs": "logits"})).SerializeToString()
    np.testing.assert_array_equal(
        *(OnnxNetwork(content).predict_on_batch(images) for content in (file, returns_logits))
    )
    for content in (file, path.read_bytes()):
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        label_maps, _ = session.run(None, {"images": images})
        logits = OnnxNetwork(content).predict_on_batch(images)
        assert (logits.shape, logits.dtype) == ((5, *SIZE, 4), np.float32)
        np.testing.assert_array_equal(logits.argmax(-1), label_maps)
        assert len(np.unique(label_maps)) > 1


def test_the_newest_file_of_exactly_this_model_that_takes_its_images_is_chosen(model, tmp_path):
    record, of_it = model.record, {"run": "v3", "image_size": SIZE}
    onnx_file = {"segnet.onnx": b""}
    folder = save(tmp_path, "v4", of_it, onnx_file)
    save(tmp_path, "v5", of_it | {"onnx": {"precision": "int8"}}, onnx_file)
    save(tmp_path, "v6", of_it, {"segnet.tflite": b""})
    save(tmp_path, "v7", of_it | {"run": "v1"}, onnx_file)
    save(tmp_path, "v8", of_it | {"image_size": [48, 64]}, onnx_file)
    save(tmp_path, "v9", of_it, onnx_file)
    found = find_export(folder, record, before="v9")
    assert (found.version, found.precision) == ("v5", "int8")
    assert found.place.on_disk == tmp_path / "exported_model/v5/exported_model"
    assert find_export(folder, record, before="v5").precision == "float32"
    message = rf"^there is no file in ONNX of the model of v2 in '{re.escape(str(folder))}' that takes images of 35 x"
    with pytest.raises(InputError, match=message):
        find_export(folder, record.model_copy(update={"run": "v2"}), before="v9")
    with pytest.raises(InputError, match=r"^there is no file in ONNX of the model of v3 in '"):
        find_export(Folder.at(tmp_path / "nothing"), record, before="v9")


def test_a_damaged_file_is_named(file, tmp_path):
    for content in (file[:-20], b"no model", b""):
        folder = save(tmp_path / str(len(content)), "v4", {"run": "v3"}, {"segnet.onnx": content})
        with pytest.raises(FileError, match=r"exported_model/segnet\.onnx is no valid model in ONNX: "):
            open_export(SavedExport(folder, "v4", "float32"))


def test_a_file_of_operators_that_onnxruntime_does_not_know_is_refused(file):
    model = onnx.load_from_string(file)
    model.graph.node[0].domain = "other"
    model.opset_import.add(domain="other", version=1)
    with pytest.raises(FileError, match=rf"^onnxruntime {re.escape(onnxruntime.__version__)} can't run the file in "):
        OnnxNetwork(model.SerializeToString())


def test_without_the_package_the_message_names_it(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RoadSegError, match=r"package onnxruntime, of the extra 'export': pip install onnxruntime$"):
        OnnxNetwork(file)


def test_samples_of_an_exported_network_are_refused(model, file):
    with pytest.raises(InputError, match=r"^samples: expected 0 with another network than .* received 3$"):
        Predictor(model, samples=3, network=OnnxNetwork(file))
