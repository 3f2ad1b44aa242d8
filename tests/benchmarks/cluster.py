"""What a Dask cluster costs and how far it carries: `make bench`, with PYTHONPATH=tests to import `dask_cluster`.

First two workers prepare scenes of 1920x1080 that are already drawn, as `prepare.py` draws them, and so do two
processes without Dask; the time of a scene is the difference between a long and a short preparation, so that starting
up does not count. Then what a batch costs. Then the simulation: scenes that only sleep, on 64 threads of four worker
processes, at rates at which all threads would be busy: printed is the share of them that is, and the size of batches.
"""

import argparse
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil
from prepare import draw_data_set, prepare, seconds

from dask_cluster import DaskCluster
from roadseg.datasets.idd import IddDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.reading.batches import choose_size
from roadseg.reading.cluster import Cluster
from roadseg.reading.preparation import carry_out
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

WORKERS = 2
PROCESSES, THREADS = 4, 16
"""Worker processes of the simulation, and threads of each."""

SIMULATED_SECONDS = 20.0
"""How long a simulation lasts if all threads are busy."""


def prepare_on(cluster: Cluster, folder: Path, scenes: int) -> None:
    """Prepares the first scenes of a data set on a cluster, into a folder of its own."""
    options = PrepareOptions(image_size=(240, 480), unknown_label="error", unusable_share=0.0, workers=1)
    raw_scenes = IddDataset(filepath=str(folder)).load()
    plan = plan_preparation(
        raw_scenes, sorted(raw_scenes)[:scenes], LabelSpaceDataset(name="seven_classes").load(), options
    )
    with tempfile.TemporaryDirectory(dir=folder) as results:
        carry_out(plan, SceneStoreDataset(filepath=f"{results}/store").load(), cluster.share)


def compare_with_processes(scenes: int, repeats: int) -> None:
    """Prints how fast workers of a cluster are beside as many processes without it."""
    short = scenes // 5
    with tempfile.TemporaryDirectory() as name, DaskCluster(WORKERS) as dask, Cluster(dask.address, 300) as cluster:
        folder = Path(name)
        draw_data_set(folder, ".jpg", scenes + short)
        prepare_on(cluster, folder, short)  # the first batches import what the others use
        rounds = []
        for _ in range(repeats):
            local, there = (
                (seconds(partial(work, scenes=scenes + short)) - seconds(partial(work, scenes=short))) / scenes
                for work in (partial(prepare, folder, workers=WORKERS), partial(prepare_on, cluster, folder))
            )
            rounds.append((local, there, local / there))
        local, there, speed = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(
            f"{WORKERS} processes {1000 * local:.1f} ms per scene, {WORKERS} workers of Dask {1000 * there:.1f} ms: "
            f"{speed:.2f} of their speed; a batch costs {1000 * (cluster.overhead or 0):.1f} ms"
        )


def simulate(cluster: Cluster, rate: float) -> None:
    """Prints how busy the threads of a cluster are with scenes that sleep, and what this process and Dask's need."""
    threads = cluster.count_threads()
    sleep = threads / rate
    scenes = int(rate * SIMULATED_SECONDS)
    start, busy = time.perf_counter(), time.process_time()
    for _ in cluster.share(partial(rest, sleep), range(scenes)):
        pass
    taken, busy = time.perf_counter() - start, time.process_time() - busy
    size = choose_size(scenes // 2, threads, cluster.overhead, sleep)
    print(
        f"{rate:6.0f} scenes/s asked for, {1000 * sleep:.1f} ms each, in batches of {size}: "
        f"{scenes * sleep / taken / threads:.2f} of {threads} threads busy, {scenes / taken:.0f} scenes/s done, "
        f"this process {busy / taken:.2f} of a core"
    )


def rest(duration: float, scene: int) -> dict[str, object]:
    """Sleeps as long as a scene would take, and returns what is as large as its facts."""
    time.sleep(duration)
    return {
        "scene": scene,
        "usable": True,
        "faults": [],
        "pixels": list(range(scene, scene + 7)),
        "hash": f"{scene:016}",
    }


def simulate_each(rates: list[float]) -> None:
    """Prints the simulation at several rates."""
    with DaskCluster(PROCESSES, THREADS) as dask, Cluster(dask.address, 300) as cluster:
        list(cluster.share(partial(rest, 0.0), range(1)))
        cluster.client.wait_for_workers(PROCESSES)
        scheduler = psutil.Process(dask.scheduler.pid)
        for rate in rates:
            before, start = sum(scheduler.cpu_times()[:2]), time.perf_counter()
            simulate(cluster, rate)
            used = (sum(scheduler.cpu_times()[:2]) - before) / (time.perf_counter() - start)
            print(f"       the scheduler {used:.2f} of a core")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="*", default=[30, 300, 3000, 10_000])
    options = parser.parse_args()
    compare_with_processes(options.scenes, options.repeats)
    simulate_each(options.rates)
