"""Prepared scenes on disk: small versioned manifests over one write-once store of PNG files."""

import base64
import hashlib
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from functools import partial
from textwrap import shorten
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
from roadseg.errors import InputError
from roadseg.reading.workers import map_in_workers
from roadseg.reporting.contact_sheet import draw_contact_sheet
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, PreparedScenes, content_digest

logger = logging.getLogger(__name__)

SAMPLE = 4
"""Scenes prepared before the time and the disk space of the rest are foretold."""

WORKERS_PAY = 5.0
"""Seconds of work below which worker processes take longer to start than they save."""

READERS = 2
"""Raised whenever raw files that could not be used can be, so that scenes that were left out are tried again."""

LONGEST_FRAME = 150
"""Bytes of a frame's name up to which it stands in the names of its files."""

Step = TypeVar("Step")

Facts = dict[str, Any]
"""What the store says of a prepared scene; in the manifest its record and the names of its files stand beside it."""

Files = dict[str, bytes]
"""Suffix -> content of the files of one scene in the store."""

# Measured on photographs of 240x480: half the time of OpenCV's own choice of level 1, for smaller files.
PNG_IMAGE = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
)
PNG_LABELS = (*(cv2.IMWRITE_PNG_COMPRESSION, 1), *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE))

SCENE_SUFFIX = re.compile(r"\.(image\.png|labels\.png|json)$")
"""Of the files of a scene that is whole in the store; a `.part` file has another."""


class PreparedScenesDataset(VersionedFileDataset[PreparationPlan, PreparedScenes]):
    """Saves a `PreparationPlan` by carrying it out; loads as `PreparedScenes`, which read a scene when asked for.

    A version is its manifest: one row a scene with the names of its two PNG files. These lie in `store` beside the
    manifest, named after the scene and its digest, written under another name and renamed. So scenes that are already
    there are not prepared again, an interrupted run loses nothing, and older versions stay readable.

    Examples:
        ```yaml
        prepared_scenes:
          type: roadseg.datasets.prepared_scenes.PreparedScenesDataset
          filepath: data/03_primary/drawn/prepared_scenes/manifest.json
          versioned: true
        ```
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
            DatasetError: If there are no scenes, too many of them can't be used, or the disk has less space than they
                are expected to need.
        """
        if not data.records:
            raise DatasetError("there is no scene to prepare")
        path = str(self._get_save_path())
        names = {scene: f"{_shorten_id(scene)}-{digest}" for scene, digest in data.digests.items()}
        present = {found[len(self._store) + 1 :] for found in self._fs.find(self._store)}
        found = {scene: self._find_row(scene, data, name, present) for scene, name in names.items()}
        missing = {scene: names[scene] for scene, row in found.items() if row is None}
        logger.info("%d scenes, %d of them to prepare", len(names), len(missing))
        self._prepare(data, missing)
        rows = [row or self._row(scene, data, names[scene], self._facts(names[scene])) for scene, row in found.items()]
        _check_share(data, {row["scene"]: row["faults"] for row in rows if not row["usable"]})
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
        return ImagePreview(base64.b64encode(_encode_png(sheet[..., ::-1], PNG_IMAGE)).decode())

    def _prepare(self, plan: PreparationPlan, names: Mapping[str, str]) -> None:
        encode = partial(_encode_scene, plan.prepare)
        left_out: dict[str, list[Any]] = {}

        def keep(scene: str, encoded: tuple[Facts, Files]) -> int:
            facts, files = encoded
            if not facts["usable"]:
                left_out[scene] = facts["faults"]
                _check_share(plan, left_out)
            return self._put(names[scene], facts, files)

        start = time.perf_counter()
        sample, rest = list(names)[:SAMPLE], list(names)[SAMPLE:]
        used = sum(keep(scene, encode(scene)) for scene in sample)
        if not rest:
            return
        seconds = (time.perf_counter() - start) / len(sample) * len(rest)
        workers = plan.workers or (cpu_count() if seconds > WORKERS_PAY else 1)
        self._foretell(len(rest), seconds / workers, used // len(sample) * len(rest))
        encoded = map_in_workers(encode, rest, workers) if workers > 1 else map(encode, rest)
        for scene, each in zip(rest, _progress(encoded, len(rest)), strict=True):
            keep(scene, each)

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

    def _put(self, name: str, facts: Facts, files: Files) -> int:
        """Writes a scene to the store, returns its size in bytes; its facts come last and say that it is complete."""
        contents = {**files, "json": json.dumps(facts).encode()}
        for suffix, content in contents.items():
            self._write(f"{self._store}/{name}.{suffix}", content)
        return sum(map(len, contents.values()))

    def _find_row(self, scene: str, plan: PreparationPlan, name: str, present: Collection[str]) -> Facts | None:
        """Returns the row of a scene in the store; None if a file of it is missing, or it may be of use by now."""
        if f"{name}.json" not in present:
            return None
        facts = self._facts(name)
        row = self._row(scene, plan, name, facts)
        is_whole = all(row[file] in present for file in ("image", "label_map") if row[file])
        return row if is_whole and (facts["usable"] or facts.get("readers") == READERS) else None

    def _facts(self, name: str) -> Any:
        return json.loads(self._fs.cat_file(f"{self._store}/{name}.json"))

    def _row(self, scene: str, plan: PreparationPlan, name: str, facts: Facts) -> Facts:
        pixels = facts["pixels"]
        record = plan.records[scene]
        return {
            "scene": scene,
            "drive": record.drive,
            "published_split": record.published_split,
            **{fact: value for fact, value in facts.items() if fact != "readers"},
            "pixels": pixels and pixels[: len(plan.classes)],
            "facts": f"{name}.json",
            "image": f"{name}.image.png" if facts["usable"] else None,
            "label_map": pixels and f"{name}.labels.png",
        }

    def _read(self, row: Mapping[str, Any]) -> PreparedScene:
        label_map = self._decode(row["label_map"], cv2.IMREAD_UNCHANGED) if row["label_map"] else None
        faults = tuple(Fault(FaultKind(kind), detail) for kind, detail in row["faults"])
        image = self._decode(row["image"], cv2.IMREAD_COLOR_RGB)
        return PreparedScene(image, label_map, (row["height"], row["width"]), faults)

    def _decode(self, name: str, flags: int) -> NDArray[np.uint8]:
        path = f"{self._store}/{name}"
        try:
            encoded = self._fs.cat_file(path)
        except FileNotFoundError as fault:
            raise DatasetError(f"'{path}' is missing, though a manifest names it: prepare again") from fault
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags) if encoded else None
        if image is None:
            raise DatasetError(f"'{path}' is broken ({len(encoded)} bytes): remove it and prepare again")
        return image.astype(np.uint8, copy=False)

    def read_names(self, version: str) -> set[str]:
        """Returns the names in the store, without suffix, of the scenes of a version.

        Raises:
            InputError: If the manifest is broken.
        """
        path = str(self._get_versioned_path(version))
        try:
            rows = json.loads(self._fs.cat_file(path))["scenes"]
            return {SCENE_SUFFIX.sub("", row["facts"]) for row in rows}
        except (ValueError, KeyError) as fault:
            raise InputError(f"manifest '{path}' is broken ({fault!r})") from fault

    def prune_store(self, named: Collection[str], before: datetime) -> tuple[int, int]:
        """Removes from the store what is not named and was last written before a time, and folders that are empty then.

        The files of a scene go together, its facts first: they say that it is complete, so that a run after a killed
        pruning prepares it again.

        Args:
            named: Names, as `read_names` returns them, of what stays.
            before: With its time zone.

        Returns:
            Number of files removed, and their size in bytes.
        """
        found = self._fs.find(self._store, withdirs=True, detail=True)
        folders = {path for path, info in found.items() if info["type"] == "directory"}
        scenes: dict[str, list[str]] = {}
        for path in found.keys() - folders:
            scenes.setdefault(SCENE_SUFFIX.sub("", path[len(self._store) + 1 :]), []).append(path)
        unnamed = [paths for name, paths in scenes.items() if name not in named]
        old = [paths for paths in unnamed if all(self._fs.modified(path) < before for path in paths)]
        gone = sorted((path for paths in old for path in paths), key=lambda path: not path.endswith(".json"))
        for path in gone:
            self._fs.rm_file(path)
        for folder in sorted(folders - {self._store}, reverse=True):
            if self._fs.isdir(folder) and not self._fs.ls(folder):
                self._fs.rmdir(folder)
        return len(gone), sum(found[path]["size"] for path in gone)


def _encode_scene(prepare: Callable[[str], PreparedScene], scene: str) -> tuple[Facts, Files]:
    """Returns the facts of a prepared scene and its files."""
    facts: Facts = dict.fromkeys(("usable", "faults", "height", "width", "pixels", "image_hash"))
    try:
        prepared = prepare(scene)
    except UnusableSceneError as error:
        return facts | {"usable": False, "faults": [astuple(error.fault)], "readers": READERS}, {}
    files = {"image.png": _encode_png(prepared.image[..., ::-1], PNG_IMAGE)}
    facts |= {"usable": True, "faults": [astuple(fault) for fault in prepared.faults]}
    facts |= {"height": prepared.raw_size[0], "width": prepared.raw_size[1]}
    facts |= {"image_hash": hashlib.sha256(prepared.image.data).hexdigest()[:16]}
    if prepared.label_map is not None:
        files["labels.png"] = _encode_png(prepared.label_map, PNG_LABELS)
        facts["pixels"] = np.bincount(prepared.label_map.ravel(), minlength=256).tolist()
    return facts, files


def _shorten_id(scene: str) -> str:
    """Returns a scene id as part of a path: a frame of many letters by its hash, since file names have 255 bytes."""
    drive, _, frame = scene.rpartition("/")
    return scene if len(frame.encode()) <= LONGEST_FRAME else f"{drive}/{content_digest(scene)}"


def _check_share(plan: PreparationPlan, left_out: Mapping[str, Sequence[Any]]) -> None:
    """Raises DatasetError if more scenes are left out than the plan allows."""
    if len(left_out) <= plan.unusable_share * len(plan.records):
        return
    examples = "; ".join(f"{scene}: {kind} ({detail})" for scene, faults in left_out.items() for kind, detail in faults)
    raise DatasetError(
        f"{len(left_out)} of {len(plan.records)} scenes can't be used so far, more than the share of "
        f"{plan.unusable_share:g} that prepare.unusable_share allows: {shorten(examples, 1000)}"
    )


def _encode_png(image: NDArray[np.uint8], settings: Sequence[int]) -> bytes:
    """Returns (height, width[, 3]) uint8, blue first, as PNG; equal bytes for equal pixels."""
    return cv2.imencode(".png", image, settings)[1].tobytes()


def _progress(steps: Iterable[Step], total: int) -> Iterator[Step]:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, speed="")
        for step in steps:
            yield step
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, speed=f"{speed:.0f} scenes/s" if speed else "")
