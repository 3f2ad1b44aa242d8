"""What the hooks do at the end of a run; their checks at its beginning are tested in runs/test_faults.py."""

from pathlib import Path

import keras
import pytest
from kedro.io import DataCatalog, Version
from kedro.pipeline import Node, Pipeline

from roadseg.datasets.folder import FolderDataset
from roadseg.datasets.trained_segnet import TrainedSegNetDataset
from roadseg.hooks import TrainingStateHooks
from roadseg.segnet.trained import TrainedSegNet

TRAINING = Pipeline([Node(lambda: None, None, "segnet_model", name="train_segnet")])
SCORING = Pipeline([Node(lambda model: model, "segnet_model", "scores", name="score_scenes")])


def end_run(
    folder: Path,
    pipeline: Pipeline = TRAINING,
    *,
    is_interrupted: bool = False,
    is_versioned: bool = True,
    has_trained: bool = True,
) -> list[str]:
    """Ends a run, and returns the names of the states that are left."""
    for state in ("mine", "other"):
        (folder / "states" / state).mkdir(parents=True)
        (folder / "states" / state / "state.npz").touch()
    images = keras.Input((2, 2, 3))
    record = {"state": "mine", "training": {"is_interrupted": is_interrupted}}
    filepath = str(folder / "segnet.keras")
    model = TrainedSegNetDataset(filepath=filepath, version=Version(None, "v1") if is_versioned else None)
    model.save(TrainedSegNet(keras.Model(images, keras.layers.Conv2D(1, 1)(images)), record))
    if not has_trained:
        model = TrainedSegNetDataset(filepath=filepath, version=Version(None, "v2"))
    states = FolderDataset(filepath=str(folder / "states"))
    TrainingStateHooks().after_pipeline_run(pipeline, DataCatalog({"segnet_model": model, "training_state": states}))
    return sorted(path.name for path in (folder / "states").iterdir())


@pytest.mark.parametrize("is_versioned", [True, False])
def test_a_run_that_has_trained_leaves_no_state_of_its_training(tmp_path: Path, is_versioned: bool) -> None:
    assert end_run(tmp_path, is_versioned=is_versioned) == ["other"]


def test_a_training_that_ctrl_c_ended_keeps_its_state(tmp_path: Path) -> None:
    assert end_run(tmp_path, is_interrupted=True) == ["mine", "other"]


def test_a_run_that_only_scores_removes_nothing(tmp_path: Path) -> None:
    assert end_run(tmp_path, SCORING) == ["mine", "other"]


def test_a_run_that_found_a_model_removes_nothing(tmp_path: Path) -> None:
    assert end_run(tmp_path, has_trained=False) == ["mine", "other"]
