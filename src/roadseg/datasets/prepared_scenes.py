"""Prepared scenes on disk: small versioned manifests over one write-once store of PNG files."""

import base64
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import cv2
import numpy as np
from joblib import cpu_count
from kedro.io import DatasetError
from kedro_datasets._typing import ImagePreview
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from roadseg.datasets.versioned_file import VersionedFileDataset
from roadseg.datasets.workers import map_in_workers
from roadseg.scenes.contact_sheet import draw_contact_sheet
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, PreparedScenes

logger = logging.getLogger(__name__)

SAMPLE = 4
"""Scenes prepared before the time and the disk space of the rest are foretold."""

WORKERS_PAY = 5.0
"""Seconds of work below which worker processes take longer to start than they save."""

Step = TypeVar("Step")

Files = dict[str, bytes]
"""Suffix -> content of the files of one scene in the store."""


class PreparedScenesDataset(VersionedFileDataset[PreparationPlan, PreparedScenes]):
    """Saves a `PreparationPlan` by carrying it out; loads as `PreparedScenes`, which read a scene when asked for.

    A version is its manifest: one row a scene with the names of its two PNG files. These lie in `store` beside the
    manifest, named after the scene and its digest, written under another name and renamed. So scenes that are already
    there are not prepared again, an interrupted run loses nothing, and older versions stay readable.

    Example:
        prepared_scenes:
          type: roadseg.datasets.prepared_scenes.PreparedScenesDataset
          filepath: data/03_primary/drawn/prepared_scenes/manifest.json
          versioned: true
    """

    def __init__(self, *, filepath: str, **arguments: Any) -> None:
        """Takes the path of the manifest, and what every `VersionedFileDataset` takes."""
        super().__init__(filepath=filepath, **arguments)
        # In the file system's own spelling, as it lists what is there: a local path becomes absolute.
        self._store = self._fs._strip_protocol(str(self._filepath.parent / "store"))

    def load(self) -> PreparedScenes:
        """Returns the scenes of a version."""
        return PreparedScenes(json.loads(self._fs.cat_file(str(self._get_load_path()))), self._read)

    def save(self, data: PreparationPlan) -> None:
        """Prepares the scenes that the store lacks, then writes the manifest.

        Raises:
            DatasetError: If there are no scenes, or the disk has less space than they are expected to need.
        """
        if not data.records:
            raise DatasetError("there is no scene to prepare")
        path = str(self._get_save_path())
        names = {scene: f"{scene}-{digest}" for scene, digest in data.digests.items()}
        present = {found[len(self._store) + 1 :] for found in self._fs.find(self._store)}
        missing = [scene for scene, name in names.items() if f"{name}.json" not in present]
        logger.info("%d scenes, %d of them to prepare", len(names), len(missing))
        self._prepare(data, {scene: names[scene] for scene in missing})
        rows = [self._row(scene, data, name) for scene, name in names.items()]
        manifest = {
            "classes": [{"name": each.name, "colour": each.colour} for each in data.classes],
            "image_size": data.image_size,
            "scenes": rows,
        }
        self._write(path, json.dumps(manifest, indent=1).encode())

    def preview(self, scenes: int = 12, columns: int = 3, width: int = 320) -> ImagePreview:
        """Returns a contact sheet of evenly spaced scenes for Kedro-Viz."""
        prepared = self.load()
        ids = list(prepared)
        count = min(scenes, len(ids))
        chosen = [prepared[ids[i * len(ids) // count]] for i in range(count)]
        sheet = draw_contact_sheet(chosen, prepared.classes, columns=columns, width=width)
        return ImagePreview(base64.b64encode(_encode_png(sheet[..., ::-1])).decode())

    def _prepare(self, plan: PreparationPlan, names: Mapping[str, str]) -> None:
        start = time.perf_counter()
        sample, rest = list(names)[:SAMPLE], list(names)[SAMPLE:]
        encode = partial(_encode_scene, plan.prepare)
        used = sum(self._put(encode(scene), names[scene]) for scene in sample)
        if not rest:
            return
        seconds = (time.perf_counter() - start) / len(sample) * len(rest)
        workers = cpu_count() if seconds > WORKERS_PAY else 1
        self._foretell(len(rest), seconds / workers, used // len(sample) * len(rest))
        encoded = map_in_workers(encode, rest, workers) if workers > 1 else map(encode, rest)
        for scene, files in zip(rest, _progress(encoded, len(rest)), strict=True):
            self._put(files, names[scene])

    def _foretell(self, count: int, seconds: float, needed: int) -> None:
        logger.info("Preparing %d scenes: expect %.0f s and %.1f MB of disk", count, seconds, needed / 1e6)
        if self._protocol != "file":
            return
        free = shutil.disk_usage(self._store).free
        if needed > free:
            raise DatasetError(
                f"{count} scenes need about {needed / 1e6:.0f} MB in '{self._store}', "
                f"and the disk has {free / 1e6:.0f} MB left"
            )

    def _put(self, files: Files, name: str) -> int:
        """Writes a scene to the store, returns its size in bytes; its facts come last and say that it is complete."""
        for suffix, content in files.items():
            self._write(f"{self._store}/{name}.{suffix}", content)
        return sum(map(len, files.values()))

    def _row(self, scene: str, plan: PreparationPlan, name: str) -> dict[str, Any]:
        facts = json.loads(self._fs.cat_file(f"{self._store}/{name}.json"))
        labelled = facts["pixels"] is not None
        record = plan.records[scene]
        return {
            "scene": scene,
            "drive": record.drive,
            "published_split": record.published_split,
            "height": facts["height"],
            "width": facts["width"],
            "pixels": facts["pixels"][: len(plan.classes)] if labelled else None,
            "image": f"{name}.image.png",
            "label_map": f"{name}.labels.png" if labelled else None,
        }

    def _read(self, row: Mapping[str, Any]) -> PreparedScene:
        label_map = self._decode(row["label_map"], cv2.IMREAD_UNCHANGED) if row["label_map"] else None
        return PreparedScene(self._decode(row["image"], cv2.IMREAD_COLOR_RGB), label_map, (row["height"], row["width"]))

    def _decode(self, name: str, flags: int) -> NDArray[np.uint8]:
        path = f"{self._store}/{name}"
        try:
            encoded = self._fs.cat_file(path)
        except FileNotFoundError as fault:
            raise DatasetError(f"'{path}' is missing, though a manifest names it: prepare again") from fault
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
        if image is None:
            raise DatasetError(f"'{path}' is broken ({len(encoded)} bytes); remove it and its .json and prepare again")
        return image.astype(np.uint8, copy=False)


def _encode_scene(prepare: Callable[[str], PreparedScene], scene: str) -> Files:
    """Returns the files of a prepared scene; the facts stand last."""
    prepared = prepare(scene)
    files = {"image.png": _encode_png(prepared.image[..., ::-1])}
    facts: dict[str, Any] = {"height": prepared.raw_size[0], "width": prepared.raw_size[1], "pixels": None}
    if prepared.label_map is not None:
        files["labels.png"] = _encode_png(prepared.label_map)
        facts["pixels"] = np.bincount(prepared.label_map.ravel(), minlength=256).tolist()
    return {**files, "json": json.dumps(facts).encode()}


def _encode_png(image: NDArray[np.uint8]) -> bytes:
    """Returns (height, width[, 3]) uint8, blue first, as PNG; fast compression, equal bytes for equal pixels."""
    return cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _progress(steps: Iterable[Step], total: int) -> Iterator[Step]:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, speed="")
        for step in steps:
            yield step
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, speed=f"{speed:.0f} scenes/s" if speed else "")
