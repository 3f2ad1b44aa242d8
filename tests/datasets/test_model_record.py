import zipfile

import keras
import pytest
from kedro.io import DataCatalog, DatasetError, Version

from model_records import model_record
from roadseg.datasets.catalog import RunCatalog
from roadseg.datasets.model_record import ModelRecordDataset, name_file
from roadseg.datasets.trained_segnet import TrainedSegNetDataset
from roadseg.segnet.model_record import write_record
from roadseg.segnet.trained import TrainedSegNet


def put_record(folder, version):
    """Leaves the file of a model that holds a record and no network."""
    path = folder / "segnet.keras" / version / "segnet.keras"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        write_record(model_record(run=version), archive)


def catalog(folder, load=None):
    models = TrainedSegNetDataset(filepath=f"{folder}/segnet.keras", version=Version(load, "v3"))
    made = RunCatalog({"segnet_model": models, "model_record": ModelRecordDataset(of="segnet_model")})
    made["model_record"].bind(made)
    return made


def test_the_record_is_that_of_the_version_of_the_model_and_needs_no_network(tmp_path):
    for version in ("v1", "v2"):
        put_record(tmp_path, version)
    assert catalog(tmp_path).load("model_record") == model_record(run="v2")
    assert catalog(tmp_path, load="v1").load("model_record") == model_record(run="v1")


def test_what_was_saved_with_the_model_comes_back_and_there_is_no_second_file(tmp_path):
    put_record(tmp_path, "v9")  # of another run, whose clock is ahead
    images = keras.Input((2, 2, 3))
    network = keras.Model(images, keras.layers.Conv2D(1, 1)(images))
    made = catalog(tmp_path)
    made.save("segnet_model", TrainedSegNet(network, model_record(run="v3")))
    made.save("model_record", model_record(run="v3"))
    assert made.load("model_record") == model_record(run="v3")
    assert sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file()) == ["v3", "v9"]


def test_it_is_there_when_the_model_is(tmp_path):
    assert not catalog(tmp_path).exists("model_record")
    put_record(tmp_path, "v1")
    assert catalog(tmp_path).exists("model_record")


def test_outside_a_session_it_is_refused():
    with pytest.raises(DatasetError, match="only inside a Kedro session"):
        ModelRecordDataset(of="segnet_model").load()


def test_it_has_the_file_of_the_model_and_all_others_have_their_own():
    made = DataCatalog({"model_record": ModelRecordDataset(of="segnet_model"), "seed": 1})
    assert [name_file(name, made[name]) for name in made] == ["segnet_model", "seed"]
