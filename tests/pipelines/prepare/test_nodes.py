"""Each node of the prepare pipeline, called as the function that it is."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import numpy as np
import pandas as pd
import pytest

from roadseg.errors import InputError
from roadseg.pipelines.prepare.nodes import index_scenes, prepare_scenes, report_data, split_scenes
from roadseg.reading.scene_store import SceneStore
from roadseg.reading.whole_file import WholeFiles
from roadseg.reading.work_options import WorkOptions
from roadseg.scenes.faults import Fault, FaultKind
from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.palette import PictureOptions
from roadseg.scenes.prepared import PreparedScene, PreparedScenes
from roadseg.scenes.preprocessing import PrepareOptions
from roadseg.scenes.raw import RawScenes, Scene, SceneOptions, SceneRecord
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import SplitOptions, SplitShares

LABELS = LabelSpace.model_validate(
    {
        "classes": [
            {"name": "road", "colour": (1, 2, 3), "raw": ["lane", "kerb"]},
            {"name": "sky", "colour": (4, 5, 6), "raw": ["cloud"]},
        ],
        "void": ["dirt"],
    }
)
PUBLISHED = SplitOptions(
    method="published",
    shares=SplitShares(train=0.6, validation=0.2, test=0.2),
    test_share=0.5,
    drive=None,
    folds=3,
    fold=0,
)
WORK = WorkOptions(in_flight=16, cluster=None, wait_for_workers=60)


class Quarters(RawScenes):
    """Scenes of drives a and b, whose quarters are lane, kerb, cloud and dirt, in this order of the pixels."""

    records: ClassVar[dict[str, SceneRecord]] = {
        f"{drive}_{frame}": SceneRecord(drive, None, "1") for drive in "ab" for frame in range(3)
    }

    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        label_map = np.kron([[7, 8], [9, 11]], np.ones((4, 6), int))
        image = np.repeat(10 * label_map[..., None], 3, axis=2).astype(np.uint8)
        return Scene(image, label_map, {7: "lane", 8: "kerb", 9: "cloud", 11: "dirt"}, (8, 12))


class Nameless(Quarters):
    """The same scenes, in which lane has no name."""

    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        return replace(super().read(scene, least), raw_names={8: "kerb", 9: "cloud", 11: "dirt"})


@pytest.mark.parametrize("workers", [1, 2])
def test_label_without_a_name_is_told_with_the_entry_that_gives_it_one(tmp_path: Path, workers: int) -> None:
    store = SceneStore(WholeFiles(fsspec.filesystem("file")), str(tmp_path / "store"))
    options = PrepareOptions(image_size=(2, 4), unknown_label="error", unusable_share=0.0, workers=workers)
    with pytest.raises(InputError) as raised:
        prepare_scenes(Nameless(), LABELS, store, options, SceneOptions(limit=None), PUBLISHED, WORK)
    assert str(raised.value) == (
        "scene 'a_0': id 7 has no name in raw_names; set prepare.unknown_label to 'void', "
        "or give it a name there, in raw_scenes of the catalog, if its type is SceneFoldersDataset"
    )


def test_a_split_that_the_drives_do_not_allow_is_refused_before_anything_is_prepared(tmp_path: Path) -> None:
    store = SceneStore(WholeFiles(fsspec.filesystem("file")), str(tmp_path / "store"))
    options = PrepareOptions(image_size=(2, 4), unknown_label="error", unusable_share=0.0, workers=1)
    folds = PUBLISHED.model_copy(update={"method": "k_fold"})
    with pytest.raises(InputError, match="expected at most 2 folds, as many as there are such drives, received 3"):
        prepare_scenes(Quarters(), LABELS, store, options, SceneOptions(limit=None), folds, WORK)
    assert not (tmp_path / "store").exists()


def test_as_many_scenes_as_asked_for_are_prepared_and_stored(tmp_path: Path) -> None:
    store = SceneStore(WholeFiles(fsspec.filesystem("file")), str(tmp_path / "store"))
    options = PrepareOptions(image_size=(2, 4), unknown_label="error", unusable_share=0.0, workers=1)
    prepared = prepare_scenes(Quarters(), LABELS, store, options, SceneOptions(limit=2), PUBLISHED, WORK)
    assert list(prepared) == ["a_0", "b_0"]  # the drives take turns
    assert [(each.name, each.colour) for each in prepared.classes] == [("road", (1, 2, 3)), ("sky", (4, 5, 6))]
    for scene in prepared.values():
        assert scene.raw_size == (8, 12)
        assert scene.label_map is not None
        assert scene.label_map.tolist() == [[0, 0, 0, 0], [1, 1, 255, 255]]
        assert scene.image[:, [0, 3], 0].tolist() == [[70, 80], [90, 110]]
    assert len(list(store.list_files())) == 2 * 3 + 1  # and the index of their facts


@pytest.fixture
def prepared(in_memory: Callable[..., PreparedScenes]) -> PreparedScenes:
    """Four scenes, one of them without labels; a_1 has two faults."""

    def scene(label_map: Any, *faults: Fault) -> PreparedScene:
        image = np.full((2, 3, 3), 9, np.uint8)
        return PreparedScene(image, label_map and np.array(label_map, np.uint8), (20, 30), faults)

    faults = Fault(FaultKind.UNKNOWN_LABEL, "moon"), Fault(FaultKind.VERTEX_OUTSIDE, "")
    return in_memory(
        {
            "a_0": scene([[0, 0, 0], [2, 2, 255]]),
            "a_1": scene([[0, 0, 0], [0, 0, 0]], *faults),
            "b_0": scene([[2, 2, 2], [255, 255, 255]], faults[0]),
            "c_0": scene(None),
        }
    )


def test_index_has_the_scenes_their_pixels_and_their_faults_and_tells_each_kind_once(
    prepared: PreparedScenes, caplog: pytest.LogCaptureFixture
) -> None:
    scene_index, class_pixels, fault_table = index_scenes(prepared)
    assert scene_index[["scene", "drive", "height", "width", "labelled"]].to_numpy().tolist() == [
        ["a_0", "a", 20, 30, True],
        ["a_1", "a", 20, 30, True],
        ["b_0", "b", 20, 30, True],
        ["c_0", "c", 20, 30, False],
    ]
    assert class_pixels[["scene", "class", "pixels"]].to_numpy().tolist() == [
        ["a_0", "class 0", 3],
        ["a_0", "class 2", 2],
        ["a_1", "class 0", 6],
        ["b_0", "class 2", 3],
    ]
    assert fault_table[["scene", "kind"]].to_numpy().tolist() == [
        ["a_1", "unknown label"],
        ["a_1", "vertex outside the frame"],
        ["b_0", "unknown label"],
    ]
    assert sorted(caplog.messages) == [
        "Fault 'unknown label': 2 scenes used anyway, 0 left out",
        "Fault 'vertex outside the frame': 1 scenes used anyway, 0 left out",
    ]


def test_split_tells_what_makes_scores_on_it_say_less(
    prepared: PreparedScenes, caplog: pytest.LogCaptureFixture
) -> None:
    scene_index, class_pixels, _ = index_scenes(prepared)
    published = scene_index.assign(
        published_split=["train", "validation", "test", "sky"], image_hash=["x", "y", "x", "z"]
    )
    caplog.clear()
    with caplog.at_level(logging.INFO):
        split_table = split_scenes(prepared, published, class_pixels, PUBLISHED, Seed(1))
    assert split_table.to_numpy().tolist() == [["a_0", "a", "train"], ["a_1", "a", "validation"], ["b_0", "b", "test"]]
    told = {
        level: [each.message for each in caplog.records if each.levelname == level] for level in ("INFO", "WARNING")
    }
    assert sorted(told["INFO"]) == [
        "None of the 1 scenes published as sky has labels: they are in no split",
        "Split test: 1 scenes of 1 drives",
        "Split train: 1 scenes of 1 drives",
        "Split validation: 1 scenes of 1 drives",
    ]
    assert told["WARNING"] == [
        "No scene has a pixel of class 1: no network can learn it from these scenes",
        "Split validation has no pixel of class 2",
        "Split test has no pixel of class 0",
        "Drive a is in train and validation, so scores on it are too high",
        "2 scenes have the same pixels as one of another split; data_report names them",
    ]


def test_data_report_is_drawn_in_the_colours_that_are_asked_for(prepared: PreparedScenes) -> None:
    scene_index, class_pixels, _ = index_scenes(prepared)
    split_table = pd.DataFrame({"scene": ["a_0", "b_0"], "drive": ["a", "b"], "split": ["train", "test"]})
    pages = [
        report_data(prepared, scene_index, class_pixels, split_table, PictureOptions(palette=palette))
        for palette in ("classes", "safe")
    ]
    own, safe = "rgb(0, 0, 230)", "rgb(0, 114, 178)"  # of class 1, and the most alike of the safe colours
    assert [(own in page, safe in page) for page in pages] == [(True, False), (False, True)]
