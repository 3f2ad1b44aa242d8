"""A project whose raw data and results are in buckets, run as a user runs it: nothing stays on the local disk."""

from pathlib import Path

import pytest
import yaml

from end_to_end.project import Project
from s3_server import S3Server

OWNER = {"owner": dict(S3Server.credentials)}


class StoredProject:
    """A small project for IDD in one bucket, with its results in another.

    Attributes:
        results: Where these are.
    """

    def __init__(self, project: Project, s3: S3Server, raw: Path) -> None:
        self._project, self._s3 = project, s3
        self._raw, self.results = f"{s3.make_bucket()}/raw", f"{s3.make_bucket()}/roadseg"
        s3.fs.put(f"{raw}/", f"{self._raw}/", recursive=True)
        conf = project.folder / "conf/idd"
        project.configure("idd", "globals.yml", {"data_set": "idd", "data_folder": self.results, "store": "owner"})
        project.configure("idd", "credentials.yml", OWNER)
        small = yaml.safe_load((project.folder / "conf/local/parameters.yml").read_text())
        given = yaml.safe_load((conf / "parameters.yml").read_text())
        small["prepare"] |= {"unknown_label": "void"}
        project.configure("idd", "parameters.yml", {**given, **small})

    def kedro(self, *arguments: str) -> str:
        """Returns the output of a command, which must succeed and leave no file on the local disk."""
        environment = {"AWS_ENDPOINT_URL": self._s3.endpoint, "AWS_DEFAULT_REGION": "eu-central-1"}
        done = self._project.kedro(*arguments, "--env", "idd", environment=environment)
        assert done.returncode == 0, done.stdout
        assert self._project.files() == {}
        return "".join(line.strip() for line in done.stdout.splitlines())

    def run(self, *arguments: str, params: str = "") -> str:
        """Returns the output of a `kedro run`."""
        given = ",".join(filter(None, (f"raw_folder={self._raw}", params)))
        return self.kedro("run", "--params", given, *arguments)

    def versions(self, name: str) -> list[str]:
        """Returns the versions of an output, oldest first."""
        return sorted(path.rpartition("/")[2] for path in self._s3.fs.ls(f"{self.results}/{name}"))

    def files(self, name: str) -> set[str]:
        """Returns the names of all files below a folder of the results."""
        folder = f"{self.results}/{name}/".removeprefix("s3://")
        return {path.removeprefix(folder) for path in self._s3.fs.find(folder)}


@pytest.mark.slow
@pytest.mark.scale
def test_a_project_lives_in_buckets_and_leaves_nothing_on_the_disk(
    project: Project, s3: S3Server, idd_folder: Path
) -> None:
    stored = StoredProject(project, s3, idd_folder)
    told = stored.run(params="evaluate.prediction_files.written=true")
    (first,) = stored.versions("06_models/idd/segnet.keras")
    assert f"segnet_model: {stored.results}/06_models/idd/segnet.keras/{first}/segnet.keras" in told
    assert any(name.startswith(f"{first}/train/events") for name in stored.files("06_models/idd/tensorboard"))
    assert len(stored.files(f"07_model_output/idd/predictions/{first}")) == 10

    stored.run("--pipelines", "train,evaluate", params="train.epochs=1")
    listed = stored.kedro("runs", "list")
    second = stored.versions("06_models/idd/segnet.keras")[-1]
    assert listed.index(second) < listed.index(first)
    assert f"{stored.results}/08_reporting/idd/comparison.html/" in stored.kedro("runs", "compare", first, second)

    assert "2 of 2 pictures to predict" in stored.run("--pipelines", "predict")
    assert "0 of 2 pictures to predict" in stored.run("--pipelines", "predict")
    old, new = stored.versions("07_model_output/idd/predicted_pictures")
    files = stored.files(f"07_model_output/idd/predicted_pictures/{new}/predicted_pictures")
    assert {"index.json", "label_maps/IDD_Segmentation/leftImg8bit/test/181/000513_leftImg8bit.png"} <= files
    assert stored.files(f"07_model_output/idd/predicted_pictures/{old}/predicted_pictures") == files

    stored.run("--pipelines", "export", params="export.scenes=2")
    (exported,) = stored.versions("06_models/idd/exported_model")
    stored.run("--pipelines", "evaluate", params="evaluate.runtime=onnx")
    assert "onnxruntime" in stored.kedro("runs", "list")

    stored.kedro("prune", "--keep", "1")
    assert stored.versions("06_models/idd/segnet.keras") == [second]
    assert stored.versions("07_model_output/idd/predicted_pictures") == [new]
    assert stored.versions("06_models/idd/exported_model") == [exported]
    stored.run("--pipelines", "evaluate")
