"""A small copy of the project, run as a user runs it: through the `kedro` command, each time in a fresh process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from roadseg.reading.scene_store import INDEX

REPOSITORY = Path(__file__).parents[2]

SMALL = {
    "catalog.yml": {
        "raw_scenes": {
            "type": "roadseg.datasets.drawn.DrawnScenesDataset",
            "drives": 5,
            "frames_per_drive": 3,
            "size": [64, 96],
            "seed": "${runtime_params:drawing_seed, 1}",
        }
    },
    "parameters.yml": {
        "prepare": {"image_size": [32, 48]},
        "network": {"architecture": "segnet_basic", "width": 0.0625},
        "train": {"epochs": 2, "batch_size": 4},
    },
}


@dataclass(frozen=True)
class Project:
    """A copy of the project: its folder, and what can be done with it."""

    folder: Path

    def kedro(
        self, *arguments: str, stdin: str | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs `kedro` with the arguments; its output and errors come together."""
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            | dict(environment or {}),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Returns the output of a `kedro run` that must succeed."""
        done = self.kedro("run", *arguments, environment=environment)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fail(self, *arguments: str) -> str:
        """Returns the sentence that a `kedro run` ends in that must fail: one sentence, no traceback."""
        done = self.kedro("run", *arguments)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout[done.stdout.index("Error: ") :]

    def configure(self, environment: str, file: str, content: object) -> None:
        """Writes a configuration file."""
        path = self.folder / "conf" / environment / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content))

    def link(self, data_set: str, folder: Path) -> None:
        """Links a data set where its environment looks for it, and sets the environment to small images."""
        (self.folder / "data/01_raw").mkdir(parents=True)
        (self.folder / f"data/01_raw/{data_set}").symlink_to(folder)
        settings = self.folder / f"conf/{data_set}/parameters.yml"
        given = yaml.safe_load(settings.read_text())
        settings.write_text(yaml.safe_dump({**given, "prepare": {**given["prepare"], "image_size": [32, 48]}}))

    def keep_results_in(self, place: str) -> None:
        """Lets all results go to a place in another file system."""
        path = self.folder / "conf/base/globals.yml"
        path.write_text(path.read_text().replace("data_folder: data\n", f"data_folder: {place}\n"))

    def versions(self, pattern: str) -> list[str]:
        """Returns the versions of an output below `data`, oldest first."""
        return sorted(path.parent.name for path in self.folder.glob(f"data/{pattern}/*/*"))

    def files(self) -> dict[Path, bytes]:
        """Returns every file below `data` with its content, without the index of a store, which grows."""
        found = (path for path in (self.folder / "data").rglob("*") if path.is_file() and path.name != INDEX)
        return {path: path.read_bytes() for path in found}


def copy_project(folder: Path) -> Project:
    """Returns a copy of the project in `folder`, set to few and small drawn scenes."""
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(REPOSITORY / name, folder / name)
    shutil.copytree(REPOSITORY / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    project = Project(folder)
    for file, content in SMALL.items():
        project.configure("local", file, content)
    return project
