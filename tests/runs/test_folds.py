import pytest
from kedro.io import DatasetError

from roadseg.datasets.run_records import RunRecordsDataset
from roadseg.errors import InputError
from roadseg.runs.folds import choose_folds, compare_folds
from roadseg.scoring.scores import SCORES


def digests(fold):
    return {"prepared_scenes": "0a", "split_table": f"of fold {fold}"}


def summarise(mean_iou, sky):
    shape = {"scenes": 4, "drives": 2, "classes": {"sky": {"iou": sky}}}
    return dict.fromkeys(SCORES) | {"mean_iou": mean_iou} | shape


@pytest.fixture
def leave(tmp_path, run_record):
    """Leaves the record of a run of a fold, and returns the records."""
    records = RunRecordsDataset(filepath=str(tmp_path / "runs"))

    def save(run, fold=0, *, method="k_fold", epochs=2, scenes="0a", mean_iou=0.5, **facts):
        split = {"method": method, "folds": 3, "fold": fold}
        known = {
            "command": f"kedro run --params split.fold={fold}",
            "parameters": {"split": split, "train": {"epochs": epochs}},
            "digests": digests(fold) | {"prepared_scenes": scenes},
            "resolution": "network",
            "scores": {"test": summarise(mean_iou, None if fold == 1 else mean_iou)},
            "saved": {"split_table": run, "segnet_model": run},
        }
        records.save(run_record(run, **known | facts))
        return records

    return save


def leave_three(leave):
    for fold, mean_iou in enumerate((0.25, 0.5, 0.75)):
        records = leave(f"r{fold}", fold, mean_iou=mean_iou)
    return records


def choose(records, name):
    folds, damaged = choose_folds(records, name)
    assert damaged == []
    return [each.scored.run for each in folds]


def test_scores_of_all_folds_stand_beside_their_mean_and_deviation(leave):
    of_runs, of_scores = compare_folds(choose_folds(leave_three(leave), "latest")[0], "test")
    assert of_runs.rows == [(str(fold), f"r{fold}", "4", "2", "done") for fold in range(3)]
    assert of_scores.title == "Scores of split test, at network resolution"
    assert of_scores.columns == ("score", "fold 0", "fold 1", "fold 2", "mean", "deviation")
    rows = {row[0]: row[1:] for row in of_scores.rows}
    assert rows["mean_iou"] == ("0.2500", "0.5000", "0.7500", "0.5000", "0.2500")
    assert rows["boundary_f1"] == ("\N{EN DASH}",) * 5
    assert rows["IoU sky"] == ("0.2500", "\N{EN DASH}", "0.7500", "0.5000", "0.3536")  # the root of 1/8


def test_runs_stand_in_the_order_of_the_folds_and_the_newest_of_a_fold_counts(leave):
    leave("r1", 0)
    leave("r2", 2)
    leave("r3", 1)
    records = leave("r4", 0)
    assert choose(records, "latest") == ["r4", "r3", "r2"]


def test_any_run_of_a_k_fold_names_it(leave):
    leave_three(leave)
    for fold in range(3):
        records = leave(f"s{fold}", fold, epochs=9)
    assert choose(records, "latest") == ["s0", "s1", "s2"]
    assert choose(records, "r1") == ["r0", "r1", "r2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epochs": 3}, "train.epochs is 3 and not 2"),
        ({"scenes": "0b"}, "content of prepared_scenes is 0b and not 0a"),
        ({"resolution": "native"}, "resolution is native and not network"),
        (
            {"runtime": {"name": "onnxruntime", "version": "1", "precision": "int8"}},
            "runtime is onnxruntime, int8 and not keras",
        ),
    ],
)
def test_runs_that_are_not_alike_are_not_mixed(leave, change, reason):
    leave("r0", 1, **change)
    leave("r1", 0)
    records = leave("r2", 2)
    advice = "repeat 'kedro run --params split.fold=2' with split.fold=1; run r0 of fold 1 differs: "
    with pytest.raises(InputError, match=rf"fold 1 of the 3 folds of run r2 has no matching run .*: {advice}{reason}$"):
        choose_folds(records, "latest")
    assert choose(leave("r3", 1), "latest") == ["r1", "r3", "r2"]


def test_runs_from_before_there_was_a_runtime_are_like_those_of_keras(leave):
    for fold, added in enumerate(({}, {"runtime": "keras"}, {"runtime": "keras"})):
        split = {"method": "k_fold", "folds": 3, "fold": fold}
        runtime = {"name": "keras", "version": "3.15.1"} if added else None
        records = leave(f"r{fold}", parameters={"split": split, "evaluate": {"samples": 0} | added}, runtime=runtime)
    assert choose(records, "latest") == ["r0", "r1", "r2"]


def test_of_many_differences_three_are_named(leave):
    other = {"split": {"method": "k_fold", "folds": 3, "fold": 1}, "a": 1, "b": 2, "c": 3}
    leave("r0", 1, parameters=other)
    with pytest.raises(
        InputError, match=r"train.epochs is - and not 2, a is 1 and not -, b is 2 and not - and 1 more$"
    ):
        choose_folds(leave("r1", 0), "latest")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "drives"},
        {"scores": None},
        {"saved": {"segnet_model": "r1"}},
        {"parameters": {}},
        {"saved": {}, "loaded": {"split_table": "gone", "segnet_model": "gone"}},
        {"saved": {"split_table": "r1"}, "loaded": {"segnet_model": "r1"}},  # of another data set
    ],
)
def test_run_that_is_of_no_k_fold_or_has_no_scores_is_refused(leave, change):
    records = leave("r1", 0, **change)
    for name, told in (("latest", "there is no run"), ("r", "run r1 is not part")):
        with pytest.raises(InputError, match=rf"^{told} of a k-fold: expected one that scored a model that was"):
            choose_folds(records, name)


def test_split_without_scores_is_refused(leave):
    folds, _ = choose_folds(leave_three(leave), "latest")
    with pytest.raises(InputError, match="run r0 has no scores of split 'train'; it has: test"):
        compare_folds(folds, "train")


def test_a_model_that_was_scored_alone_is_of_the_fold_that_it_was_trained_for(leave):
    leave_three(leave)
    alone = {"saved": {}, "loaded": {"split_table": "r1", "segnet_model": "r1"}, "parameters": {"evaluate": {"x": 1}}}
    leave("s1", command="kedro run --pipelines evaluate", **alone | {"digests": digests(1)})
    advice = "repeat the runs r1, s1 with split.fold=0; run r0 of fold 0 differs: evaluate.x is - and not 1"
    with pytest.raises(
        InputError, match=f"fold 0, 2 of the 3 folds of run s1 has no matching run with scores: {advice}"
    ):
        choose_folds(leave("s3", **alone, digests=digests(2)), "latest")
    for fold in (0, 2):
        alone["loaded"] = {"split_table": f"r{fold}", "segnet_model": f"r{fold}"}
        records = leave(f"s{fold}", **alone, digests=digests(fold), scores={"test": summarise(0.1, 0.1)})
    assert choose(records, "latest") == ["s0", "s1", "s2"]
    folds, _ = choose_folds(records, "s2")
    assert [each.runs for each in folds] == [["r0", "s0"], ["r1", "s1"], ["r2", "s2"]]


def test_split_training_and_scores_of_three_runs_are_one_fold(leave):
    leave("r0", 0)
    leave("r1", 2)
    leave("a", 1, saved={"split_table": "a"}, scores=None)
    unlike = {"method": "drives", "epochs": 2}
    leave("b", **unlike, saved={"segnet_model": "b"}, loaded={"split_table": "a"}, scores=None, digests=digests(1))
    loaded = {"split_table": "a", "segnet_model": "b"}
    records = leave("c", method="drives", epochs=7, saved={}, loaded=loaded, digests=digests(1))
    assert choose(records, "c") == choose(records, "b") == ["r0", "c", "r1"]


def test_a_damaged_record_of_another_run_stops_nothing_and_is_told(leave, tmp_path):
    records = leave_three(leave)
    (tmp_path / "runs/x.json").write_text("{")
    folds, damaged = choose_folds(records, "latest")
    assert [each.scored.run for each in folds] == ["r0", "r1", "r2"]
    (told,) = damaged
    assert told.startswith(f"'{tmp_path}/runs/x.json' is not a run record (")
    with pytest.raises(DatasetError, match=r"x\.json' is not a run record"):
        choose_folds(records, "x")
    (tmp_path / "runs/r1.json").write_text("")
    with pytest.raises(
        InputError, match=r"fold 1 of the 3 .* with split.fold=1; '.*x.json' is not .*; '.*r1.json' is not"
    ):
        choose_folds(records, "latest")
