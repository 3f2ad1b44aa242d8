"""Preparing the scenes that the store lacks: processes share the work, and each writes its own scenes."""

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from textwrap import shorten
from typing import Any

import numpy as np
from joblib import cpu_count

from roadseg.errors import FileError, InputError
from roadseg.reading.batches import Killed
from roadseg.reading.facts_index import Facts, FactsIndex
from roadseg.reading.in_flight import map_in_flight
from roadseg.reading.progress import show_progress
from roadseg.reading.scene_store import SceneStore, split_suffix
from roadseg.reading.workers import map_in_workers
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.prepared import PreparationPlan, PreparedScene, PreparedScenes, content_digest
from roadseg.scenes.scene_rows import FACTS, IMAGE, LABELS, SceneRows, Values

logger = logging.getLogger(__name__)

SAMPLE = 4
"""Number of scenes prepared first, to estimate time and disk space of the rest."""

WORKERS_PAY = 5.0
"""Seconds of work below which worker processes take longer to start than they save."""

BATCH = 8
"""Scenes per thread that a process with several threads gets at once."""

BATCHES = 4
"""Batches per process that scenes are cut into at least, so that all processes end at about the same time."""

READERS = 2
"""Increased when raw files that could not be used become usable, so that scenes that were left out are tried again."""

LONGEST_FRAME = 150
"""Bytes of a frame's name up to which it stands in the names of its files."""

UNKNOWN: Facts = dict.fromkeys(("usable", "faults", "height", "width", "pixels", "image_hash"))
"""Facts of a scene of which nothing is known."""

Named = tuple[str, str]
"""Id of a scene, and its name in the store."""

Done = tuple[Facts, int]
"""Facts of a scene, and its size in bytes."""

ShareOut = Callable[[Callable[[Named], Done], Iterable[Named], int], Iterable[Done | Killed]]
"""Applies a function to items, in any process, and gives the results in order, as `map` of an executor does.

The number is how many items a thread works on at the same time. `Killed` stands for the result of an item that ended
each process that worked on it.
"""


def carry_out(
    plan: PreparationPlan, store: SceneStore, share: ShareOut | None = None, *, in_flight: int = 1
) -> PreparedScenes:
    """Prepares the scenes of a plan that the store lacks, and returns all of them.

    Args:
        plan: What to prepare.
        store: Where the scenes are written, each as soon as it is prepared: work that is stopped loses nothing.
        share: Shares out the work, among processes that reach the store; None takes the plan's number of workers here.
        in_flight: How many scenes they work on at the same time where raw data or store are on another machine.

    Raises:
        InputError: If there are no scenes, too many of them can't be used, one has a fault that stops the work, or the
            work is shared with processes that can't reach the store.
        FileError: If the disk is full, or has less space than the scenes are expected to need.
        RoadSegError: If a worker process is killed.
    """
    if not plan.records:
        raise InputError("there are no scenes to prepare")
    if share and not store.is_shared:
        raise InputError(f"'{store.folder}' is in the memory of this process: workers of a cluster can't write there")
    names = {scene: f"{_shorten_id(scene)}-{digest}" for scene, digest in plan.digests.items()}
    present = _find_files(store, names.values(), in_flight)
    facts = store.gather_facts((name for name, files in present.items() if FACTS in files), in_flight)
    missing = [(scene, name) for scene, name in names.items() if not _is_prepared(name, present[name], facts)]
    del present  # a tenth of a gigabyte at a million scenes
    logger.info("%d scenes, %d of them to prepare", len(names), len(missing))
    left_out: dict[str, Sequence[Any]] = {}
    killed: dict[str, Facts] = {}
    at_once = in_flight if plan.is_remote or store.is_remote else 1
    work = _have_prepared(plan, store, missing, share, at_once) if share else _prepare(plan, store, missing, at_once)
    with _saving(facts), closing(work) as prepared:  # what stops here stops the workers
        for (scene, name), found in zip(missing, prepared, strict=True):
            if isinstance(found, Killed):
                found = killed[scene] = _describe_killed(scene, found)  # not in the index: a later run tries again
            else:
                facts.add(name, found)
            if not found["usable"]:
                left_out[scene] = found["faults"]
                _check_share(plan, left_out)
    values = (_list_values(scene, plan, name, killed.get(scene) or facts[name]) for scene, name in names.items())
    rows = SceneRows(values, len(names), len(plan.classes))
    _check_share(plan, rows.list_unusable())
    classes = [{"name": each.name, "colour": list(each.colour)} for each in plan.classes]
    manifest = {"classes": classes, "image_size": list(plan.image_size), "scenes": rows}
    return PreparedScenes(manifest, store.read, is_remote=store.is_remote)


def _have_prepared(
    plan: PreparationPlan, store: SceneStore, scenes: Sequence[Named], share: ShareOut, in_flight: int
) -> Generator[Facts | Killed]:
    """Yields the facts of each scene, none of which is prepared here: one may end the process that does it."""
    results = share(partial(_prepare_scene, plan.prepare, store), scenes, in_flight) if scenes else ()
    for done in show_progress(results, len(scenes), "scenes"):
        yield done if isinstance(done, Killed) else done[0]


def _describe_killed(scene: str, killed: Killed) -> Facts:
    detail = f"it ended each of {killed.workers} workers"
    logger.warning("Scene '%s' can't be used: %s that read it", scene, detail)
    return {**UNKNOWN, "usable": False, "faults": _write_faults(Fault(FaultKind.WORKER_KILLED, detail))}


def _prepare(plan: PreparationPlan, store: SceneStore, scenes: Sequence[Named], in_flight: int) -> Generator[Facts]:
    """Yields the facts of each scene: of a sample first, from which time and space of the rest are foretold."""
    work = partial(_prepare_scene, plan.prepare, store)
    sample, rest = scenes[:SAMPLE], scenes[SAMPLE:]
    start, busy_before, used = time.perf_counter(), time.process_time(), 0
    for scene in sample:
        facts, size = work(scene)
        used += size
        yield facts
    if not rest:
        return
    times = len(rest) / len(sample)
    spent = (time.perf_counter() - start) * times, (time.process_time() - busy_before) * times
    pays = _foretell_seconds(*spent, 1, in_flight) > WORKERS_PAY
    workers = (plan.workers or (cpu_count() if pays else 1)) if store.is_shared else 1
    _foretell(store, len(rest), _foretell_seconds(*spent, workers, in_flight), used // len(sample) * len(rest))
    share = _choose_share(len(rest), workers, -(-in_flight // workers))
    for facts, _ in show_progress(share(work, rest), len(rest), "scenes"):
        yield facts


def _choose_share(
    count: int, workers: int, threads: int
) -> Callable[[Callable[[Named], Done], Iterable[Named]], Iterable[Done]]:
    if workers == 1:
        return partial(map_in_flight, in_flight=threads)
    batch = min(BATCH * threads, -(-count // (BATCHES * workers))) if threads > 1 else 1
    return partial(map_in_workers, workers=workers, threads=threads, batch=batch)


def _foretell_seconds(seconds: float, busy: float, workers: int, in_flight: int) -> float:
    """Returns the seconds that work takes, from those that it takes one scene at a time, and those without waiting."""
    return seconds / workers if in_flight == 1 else max(busy / workers, seconds / in_flight)


def _prepare_scene(prepare: Callable[[str], PreparedScene], store: SceneStore, named: Named) -> Done:
    """Prepares a scene and writes it; returns its facts, and its size in bytes."""
    scene, name = named
    facts = dict(UNKNOWN)
    try:
        prepared = prepare(scene)
    except UnusableSceneError as error:
        facts |= {"usable": False, "faults": _write_faults(error.fault), "readers": READERS}
        return facts, store.put(name, facts, None)
    facts |= {"usable": True, "faults": _write_faults(*prepared.faults)}
    facts |= {"height": prepared.raw_size[0], "width": prepared.raw_size[1]}
    facts |= {"image_hash": hashlib.sha256(prepared.image.data).hexdigest()[:16]}
    if prepared.label_map is not None:
        facts["pixels"] = np.bincount(prepared.label_map.ravel(), minlength=256).tolist()
    return facts, store.put(name, facts, prepared)


def _write_faults(*faults: Fault) -> list[list[str]]:
    return [[fault.kind.value, fault.detail] for fault in faults]


def _foretell(store: SceneStore, count: int, seconds: float, needed: int) -> None:
    logger.info("Preparing the other %d scenes: expect %.0f s and %.1f MB of disk", count, seconds, needed / 1e6)
    free = store.find_free_space()
    if free is not None and needed > free:
        raise FileError(
            f"{count} scenes need about {needed / 1e6:.0f} MB in '{store.folder}', "
            f"but the disk has {free / 1e6:.0f} MB left"
        )


@contextmanager
def _saving(facts: FactsIndex) -> Iterator[None]:
    """Saves the facts at the end, also of work that is stopped."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # what stopped the work is told
            facts.save()
        raise
    facts.save()


def _find_files(store: SceneStore, names: Iterable[str], in_flight: int) -> dict[str, frozenset[str]]:
    """Returns the suffixes of the files that are there of each scene; a million scenes need 0.1 GB."""
    present: dict[str, frozenset[str]] = dict.fromkeys(names, frozenset())
    join = cache(lambda suffixes, suffix: suffixes | {suffix})  # a few equal sets for all
    for file in store.list_files(in_flight):
        name, suffix = split_suffix(file)
        if name in present:
            present[name] = join(present[name], suffix)
    return present


def _is_prepared(name: str, files: Collection[str], facts: FactsIndex) -> bool:
    """Returns whether all files of a scene are in the store, and it is not one that may be usable by now."""
    if FACTS not in files:
        return False
    found = facts[name]
    is_whole = (IMAGE in files or not found["usable"]) and (LABELS in files or found["pixels"] is None)
    return is_whole and (found["usable"] or found.get("readers") == READERS)


def _list_values(scene: str, plan: PreparationPlan, name: str, facts: Facts) -> Values:
    """Returns what the manifest has of a scene."""
    record, pixels, classes = plan.records[scene], facts["pixels"], len(plan.classes)
    return (
        *(scene, record.drive, record.published_split, facts["usable"], facts["faults"]),
        *(facts["height"], facts["width"], None if pixels is None else (pixels + [0] * classes)[:classes]),
        *(facts["image_hash"], name),
    )


def _shorten_id(scene: str) -> str:
    """Returns a scene id as part of a path: a frame of many letters by its hash, since file names have 255 bytes."""
    drive, _, frame = scene.rpartition("/")
    return scene if len(frame.encode()) <= LONGEST_FRAME else f"{drive}/{content_digest(scene)}"


def _check_share(plan: PreparationPlan, left_out: Mapping[str, Sequence[Any]]) -> None:
    """Raises InputError if more scenes are left out than the plan allows."""
    if len(left_out) <= plan.unusable_share * len(plan.records):
        return
    examples = "; ".join(f"{scene}: {kind} ({detail})" for scene, faults in left_out.items() for kind, detail in faults)
    raise InputError(
        f"{len(left_out)} of {len(plan.records)} scenes can't be used so far, more than the share of "
        f"{plan.unusable_share:g} that prepare.unusable_share allows: {shorten(examples, 1000)}"
    )
