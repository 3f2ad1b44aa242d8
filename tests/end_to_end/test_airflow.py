"""The project as a DAG of Airflow, made by kedro-airflow with our template."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from end_to_end.project import REPOSITORY, Project
from end_to_end.test_nodes_apart import list_nodes

READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
tasks = {
    task.task_id: [task.bash_command, sorted(task.upstream_task_ids)] for dag in bag.dags.values() for task in dag.tasks
}
print(json.dumps([bag.import_errors, sorted(bag.dags), tasks]))
"""


def make_dag(project: Project, options: Sequence[str]) -> list[Any]:
    """Returns what Airflow reads of the DAG: errors, names of DAGs, and each task with its command and those before."""
    (project.folder / "docs").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "docs/airflow_dag.j2", project.folder / "docs")
    command = ("airflow", "create", "--env", "local", "--jinja-file", "docs/airflow_dag.j2", *options)
    done = project.kedro(*command)
    assert done.returncode == 0, done.stdout
    environment = {
        "AIRFLOW_HOME": str(project.folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "ROADSEG_CHECKOUT": str(project.folder),
        "PATH": "",
    }
    reading = [sys.executable, "-c", READ, str(project.folder / "airflow_dags")]
    told = subprocess.run(reading, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    found: list[Any] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.mark.airflow
def test_airflow_reads_the_dag_of_a_plain_run_with_a_task_per_node_or_per_pipeline(
    tmp_path: Path, project: Project
) -> None:
    pytest.importorskip("kedro_airflow", reason="needs the extra `airflow`")
    errors, names, tasks = make_dag(project, ())
    assert (errors, names) == ({}, ["roadseg-local"])
    assert [command for command, _ in tasks.values()] == [
        f"kedro run --env local --nodes {each}" for each in list_nodes()
    ]
    assert tasks["train-train-segnet"][1] == ["prepare-prepare-scenes", "prepare-split-scenes"]
    _, _, tasks = make_dag(project, ("--group-by", "namespace"))
    assert {name: before for name, (_, before) in tasks.items()} == {
        "prepare": [], "train": ["prepare"], "evaluate": ["prepare", "train"]
    }  # fmt: skip
    assert tasks["train"][0] == "kedro run --env local --nodes train.train_segnet,train.draw_curves,train.draw_network"
