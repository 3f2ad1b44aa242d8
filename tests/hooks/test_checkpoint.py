from pathlib import Path

import keras

from model_records import model_record
from roadseg.datasets.catalog import RunCatalog
from roadseg.hooks.checkpoint import CheckpointHooks
from roadseg.segnet.trained import TrainedSegNet


def end_run(folder: Path, *, has_trained: bool = True, is_interrupted: bool = False) -> list[str]:
    """Ends a run, and returns the names of the checkpoints that are left."""
    for state in ("mine", "other"):
        (folder / "states" / state).mkdir(parents=True)
        (folder / "states" / state / "state.npz").touch()
    images = keras.Input((2, 2, 3))
    record = model_record(state="mine", training={"is_interrupted": is_interrupted})
    states = {"type": "roadseg.datasets.folder.FolderDataset", "filepath": str(folder / "states")}
    hooks = CheckpointHooks()
    hooks.before_pipeline_run()
    if has_trained:
        model = TrainedSegNet(keras.Model(images, keras.layers.Conv2D(1, 1)(images)), record)
        hooks.after_dataset_saved("segnet_model", model)
    hooks.after_dataset_saved("scores", {})
    hooks.after_pipeline_run(RunCatalog.from_config({"training_state": states}))
    return sorted(path.name for path in (folder / "states").iterdir())


def test_a_run_that_has_trained_leaves_no_checkpoint_of_its_training(tmp_path: Path) -> None:
    assert end_run(tmp_path) == ["other"]


def test_a_training_that_ctrl_c_ended_keeps_its_checkpoint(tmp_path: Path) -> None:
    assert end_run(tmp_path, is_interrupted=True) == ["mine", "other"]


def test_a_run_that_has_not_trained_removes_nothing(tmp_path: Path) -> None:
    assert end_run(tmp_path, has_trained=False) == ["mine", "other"]
