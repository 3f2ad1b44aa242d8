"""Each node as an orchestrator runs it: in a process and a checkout of its own, with nothing in common but a store."""

import json
import shutil
from pathlib import Path

import pytest
from kedro.framework.project import configure_project, pipelines

from end_to_end.project import Project, copy_project
from s3_server import S3Server


def list_nodes() -> list[str]:
    """Returns the nodes of a plain `kedro run`, each after those whose results it reads."""
    configure_project("roadseg")
    pipelines.set_requested(None)
    return [node.name for node in pipelines["__default__"].nodes]


@pytest.mark.slow
@pytest.mark.scale
def test_nodes_that_share_nothing_but_a_store_end_with_the_scores_of_a_plain_run(
    trained: Project, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket()
    for node in list_nodes():
        project = copy_project(tmp_path / "checkout")
        project.configure("local", "globals.yml", {"data_folder": f"{bucket}/roadseg"})
        project.run("--nodes", node, environment=s3.environment)
        assert project.files() == {}
        shutil.rmtree(project.folder)
    (path,) = s3.fs.glob(f"{bucket}/roadseg/08_reporting/drawn/scores.json/*/scores.json")
    (plain,) = trained.folder.glob("data/08_reporting/drawn/scores.json/*/scores.json")
    found, expected = (json.loads(content) for content in (s3.fs.cat_file(path), plain.read_bytes()))
    assert found["splits"] == expected["splits"]
    assert s3.fs.glob(f"{bucket}/roadseg/08_reporting/drawn/evaluation_report.html/*/*.html")
    assert len(s3.fs.ls(f"{bucket}/roadseg/08_reporting/drawn/runs")) == len(list_nodes())
