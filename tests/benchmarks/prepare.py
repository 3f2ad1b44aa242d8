"""What `prepare` costs beside decoding alone: `make bench`, or `python tests/benchmarks/prepare.py --scenes 500`.

Draws scenes of 1920x1080 with 130 polygons in the folders of IDD, once with PNG and once with JPEG images, and prints
the median time of a scene, and its ratio to `cv2.imread` of the image alone on one thread, in the same run. The time
of a scene is the difference between a long and a short preparation, so that starting up does not count.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from kedro.io import Version

from roadseg.datasets.idd import LABELS, IddDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.datasets.scene_store import SceneStoreDataset
from roadseg.drawing.scene import DrawingOptions, draw_scene
from roadseg.reading.preparation import carry_out
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

SIZE = (1080, 1920)
POLYGONS = 130
DISTINCT = 20
"""Scenes that are drawn; the others are links to them."""

NOISE = 3.0
"""Standard deviation of a camera's noise, in steps of 8 bits; without it PNG images are smaller than photographs."""

JPEG_QUALITY = 92


def draw_image(number: int) -> np.ndarray:
    """Returns a drawn scene at full size with the noise of a camera: (1080, 1920, 3) uint8, blue first."""
    options = DrawingOptions(drives=DISTINCT, frames_per_drive=1, size=(540, 960), seed=1)
    large = cv2.resize(draw_scene(options, number, 0).image, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(number).normal(0, NOISE, large.shape)
    return np.clip(large[..., ::-1] + noise, 0, 255).astype(np.uint8)


def draw_annotation(number: int) -> dict[str, object]:
    """Returns a polygon file's content: sky and road, and many objects of 4 to 40 corners, some over the border."""
    random = np.random.default_rng(number)
    height, width = SIZE
    shapes = [[(0, 0), (width, 0), (width, height / 2), (0, height / 2)]]
    shapes += [[(0, height / 2), (width, height / 2), (width, height), (0, height)]]
    for _ in range(POLYGONS - len(shapes)):
        corners = random.integers(4, 41)
        angles = np.sort(random.uniform(0, 2 * np.pi, corners))
        radii = random.lognormal(3.6, 0.9) * random.uniform(0.6, 1.2, corners)
        middle = random.uniform((0, 0), (width, height))
        shapes.append((middle + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)).tolist())
    labels = ["sky", "road", *random.choice(LABELS, POLYGONS - 2)]
    objects = [
        {"label": str(label), "polygon": shape, "deleted": 0} for label, shape in zip(labels, shapes, strict=True)
    ]
    return {"imgHeight": height, "imgWidth": width, "objects": objects}


def draw_data_set(folder: Path, suffix: str, scenes: int) -> list[Path]:
    """Draws a data set, returns its images."""
    images, annotations = (folder / kind / "train" / "0" for kind in ("leftImg8bit", "gtFine"))
    images.mkdir(parents=True)
    annotations.mkdir(parents=True)
    for number in range(scenes):
        image = images / f"{number:06}_leftImg8bit{suffix}"
        annotation = annotations / f"{number:06}_gtFine_polygons.json"
        if number < DISTINCT:
            cv2.imwrite(str(image), draw_image(number), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            annotation.write_text(json.dumps(draw_annotation(number), indent=4))
        else:
            first = number % DISTINCT
            os.link(images / f"{first:06}_leftImg8bit{suffix}", image)
            os.link(annotations / f"{first:06}_gtFine_polygons.json", annotation)
    return sorted(images.iterdir())


def prepare(folder: Path, scenes: int, workers: int) -> None:
    """Prepares the first scenes of a data set into a folder of its own, manifest included."""
    options = PrepareOptions(image_size=(240, 480), unknown_label="error", unusable_share=0.0, workers=workers)
    raw_scenes = IddDataset(filepath=str(folder)).load()
    plan = plan_preparation(
        raw_scenes, sorted(raw_scenes)[:scenes], LabelSpaceDataset(name="seven_classes").load(), options
    )
    with tempfile.TemporaryDirectory(dir=folder) as results:
        prepared = carry_out(plan, SceneStoreDataset(filepath=f"{results}/store").load())
        PreparedScenesDataset(filepath=f"{results}/manifest.json", version=Version(None, "1")).save(prepared)


def decode(images: list[Path]) -> None:
    """Decodes images, one after the other."""
    cv2.setNumThreads(1)
    for image in images:
        cv2.imread(str(image))


def decode_in_processes(images: list[Path], workers: int) -> None:
    """Decodes images, shared by processes."""
    processes = [get_context("fork").Process(target=decode, args=(images[start::workers],)) for start in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def seconds(work: Callable[[], None]) -> float:
    """Returns how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(suffix: str, scenes: int, repeats: int, workers: int) -> None:
    """Prints the ratios for one format of images."""
    short = scenes // 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = draw_data_set(folder, suffix, scenes + short)
        rounds = []
        for _ in range(repeats):
            alone = seconds(lambda: decode(images[short:])) / scenes
            one, several = (
                (
                    seconds(lambda n=n: prepare(folder, scenes + short, n))
                    - seconds(lambda n=n: prepare(folder, short, n))
                )
                / scenes
                for n in (1, workers)
            )
            shared = seconds(lambda: decode_in_processes(images[short:], workers)) / scenes
            rounds.append((alone, one, several, one / alone, one / several, alone / shared))
        alone, one, several, ratio, speedup, ceiling = (statistics.median(each) for each in zip(*rounds, strict=True))
    print(
        f"{suffix[1:].upper():4} cv2.imread {1000 * alone:.1f} ms per scene; prepare {1000 * one:.1f} ms, "
        f"{ratio:.2f} times as much; {workers} processes {1000 * several:.1f} ms, "
        f"{speedup:.2f} times as fast = {speedup / workers:.2f} a process (cv2.imread alone: {ceiling:.2f} times)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    for each in (".png", ".jpg"):
        measure(each, options.scenes, options.repeats, options.workers)
