import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from kedro.io import DatasetError, Version

from full_disk import FullDisk
from model_records import model_record
from roadseg.datasets.trained_segnet import TrainedSegNetDataset
from roadseg.segnet.layers import BatchNormalization, MaxPoolingWithIndices2D, MaxUnpooling2D
from roadseg.segnet.trained import TrainedSegNet
from roadseg.training.losses import MaskedCrossentropy
from roadseg.training.metric import RunningMeanIoU
from roadseg.training.optimizer import ConvolutionMuon
from roadseg.training.schedule import WarmUp

# Keras 3.15 reads the weights of TensorFlow in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

DOCS = Path(__file__).parents[2] / "docs/training.md"
SIZE = (15, 24)
RECORD = model_record(run="v1")

FRESH_PROCESS = """
import sys
import numpy as np
from kedro.io import Version
from roadseg.datasets.trained_segnet import TrainedSegNetDataset
filepath, images, logits = sys.argv[1:]
loaded = TrainedSegNetDataset(filepath=filepath, version=Version(None, None)).load()
np.save(logits, loaded.network.predict(np.load(images), verbose=0))
print(loaded.record.class_names)
"""

WITHOUT_PACKAGE = """
import sys
sys.modules["roadseg"] = None
import keras
for options in ({}, {"compile": False}):
    try:
        keras.saving.load_model("segnet.keras", **options)
    except TypeError as fault:
        print(fault)
"""


@pytest.fixture(scope="module")
def trained():
    """A network of one level, with each of the layers that Keras does not know of itself."""
    keras.utils.set_random_seed(0)
    images = keras.Input((*SIZE, 3))
    x = BatchNormalization(momentum=0.9)(keras.layers.Conv2D(8, 3, padding="same")(images))
    x, indices = MaxPoolingWithIndices2D()(x)
    x = MaxUnpooling2D(SIZE)(x, indices)
    return TrainedSegNet(keras.Model(images, keras.layers.Conv2D(2, 3, padding="same")(x)), RECORD)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), np.uint8)


def dataset(folder, *, load=None, save=None, protocol=""):
    return TrainedSegNetDataset(filepath=f"{protocol}{folder}/segnet.keras", version=Version(load, save))


def files_under(folder):
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def test_the_training_of_a_version_comes_back_with_its_state(tmp_path, trained):
    dataset(tmp_path, save="v1").save(replace(trained, state=b"state"))
    earlier = dataset(tmp_path).read_training("v1")
    assert (earlier.run, earlier.record) == ("v1", RECORD)
    with earlier.open() as file, zipfile.ZipFile(file) as archive:
        assert archive.read("training_state.npz") == b"state"
    assert dataset(tmp_path).load().state is None


def test_network_and_record_come_back(tmp_path, trained, images):
    dataset(tmp_path, save="v1").save(trained)
    loaded = dataset(tmp_path).load()
    assert files_under(tmp_path) == ["segnet.keras/v1/segnet.keras"]
    assert loaded.record == RECORD
    np.testing.assert_array_equal(loaded.network.predict(images, verbose=0), trained.network.predict(images, verbose=0))


def test_fresh_process_loads_it_and_predicts_the_same(tmp_path, trained, images):
    dataset(tmp_path, save="v1").save(trained)
    np.save(tmp_path / "images.npy", images)
    arguments = [str(tmp_path / name) for name in ("segnet.keras", "images.npy", "logits.npy")]
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['road', 'sky']"
    np.testing.assert_allclose(
        np.load(tmp_path / "logits.npy"), trained.network.predict(images, verbose=0), rtol=1e-5, atol=1e-6
    )


def save(folder, trained):
    """Saves a model as version `v1`; returns the path."""
    dataset(folder, save="v1").save(trained)
    return folder / "segnet.keras" / "v1" / "segnet.keras"


def save_compiled(folder, trained):
    """Saves a network with all that has a class of the project, loss and optimizer included; returns the path."""
    network = keras.models.clone_model(trained.network)
    rate = WarmUp(0.1, 2, keras.optimizers.schedules.PolynomialDecay(0.1, 3))
    network.compile(ConvolutionMuon(rate), MaskedCrossentropy(with_dice=True), metrics=[RunningMeanIoU(2)])
    network.optimizer.build(network.trainable_variables)
    return save(folder, TrainedSegNet(network, RECORD))


def run_fresh(program, folder):
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("line", "compiled"), [("import roadseg.segnet", False), ("import roadseg.training", True)])
def test_file_opens_with_keras_as_the_documentation_says(tmp_path, trained, line, compiled):
    path = save_compiled(tmp_path, trained) if compiled else save(tmp_path, trained)
    text = DOCS.read_text("utf-8")
    program = re.search("## The model elsewhere.*?```python\n(.*?)```", text, re.DOTALL)[1]
    program = program.replace("import roadseg.segnet", line)
    assert f"`{line}`" in text or line in program
    done = run_fresh(f"{program}\nprint(classes.shape, network.compiled)", path.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"(1, 15, 24) {compiled}"


def test_without_the_package_keras_says_what_to_install(tmp_path, trained):
    path = save_compiled(tmp_path, trained)
    done = run_fresh(WITHOUT_PACKAGE, path.parent)
    assert done.stdout.count("Could not locate class") == 2, done.stderr
    assert done.stdout.count("'install roadseg, then import roadseg.segnet>") >= 2
    assert "`install roadseg, then import roadseg.segnet`" in DOCS.read_text("utf-8")


@pytest.mark.parametrize("package", [b"roadseg", b"install roadseg, then import roadseg.segnet"])
def test_model_that_was_saved_without_its_own_advice_is_loaded(tmp_path, trained, package):
    path = save_compiled(tmp_path, trained)
    older = tmp_path / "older.keras"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(older, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, re.sub(rb"install roadseg, then import [a-z.]+(?=>)", package, archive.read(name)))
    assert b"roadseg.training>" not in zipfile.ZipFile(older).read("config.json")
    assert keras.saving.load_model(older).compiled


def test_older_version_is_loaded_where_it_is_pinned(tmp_path, trained):
    for version in ("v1", "v2"):
        dataset(tmp_path, save=version).save(TrainedSegNet(trained.network, model_record(run=version)))
    assert dataset(tmp_path).load().record.run == "v2"
    assert dataset(tmp_path, load="v1").load().record.run == "v1"


@pytest.mark.parametrize("name", ["segnet.h5", "segnet", "segnet.keras.zip"])
def test_another_ending_is_refused_by_name(name):
    with pytest.raises(DatasetError, match=rf"saved as a .keras file, not as 'models/{name}'"):
        TrainedSegNetDataset(filepath=f"models/{name}")


def test_file_without_a_record_is_refused_by_name(tmp_path, trained):
    path = tmp_path / "segnet.keras"
    trained.network.save(path)
    with pytest.raises(DatasetError, match=rf"'{path}' contains no record.json: it was not saved by this project"):
        TrainedSegNetDataset(filepath=str(path)).load()


def test_file_without_a_network_is_named(tmp_path):
    path = tmp_path / "segnet.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("record.json", RECORD.model_dump_json())
    with pytest.raises(DatasetError, match=rf"\nthe model in '{path}' can't be loaded: .*config\.json"):
        TrainedSegNetDataset(filepath=str(path)).load()


def test_record_is_json_that_a_person_can_read(tmp_path, trained):
    dataset(tmp_path, save="v1").save(trained)
    with zipfile.ZipFile(tmp_path / "segnet.keras" / "v1" / "segnet.keras") as archive:
        assert json.loads(archive.read("record.json")) == RECORD.model_dump(mode="json")


def test_full_disk_leaves_no_version_and_keeps_the_older_ones(tmp_path, trained):
    full = dataset(tmp_path, save="v2", protocol=f"{FullDisk.protocol}://")
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save(trained)
    assert not full.exists()
    assert files_under(tmp_path) == []
    dataset(tmp_path, save="v1").save(trained)
    with pytest.raises(DatasetError, match="the disk is full"):
        full.save(trained)
    assert files_under(tmp_path) == ["segnet.keras/v1/segnet.keras"]
    assert dataset(tmp_path).load().record == RECORD


def test_cut_off_file_is_named(tmp_path, trained):
    dataset(tmp_path, save="v1").save(trained)
    path = tmp_path / "segnet.keras" / "v1" / "segnet.keras"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"segnet\.keras"):
        dataset(tmp_path).load()


def test_other_file_systems_work(trained, images):
    dataset("/models", save="v1", protocol="memory://").save(trained)
    loaded = dataset("/models", protocol="memory://").load()
    assert loaded.network.predict(images, verbose=0).shape == (3, *SIZE, 2)
