"""What a million scenes cost before and after they are prepared: `make bench`, or `tests/benchmarks/manifest.py`.

Records of raw scenes, the listing of the store and the facts in its index are made up; manifest and tables are real
files. Each step runs in a process of its own, so that its peak of memory is its own. `--scenes 10000` is a quick trial.
The last lines list real files, 10,000 scenes of them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import Version
from yardsticks import read_peak

from roadseg.datasets.idd import IddDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.pipelines.prepare.nodes import index_scenes, split_scenes
from roadseg.reading.facts_index import FactsIndex
from roadseg.reading.preparation import carry_out
from roadseg.reading.scene_store import INDEX, SceneStore
from roadseg.reading.whole_file import WholeFiles
from roadseg.scenes.prepared import PIXEL_COLUMNS, SCENE_COLUMNS
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation
from roadseg.scenes.raw import RawScenes, Scene, SceneRecord, select_scenes
from roadseg.scenes.seed import Seed
from roadseg.scenes.splits import SplitOptions, check_drives

FRAMES = 1000
"""Scenes of a drive."""

LISTED = 10_000
"""Scenes whose files are listed."""

OPTIONS = PrepareOptions(image_size=(240, 480), unknown_label="error", unusable_share=0.1, workers=None)
SPLIT = SplitOptions.model_validate(
    {
        "method": "drives",
        "shares": {"train": 0.7, "validation": 0.15, "test": 0.15},
        "test_share": 0.1,
        "drive": None,
        "folds": 5,
        "fold": 0,
    }
)


class MadeUpScenes(RawScenes):
    """Raw scenes of which there is only a record."""

    def __init__(self, count: int) -> None:
        self.count = count

    @cached_property
    def records(self) -> dict[str, SceneRecord]:
        return {
            f"train/drive_{drive:04}/frame_{frame:06}_leftImg8bit": SceneRecord(
                f"drive_{drive:04}", "train", f"2411724:17{place:08}.0 91263:17{place:08}.0 None 0 5c0f3a7b9d21e684"
            )
            for place in range(self.count)
            for drive, frame in [divmod(place, FRAMES)]
        }

    def read(self, scene: str, least: tuple[int, int] | None) -> Scene:
        raise AssertionError(f"'{scene}' is prepared already")


class MadeUpStore(SceneStore):
    """A store with an index of facts and hardly another file, that lists all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(WholeFiles.reached_by("file"), f"{folder}/store")
        self._names = folder / "names.txt"

    def list_files(self, in_flight: int = 1) -> Iterator[str]:
        with self._names.open() as names:
            for line in names:
                name = line.rstrip()
                yield from (f"{name}.image.png", f"{name}.labels.png", f"{name}.json")


def plan(count: int) -> Any:
    raw_scenes = MadeUpScenes(count)
    ids = select_scenes(raw_scenes.records, None)
    check_drives({scene: raw_scenes.records[scene] for scene in ids}, SPLIT)
    return plan_preparation(raw_scenes, ids, LabelSpaceDataset(name="seven_classes").load(), OPTIONS)


def manifest(folder: Path) -> PreparedScenesDataset:
    return PreparedScenesDataset(filepath=f"{folder}/manifest.json", version=Version(None, "1"))


def write_index(folder: Path, count: int) -> str:
    """Writes the facts of all scenes, and the only file of the store that is looked for."""
    index = FactsIndex(WholeFiles.reached_by("file"), f"{folder}/store/{INDEX}")
    random = np.random.default_rng(1)
    names = [f"{scene}-{digest}" for scene, digest in plan(count).digests.items()]
    (folder / "names.txt").write_text("\n".join(names))
    for place, name in enumerate(names):
        pixels = random.multinomial(115_200, [0.3, 0.05, 0.1, 0.2, 0.1, 0.2, 0.05]).tolist()
        faults = [["polygon of one or two points", "3 pole"]] if place % 20 == 0 else []
        index.add(
            name,
            {
                **{"usable": True, "faults": faults, "height": 1080, "width": 1920},
                **{"pixels": pixels, "image_hash": f"{place:016x}"},
            },
        )
    index.save()
    first = Path(f"{folder}/store/{names[0]}.json")
    first.parent.mkdir(parents=True)
    first.touch()
    return f"{size(folder / 'store' / INDEX)} of facts"


def start(folder: Path, count: int) -> str:
    """What a preparation does when nothing changed."""
    prepared = carry_out(plan(count), MadeUpStore(folder))
    manifest(folder).save(prepared)
    return f"{size(folder / 'manifest.json' / '1' / 'manifest.json')} of manifest"


def load(folder: Path, count: int) -> str:
    prepared = manifest(folder).load()
    return f"{len(prepared)} scenes"


def digest(folder: Path, count: int) -> str:
    return manifest(folder).load().digest


def tabulate(folder: Path, count: int) -> str:
    """What `index_scenes` does, without the checks of Kedro."""
    tables = index_scenes(manifest(folder).load())
    for name, table in zip(("index", "pixels", "faults"), tables, strict=True):
        table.to_csv(folder / f"{name}.csv", index=False)
    return ", ".join(f"{len(table)} rows" for table in tables)


def split(folder: Path, count: int) -> str:
    """What `split_scenes` does."""
    index = pd.read_csv(folder / "index.csv", dtype=SCENE_COLUMNS)
    pixels = pd.read_csv(folder / "pixels.csv", dtype=PIXEL_COLUMNS)
    table = split_scenes(manifest(folder).load(), index, pixels, SPLIT, Seed(root=1))
    return f"{table['split'].value_counts().to_dict()}"


def list_real_files(folder: Path, count: int) -> str:
    """Lists the files of a store, and those of a data set in the folders of IDD."""
    places = [divmod(place, FRAMES // 10) for place in range(LISTED)]
    store = SceneStore(WholeFiles.reached_by("file"), f"{folder}/real/store")
    for suffix in ("image.png", "labels.png", "json"):
        touch(Path(f"{store.folder}/train/{drive}/{frame}-0.{suffix}") for drive, frame in places)
    for kind, ending in (("leftImg8bit", "leftImg8bit.png"), ("gtFine", "gtFine_polygons.json")):
        touch(folder / "raw" / kind / "train" / str(drive) / f"{frame:06}_{ending}" for drive, frame in places)
    begin = time.perf_counter()
    listed = sum(1 for _ in store.list_files())
    middle = time.perf_counter()
    records = IddDataset(filepath=f"{folder}/raw").load().records
    return (
        f"{listed} files of the store in {middle - begin:.2f} s; {len(records)} raw scenes in "
        f"{time.perf_counter() - middle:.2f} s"
    )


def touch(paths: Iterator[Path]) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


STEPS = (write_index, start, load, digest, tabulate, split, list_real_files)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1_000_000)
    parser.add_argument("--step", choices=[step.__name__ for step in STEPS], help="this one alone, in --folder")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.step:
        before, begin, busy = read_peak(), time.perf_counter(), time.process_time()
        said = globals()[options.step](options.folder, options.scenes)
        seconds, busy = time.perf_counter() - begin, time.process_time() - busy
        memory = f"peak {read_peak() / 1e9:.2f} GB, {before / 1e9:.2f} GB of it at the start"
        print(f"{options.step:15} {seconds:6.1f} s, {busy:6.1f} s of a core; {memory}: {said}", flush=True)
    else:
        with tempfile.TemporaryDirectory() as name:
            for step in STEPS:
                command = [sys.executable, __file__, "--step", step.__name__, "--folder", name]
                subprocess.run([*command, "--scenes", str(options.scenes)], check=True)
