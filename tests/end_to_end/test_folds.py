"""A k-fold over drives: one run per fold, and their scores in one table."""

import json
import re
import statistics

import pytest

from end_to_end.project import Project


@pytest.mark.slow
def test_every_drive_tests_once_and_the_folds_are_tabulated(project: Project) -> None:
    options = "split.method=k_fold,split.folds=3,train.epochs=1"
    for fold in (0, 2):
        output = project.run("--params", f"{options},split.fold={fold}")
        assert "Split test: 6 scenes of 2 drives" in output or "Split test: 3 scenes of 1 drives" in output
    done = project.kedro("runs", "folds")
    assert done.returncode == 1
    command, choice = re.search(r"fold 1 of the 3 .*: repeat 'kedro run (.+)' with (\S+)\n", done.stdout).groups()
    project.run(*command.replace("split.fold=2", choice).split())

    done = project.kedro("runs", "folds")
    assert done.returncode == 0, done.stdout
    scores = [json.loads(path.read_text()) for path in sorted(project.folder.glob("data/08_reporting/drawn/runs/*"))]
    by_fold = {each["parameters"]["split"]["fold"]: each["scores"]["test"] for each in scores}
    expected = [by_fold[fold]["mean_iou"] for fold in range(3)]
    expected += [statistics.mean(expected), statistics.stdev(expected)]
    (printed,) = re.findall(r"^mean_iou +(.+)$", done.stdout, re.MULTILINE)
    assert printed.split() == [f"{each:.4f}" for each in expected]
    assert sum(each["drives"] for each in by_fold.values()) == 5
    assert sum(each["scenes"] for each in by_fold.values()) == 15
    assert len(re.findall(r"^IoU ", done.stdout, re.MULTILINE)) == 7

    (run,) = [each["run"] for each in scores if each["parameters"]["split"]["fold"] == 1]
    pins = ",".join(f"{name}:{run}" for name in ("prepared_scenes", "split_table", "segnet_model"))
    project.run("--pipelines", "evaluate", "--load-versions", pins)  # scored again, alone and with other parameters
    records = sorted(project.folder.glob("data/08_reporting/drawn/runs/*"))
    records[0].with_name("damaged.json").write_text("{")
    again = project.kedro("runs", "folds")
    assert again.returncode == 1
    assert "damaged.json' is not a run record" in again.stdout
    assert re.findall(r"^1 +(\S+) ", again.stdout, re.MULTILINE) == [records[-1].stem]
    assert re.findall(r"^mean_iou +(.+)$", again.stdout, re.MULTILINE) == [printed]
