"""`kedro runs` and its commands, called in this process; as a user calls them is tested in `end_to_end`."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

from roadseg.cli import cli
from roadseg.datasets.run_records import RunRecord, RunRecordsDataset
from roadseg.scoring.scores import SCORES

REPOSITORY = Path(__file__).parents[2]
FIRST, SECOND = "2026-01-30T10.00.00.000Z", "2026-01-31T10.00.00.000Z"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the configuration of the project, in which nothing has run."""
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/local").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def leave(project: Path, run_record: Callable[..., RunRecord]) -> Callable[..., None]:
    """Leaves the record of a run that scored, from its id, its mean IoU and what else is to be said of it."""

    def save(run: str, mean_iou: float, environment: str = "drawn", **facts: Any) -> None:
        records = RunRecordsDataset(filepath=str(project / f"data/08_reporting/{environment}/runs"))
        of_test = dict.fromkeys(SCORES) | {"mean_iou": mean_iou, "scenes": 4, "drives": 2, "classes": {}}
        parameters = {"seed": 1, "evaluate": {"batch_size": 8}} | facts.pop("parameters", {})
        digests = {"prepared_scenes": "of all", "split_table": run}
        known = {"scores": {"test": of_test}, "resolution": "network", "digests": digests}
        (project / f"data/08_reporting/{environment}/runs").mkdir(parents=True, exist_ok=True)
        records.save(run_record(run, parameters=parameters, **known, **facts))

    return save


def call(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["runs", *arguments], obj=bootstrap_project(project))


def succeed(project: Path, *arguments: str) -> list[str]:
    """Returns the lines that a command prints which must succeed."""
    done = call(project, *arguments)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def refuse(project: Path, *arguments: str) -> str:
    """Returns the sentence that a command ends in which must fail."""
    done = call(project, *arguments)
    assert done.exit_code == 1, done.output
    return done.output[done.output.index("Error: ") :]


def test_runs_are_listed_newest_first_in_another_order_and_up_to_a_limit(
    project: Path, leave: Callable[..., None]
) -> None:
    leave(FIRST, 0.75)
    leave(SECOND, 0.5)
    heading, *rows = succeed(project, "list")
    assert heading.split()[0] == "run"
    assert [(row.split()[0], row.split()[-2]) for row in rows] == [(SECOND, "0.5000"), (FIRST, "0.7500")]
    (row,) = succeed(project, "list", "--sort", "mean_iou", "--limit", "1")[1:]
    assert row.startswith(FIRST)


def test_runs_of_another_environment_are_listed_alone(project: Path, leave: Callable[..., None]) -> None:
    leave(FIRST, 0.75)
    leave(SECOND, 0.5, "camvid")
    assert [row.split()[0] for row in succeed(project, "list", "--env", "camvid")] == ["run", SECOND]


def test_damaged_records_are_named_after_the_others(project: Path, leave: Callable[..., None]) -> None:
    leave(FIRST, 0.75)
    (project / f"data/08_reporting/drawn/runs/{SECOND}.json").write_text("{}")
    done = call(project, "list")
    assert done.exit_code == 1
    assert [line.split()[0] for line in done.output.splitlines()] == ["run", FIRST, "Error:"]
    assert f"{SECOND}.json' is not a run record" in done.output


def test_without_runs_there_is_nothing_to_list_or_compare(project: Path) -> None:
    sentence = (
        f"Error: there are no runs in '{project}/data/08_reporting/drawn/runs' yet; `kedro run` makes the first\n"
    )
    assert refuse(project, "list") == refuse(project, "compare", "latest", "previous") == sentence


def test_what_can_not_be_asked_for_is_told_with_what_can(project: Path) -> None:
    done = call(project, "list", "--sort", "beauty")
    assert done.exit_code == 2
    assert "'beauty' is not one of 'newest', 'mean_iou', 'validation_mean_iou', 'time'" in done.output
    assert call(project, "list", "--limit", "0").exit_code == 2
    assert call(project, "compare", "latest").exit_code == 2


def test_runs_over_other_scenes_are_compared_and_the_page_holds_what_is_printed(
    project: Path, leave: Callable[..., None]
) -> None:
    leave(FIRST, 0.25)
    leave(SECOND, 0.75, given_parameters={"seed": 2}, parameters={"seed": 2})
    lines = succeed(project, "compare", "previous", "latest")
    assert [line.split() for line in lines if line.startswith("seed")] == [["seed", "1", "2"]]
    rows = [line.split()[:4] for line in lines if line.startswith("test ")]
    assert ["test", "mean_iou", "0.2500", "0.7500"] in rows
    page = (project / lines[-1]).read_text()
    assert lines[-1].startswith("data/08_reporting/drawn/comparison.html/")
    for text in (FIRST, SECOND, "0.7500"):
        assert text in page


def test_folds_are_tabulated_with_mean_and_deviation(project: Path, leave: Callable[..., None]) -> None:
    for fold, mean_iou in enumerate((0.25, 0.5, 0.75)):
        run = f"2026-01-1{fold}T10.00.00.000Z"
        leave(
            run,
            mean_iou,
            command=f"kedro run --params split.fold={fold}",
            parameters={"split": {"method": "k_fold", "folds": 3, "fold": fold}},
            saved={"split_table": run, "segnet_model": run},
        )
    lines = succeed(project, "folds")
    (row,) = (line for line in lines if line.startswith("mean_iou"))
    assert row.split() == ["mean_iou", "0.2500", "0.5000", "0.7500", "0.5000", "0.2500"]
