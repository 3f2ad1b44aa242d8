"""What a user sees of the records of runs: what a run leaves, `kedro runs list` and `kedro runs compare`."""

import json
import re

import pytest
from click.exceptions import Exit
from kedro.framework.startup import bootstrap_project
from kedro.runner import SequentialRunner

from end_to_end.project import Project
from roadseg.session import RoadSegSession

RECORDS = "data/08_reporting/drawn/runs"
DAMAGED = "2026-01-01T00.00.00.000Z"


def read_records(project: Project, data_set: str = "drawn") -> list[dict]:
    return [
        json.loads(path.read_text()) for path in sorted(project.folder.glob(f"data/08_reporting/{data_set}/runs/*"))
    ]


def refuse(project: Project, *arguments: str) -> str:
    """Returns the sentence that a `kedro runs` ends in that must fail."""
    done = project.kedro("runs", *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout[done.stdout.index("Error: ") :]


def succeed(project: Project, *arguments: str) -> str:
    done = project.kedro("runs", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_run_leaves_a_record_of_what_it_read_wrote_and_scored(trained: Project) -> None:
    (record,) = read_records(trained)
    (run,) = trained.versions("06_models/drawn/segnet.keras")
    assert (record["run"], record["state"], record["fault"]) == (run, "done", None)
    assert record["command"] == "kedro run"
    assert record["parameters"]["train"]["epochs"] == 2
    assert record["backend"] == "tensorflow"
    assert {"kedro", "keras", "numpy", "python"} <= set(record["packages"])
    on_disk = {path.parents[1].name for path in trained.folder.glob(f"data/*/drawn/**/{run}/*.*")}
    assert set(record["saved"].values()) == set(record["loaded"].values()) == {run}
    assert len(record["saved"]) == len(on_disk) == 31
    scores = json.loads(next(trained.folder.glob("data/08_reporting/drawn/scores.json/*/scores.json")).read_text())
    assert record["scores"] == scores["splits"]
    assert f"{RECORDS}/{run}.json" in (trained.folder / "output.txt").read_text()


@pytest.mark.slow
def test_two_models_are_listed_and_set_side_by_side(trained_copy: Project) -> None:
    (first,) = trained_copy.versions("06_models/drawn/segnet.keras")
    trained_copy.run("--pipelines", "train,evaluate", "--params", "train.epochs=1")
    first, second = trained_copy.versions("06_models/drawn/segnet.keras")
    assert "train.device is 'gpu', but" in trained_copy.fail("--pipelines", "train", "--params", "train.device=gpu")
    scores = {each["run"]: each["scores"] for each in read_records(trained_copy)}

    listed = succeed(trained_copy, "list").splitlines()
    assert [line.split()[0] for line in listed] == ["run", max(scores), second, first]
    assert "failed: train.device is 'gpu', but" in listed[1]
    assert "train.device=gpu" in listed[1]
    assert re.search(
        rf"evaluate, train .* train.epochs=1 .* {scores[second]['test']['mean_iou']:.4f}  done$", listed[2]
    )
    best = max((first, second), key=lambda run: scores[run]["test"]["mean_iou"])
    assert best in succeed(trained_copy, "list", "--sort", "mean_iou", "--limit", "1").splitlines()[1]

    output = succeed(trained_copy, "compare", "previous", second, "--split", "train", "--scenes", "2")
    assert re.search(r"train.epochs +2 +1\n", output)
    ours, theirs = (scores[run]["train"]["mean_iou"] for run in (first, second))
    assert re.search(rf"train +mean_iou +{ours:.4f} +{theirs:.4f} +{re.escape(f'{theirs - ours:+.4f}')}\n", output)
    assert "an interval needs at least 5 drives" in output
    page = trained_copy.folder / output.splitlines()[-1]
    assert page.name == "comparison.html"
    html = page.read_text()
    assert f"{theirs - ours:+.4f}" in html
    pictures = html.count('src="data:image/')
    assert pictures % 4 == 0
    assert 0 < pictures <= 4 * 4

    (trained_copy.folder / f"data/06_models/drawn/segnet.keras/{first}/segnet.keras").unlink()
    output = succeed(trained_copy, "compare", first, "latest", "--split", "train")
    missing = f"There are no pictures: segnet_model {first} of run {first} was removed."
    assert missing in output
    html = (trained_copy.folder / output.splitlines()[-1]).read_text()
    assert missing in html
    assert "data:image/" not in html


def test_without_runs_there_is_nothing_to_list_or_compare(project: Project) -> None:
    assert f"there are no runs in '{project.folder / RECORDS}' yet" in refuse(project, "list")
    assert "there are no runs" in refuse(project, "compare", "latest", "previous", "--env", "camvid")
    assert "conf/camvdi" in refuse(project, "list", "--env", "camvdi")


def test_a_damaged_record_is_named_and_the_others_are_listed(trained_copy: Project) -> None:
    (run,) = trained_copy.versions("06_models/drawn/segnet.keras")
    (trained_copy.folder / RECORDS / f"{DAMAGED}.json").write_text('{"run":')
    done = trained_copy.kedro("runs", "list")
    assert done.returncode == 1
    assert run in done.stdout
    assert f"Error: '{trained_copy.folder / RECORDS / DAMAGED}.json' is not a run record" in done.stdout
    assert "is not a run record" in refuse(trained_copy, "compare", run, DAMAGED)
    assert f"there is no run '1999'; the newest are {run}" in refuse(trained_copy, "compare", run, "1999")


def run_here(project: Project, monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """Runs `prepare` in this process up to a fault in its first node."""

    class Stopped(SequentialRunner):
        def _run(self, *arguments: object, **options: object) -> None:
            raise fault

    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("roadseg.session.atexit.register", lambda *_: None)  # it would end this process
    bootstrap_project(project.folder)
    with RoadSegSession.create(project.folder) as session:
        session.run(pipeline_names=["prepare"], runner=Stopped())


def test_a_run_that_ctrl_c_aborts_leaves_a_record(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exit):
        run_here(project, monkeypatch, KeyboardInterrupt())
    (record,) = read_records(project)
    assert (record["state"], record["fault"], record["pipelines"]) == ("interrupted", None, ["prepare"])


def test_a_fault_of_the_program_leaves_a_record_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        run_here(project, monkeypatch, ValueError("operands could not be broadcast together"))
    (record,) = read_records(project)
    assert (record["state"], record["fault"]) == ("failed", "ValueError('operands could not be broadcast together')")
