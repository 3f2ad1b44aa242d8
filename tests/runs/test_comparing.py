import json

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog
from scipy.sparse import coo_array

from roadseg.runs.comparing import compare_runs
from roadseg.scoring.measures import SceneMeasures
from roadseg.scoring.scores import SCORES
from roadseg.scoring.tables import tabulate_scene_classes, tabulate_scenes

RIGHT, WRONG = [[6, 0], [0, 2]], [[3, 3], [0, 2]]
SAME = {"prepared_scenes": "0a", "split_table": "0b"}
OTHER_SPLIT = {"prepared_scenes": "0a", "split_table": "0c"}
OTHER_SCENES = {"prepared_scenes": "0d", "split_table": "0e"}
DRIVES = [f"{drive}_1" for drive in "abcdef"]
DATASETS = {
    "scene_scores": "pandas.CSVDataset",
    "scene_class_scores": "pandas.CSVDataset",
    "prepared_scenes": "roadseg.datasets.prepared_scenes.PreparedScenesDataset",
}
SCORED = [name for name in SCORES if name != "mean_iou"]


@pytest.fixture
def catalog(tmp_path):
    entries = {
        name: {"type": kind, "filepath": str(tmp_path / name / "file"), "versioned": True}
        for name, kind in DATASETS.items()
    }
    return DataCatalog.from_config(entries)


@pytest.fixture
def scored(tmp_path, run_record):
    """Leaves what an evaluation leaves: scores of scenes, a manifest, and the record that names them."""

    def leave(run, matrices, digests=SAME, stored="0", **facts):
        scenes = pd.DataFrame([("test", scene.split("_")[0], scene, "network") for scene in matrices])
        scenes = scenes.set_axis(["split", "drive", "scene", "resolution"], axis=1)
        measures = [SceneMeasures("", coo_array(np.array(each, np.int64)), None, None) for each in matrices.values()]
        write(tmp_path, "scene_scores", run, tabulate_scenes(scenes, measures).to_csv(index=False))
        of_classes = tabulate_scene_classes(scenes, measures, ["road", "car"])
        write(tmp_path, "scene_class_scores", run, of_classes.to_csv(index=False))
        rows = [{"scene": scene, "usable": True, "facts": f"{scene}-{stored}.json"} for scene in matrices]
        write(tmp_path, "prepared_scenes", run, json.dumps({"classes": [], "image_size": [2, 4], "scenes": rows}))
        scores = {"scenes": len(matrices), "mean_iou": 0.5, **dict.fromkeys(SCORED), "classes": {"road": {}, "car": {}}}
        versions = dict.fromkeys(DATASETS, run)
        facts = {"resolution": "network", **facts}
        return run_record(run, digests=digests, loaded=versions, scores={"test": scores}, **facts)

    return leave


def write(folder, name, run, content):
    path = folder / name / "file" / run / "file"
    path.parent.mkdir(parents=True)
    path.write_text(content)


def compare(catalog, first, second, **options):
    return compare_runs(catalog, first, second, **{"split": "test", "num_scenes": 6, **options})


def sections(comparison):
    return {each.title: each for each in comparison.sections}


def test_what_ran_the_network_stands_beside_the_scores(catalog, scored):
    runtime = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v9", "precision": "int8"}
    first, second = (
        scored(run, dict.fromkeys(DRIVES, RIGHT), **facts)
        for run, facts in ((("r1"), {}), ("r2", {"runtime": runtime}))
    )
    (row,) = [each for each in sections(compare(catalog, first, second))["Runs"].rows if each[0] == "runtime"]
    assert row == ("runtime", "keras", "onnxruntime 1.32.0 from the export v9 (int8)")


def test_runs_over_the_same_scenes_are_compared_without_a_word(catalog, scored):
    first = scored("r1", dict.fromkeys(DRIVES, WRONG))
    second = scored("r2", dict.fromkeys(DRIVES, WRONG) | {"a_1": RIGHT})
    comparison = compare(catalog, first, second)
    assert comparison.notes == []
    assert list(comparison.changed["scene"]) == ["a_1"]
    found = sections(comparison)
    rows = {row[0]: row[1:] for row in found["Split test: 6 scenes that A and B share, at network resolution"].rows}
    assert rows["pixel_accuracy"][:3] == ["0.6250", "0.6875", "+0.0625"]  # 30 and 33 of 48 pixels
    assert len(rows["pixel_accuracy"]) == 5
    assert found["Scores by split"].rows[0] == ("test", "mean_iou", "0.5000", "0.5000", "+0.0000")
    assert found["Scores by split"].rows[-1] == ("test", "scaled_calibration_error", "\N{EN DASH}", "\N{EN DASH}", "")
    assert found["Scenes of test that got worse, by mean IoU"].rows == []


def test_settings_that_differ_are_named(catalog, scored):
    first = scored("r1", {"a_1": RIGHT}, parameters={"seed": 1, "train": {"epochs": 3}}, commit="0123456789")
    second = scored("r2", {"a_1": RIGHT}, parameters={"seed": 1, "train": {"epochs": 5}}, packages={"python": "3.12.1"})
    found = sections(compare(catalog, first, second))
    assert found["Parameters that differ"].rows == [("train.epochs", "3", "5")]
    assert found["Packages and machine that differ"].rows == [("python", "3.11.7", "3.12.1")]
    assert ("commit", "0123456", "-") in found["Runs"].rows
    assert ("content of split_table", "0b", "0b") in found["Runs"].rows


def test_four_drives_have_no_intervals_and_it_says_why(catalog, scored):
    first, second = (scored(run, dict.fromkeys(DRIVES[:4], RIGHT)) for run in ("r1", "r2"))
    section = sections(compare(catalog, first, second))[
        "Split test: 4 scenes that A and B share, at network resolution"
    ]
    assert section.columns == ["score", "A", "B", "B less A"]
    assert "an interval needs at least 5 drives" in section.remark


def test_after_another_split_only_the_common_scenes_are_compared(catalog, scored):
    first = scored("r1", {"a_1": RIGHT, "b_1": RIGHT})
    second = scored("r2", {"b_1": WRONG, "c_1": WRONG, "d_1": WRONG}, OTHER_SPLIT)
    comparison = compare(catalog, first, second)
    assert comparison.notes[0].startswith("A scored 2 scenes of split 'test', B 3, and 1 of these are the same")
    assert list(comparison.changed["scene"]) == ["b_1"]
    scores = sections(comparison)["Scores by split"]
    assert scores.rows[0] == ("test", "mean_iou", "0.5000", "0.5000", "")
    assert scores.remark == "Data, split or resolution are not the same, so no differences are shown."


def test_scenes_of_the_same_name_prepared_from_other_pixels_are_not_compared(catalog, scored):
    first = scored("r1", {"a_1": RIGHT})
    second = scored("r2", {"a_1": RIGHT}, OTHER_SCENES, stored="1")
    comparison = compare(catalog, first, second)
    assert "no scene of split 'test' in common" in comparison.notes[0]
    assert comparison.changed.empty
    assert "Scores by split" in sections(comparison)


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ([None, (720, 1280)], "A is scored at network resolution, B at idd_protocol (720 x 1280):"),
        (
            [(128, 256), (720, 1280)],
            "A is scored at idd_protocol (128 x 256) resolution, B at idd_protocol (720 x 1280):",
        ),
    ],
)
def test_scores_at_two_resolutions_stand_side_by_side_without_a_difference(catalog, scored, sizes, named):
    facts = [
        {"resolution": "idd_protocol", "parameters": {"evaluate": {"protocol_size": size}}} if size else {}
        for size in sizes
    ]
    runs = [scored(f"r{place}", {"a_1": RIGHT}, **each) for place, each in enumerate(facts)]
    comparison = compare(catalog, *runs)
    assert comparison.notes[0].startswith(named)
    assert comparison.changed.empty
    scores = sections(comparison)["Scores by split"]
    assert list(sections(comparison))[-1] == "Scores by split"
    assert scores.rows[0] == ("test", "mean_iou", "0.5000", "0.5000", "")
    assert "resolution are not the same" in scores.remark


def test_scenes_that_other_data_hold_too_are_compared(catalog, scored):
    first = scored("r1", {"a_1": RIGHT, "b_1": RIGHT})
    second = scored("r2", {"a_1": WRONG, "b_1": WRONG, "c_1": WRONG}, OTHER_SCENES)
    comparison = compare(catalog, first, second)
    assert "and 2 of these are the same" in comparison.notes[0]
    assert set(comparison.changed["scene"]) == {"a_1", "b_1"}


@pytest.mark.parametrize("gone", ["r1", "r2"])
def test_a_table_that_was_pruned_is_named_and_the_rest_compared(catalog, scored, tmp_path, gone):
    first, second = (scored(run, {"a_1": RIGHT}) for run in ("r1", "r2"))
    (tmp_path / "scene_class_scores" / "file" / gone / "file").unlink()
    comparison = compare(catalog, first, second)
    assert comparison.notes == [
        f"Classes and scenes are not compared: scene_class_scores {gone} of run {gone} was removed."
    ]
    assert list(sections(comparison))[-1] == "Scores by split"


def test_a_run_of_another_version_of_the_project_is_named_and_the_rest_compared(catalog, scored):
    first, second = scored("r1", {"a_1": RIGHT}), scored("r2", {"a_1": RIGHT})
    older = first.model_copy(update={"loaded": {"confusion_table": "r1", "scene_scores": "r1"}})
    comparison = compare(catalog, older, second)
    assert comparison.notes == [
        "Classes and scenes are not compared: run r1 was scored by another version of RoadSeg; this one "
        "can't read its tables."
    ]
    assert list(sections(comparison))[-1] == "Scores by split"


def test_pruned_scenes_matter_only_where_the_data_differ(catalog, scored, tmp_path):
    first, second = scored("r1", {"a_1": RIGHT}), scored("r2", {"a_1": WRONG})
    (tmp_path / "prepared_scenes/file/r1/file").unlink()
    assert compare(catalog, first, second).notes == []
    other = second.model_copy(update={"digests": OTHER_SCENES})
    assert "prepared_scenes r1 of run r1 was removed" in compare(catalog, first, other).notes[0]


def test_a_run_without_scores_is_refused(catalog, scored, run_record):
    first = scored("r1", {"a_1": RIGHT})
    with pytest.raises(ValueError, match="run r2 has no scores: it ran train_segnet; evaluate its model first"):
        compare(catalog, first, run_record("r2"))


def test_a_split_that_was_not_scored_is_refused(catalog, scored):
    first = scored("r1", {"a_1": RIGHT})
    with pytest.raises(ValueError, match="run r1 has no scores of split 'validation'; it has: test"):
        compare(catalog, first, first, split="validation")


def test_a_run_differs_from_itself_in_nothing(catalog, scored):
    run = scored("r1", dict.fromkeys(DRIVES, WRONG))
    comparison = compare(catalog, run, run)
    found = sections(comparison)
    assert comparison.changed.empty
    assert found["Parameters that differ"].rows == []
    rows = found["Split test: 6 scenes that A and B share, at network resolution"].rows
    assert {tuple(row[3:]) for row in rows} == {("+0.0000", "[+0.0000, +0.0000]", "no clear difference")}
