"""What predicting files costs beside its parts: `make bench`, or `python tests/benchmarks/predict_source.py`.

A folder of JPEG pictures of 1080x1920, and a video of such frames, are predicted by a network of a quarter of the
paper's width that sees them at 240x480 and was trained a little. Beside that, the same is done by each part alone:
reading and resizing; the network; choosing classes, encoding and writing. Start-up is excluded: the network has run
before. The sides take turns; each figure is the median of the rounds.

Reading, network and writing run at the same time, so the wall time is at least that of the slowest part, and the
processor time is at least that of all parts together. Where all cores are busy, only the latter can be reached.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import yaml
from evaluate import TRAIN_BATCH, keep, prepare
from train import SIZE, our_network
from yardsticks import Case, read_peak

PICTURE_SIZE = (1080, 1920)
DRAWN = 30
"""Pictures that differ; the others are copies of them."""

MEMORY_SIZE, MEMORY_COUNTS = (480, 640), (200, 4000)

PARAMETERS = Path(__file__).parents[2] / "conf/base/parameters_predict.yml"

Part = Callable[[], Any]


@dataclass(frozen=True)
class Bench:
    """What all sides share.

    Attributes:
        model: A trained model.
        predictor: Of the model.
        options: Those of a plain `kedro run`.
        images: Some pictures, (height, width, 3) uint8, RGB.
        small: The same at the network's size.
        found: What the network says of them.
        folder: For everything that is written.
    """

    model: Any
    predictor: Any
    options: Any
    images: list[Any]
    small: list[Any]
    found: list[Any]
    folder: Path

    def open_files(self) -> Any:
        """Returns the writer of an empty folder."""
        from roadseg.predicting.picture_files import PictureFiles
        from roadseg.predicting.prediction_folder import PredictionFolder
        from roadseg.reporting.overlay import Overlay
        from roadseg.scenes.palette import Palette

        shutil.rmtree(self.folder / "out", ignore_errors=True)
        palette = Palette(self.model.record.classes)
        values = self.options.label_maps.list_values(len(palette.classes), "ids")
        overlay = Overlay(palette, self.options.overlays.opacity)
        return PictureFiles(PredictionFolder(self.folder / "out"), overlay, values, self.options)

    def work(self, source: list[Any]) -> None:
        """Predicts a source."""
        from roadseg.predicting.work import Work

        Work(self.predictor, self.open_files()).predict(source)

    def shoot(self, count: int, *, is_video: bool) -> Iterator[tuple[Any, Any]]:
        """Yields so many pictures and what the network says of them, none of which is computed yet."""
        from roadseg.predicting.shots import Shot

        for number, (image, each) in enumerate(islice(cycle(zip(self.images, self.found, strict=True)), count)):
            shot = Shot(f"film/{number:06d}", "film", "", image, number / 25 if is_video else None)
            yield shot, replace(each)

    def send(self, count: int) -> None:
        """Sends images of the network's size through the network."""
        for _ in self.predictor.predict_each(islice(cycle(self.small), count)):
            pass


def read_pictures(pictures: list[Any]) -> None:
    """Reads and resizes pictures, on all cores."""
    from roadseg.scenes.preprocessing import resize_image

    with ThreadPoolExecutor(os.cpu_count()) as readers:
        for _ in readers.map(lambda picture: resize_image(picture.read(), SIZE).shape, pictures):
            pass


def read_frames(video: Any, options: Any) -> None:
    """Reads and resizes the frames of a video."""
    from roadseg.scenes.preprocessing import resize_image

    for frame in video.read_frames(options.video):
        resize_image(frame.image, SIZE)


def write_pictures(bench: Bench, count: int) -> None:
    """Writes the files of pictures, on all cores."""
    from roadseg.predicting.work import Work

    work = Work(bench.predictor, bench.open_files())
    with ThreadPoolExecutor(os.cpu_count()) as writers:
        for _ in writers.map(lambda pair: work._finish_picture(*pair), bench.shoot(count, is_video=False)):
            pass


def write_frames(bench: Bench, count: int) -> None:
    """Writes the files of the frames of a video on all cores, and its overlay."""
    from roadseg.predicting.overlay_video import OverlayVideo
    from roadseg.predicting.work import Work, _Frames

    files = bench.open_files()
    describe = Work(bench.predictor, files)._describe
    waiting: deque[Future[None]] = deque()
    with (
        OverlayVideo(bench.folder / "out/overlays/film.mp4", PICTURE_SIZE, 25) as overlay,
        _Frames(files, overlay, describe) as frames,
    ):
        for pair in bench.shoot(count, is_video=True):
            waiting.append(frames.submit(*pair))
            if len(waiting) > 2 * bench.options.batch_size:
                waiting.popleft().result()
        for each in waiting:
            each.result()


def seconds(side: Part) -> tuple[float, float]:
    """Returns wall time and processor time of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    side()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(title: str, whole: Part, parts: dict[str, Part], count: int, rounds: int) -> None:
    """Prints a table of the whole and its parts."""
    sides = {"end to end": whole} | parts
    times = [{name: seconds(side) for name, side in sides.items()} for _ in range(rounds)]
    print(f"{title}: milliseconds per picture, wall and processor")
    for name in sides:
        wall, processor = (1000 / count * statistics.median(each[name][which] for each in times) for which in (0, 1))
        print(f"{name:44}{wall:8.1f}{processor:8.1f}")
    slowest = [max(each[name][0] for name in parts) for each in times]
    together = [sum(each[name][1] for name in parts) for each in times]
    walls, processors = ([each["end to end"][which] for each in times] for which in (0, 1))
    print(f"wall time beside the slowest part: {median_ratio(walls, slowest):.2f}")
    print(f"processor time beside all parts together: {median_ratio(processors, together):.2f}")
    cores = [wall * len(os.sched_getaffinity(0)) for wall in walls]
    print(f"share of the cores' time that it used: {median_ratio(processors, cores):.2f}\n", flush=True)


def median_ratio(these: list[float], those: list[float]) -> float:
    """Returns the median over rounds of a ratio."""
    return statistics.median(this / that for this, that in zip(these, those, strict=True))


def train_a_little(folder: Path) -> Any:
    """Returns a model that was trained on drawn scenes until its classes have outlines."""
    from roadseg.datasets.drawn import DrawnScenesDataset
    from roadseg.datasets.label_space import LabelSpaceDataset
    from roadseg.training.augmentation import AugmentationOptions
    from roadseg.training.feeding import SceneBatches, Shuffle

    drawn = DrawnScenesDataset(drives=80, frames_per_drive=1, size=SIZE, seed=1).load()
    scenes = prepare(drawn, LabelSpaceDataset(name="seven_classes").load(), str(folder))
    network = our_network(Case(0.25, "auto", TRAIN_BATCH, SIZE))
    network.optimizer.learning_rate = 2e-3
    unchanged = AugmentationOptions(flip=False, scale=(1, 1), saturation=0.0, gamma=1.0)
    network.fit(SceneBatches(scenes, list(scenes), TRAIN_BATCH, shuffle=Shuffle(1, unchanged)), epochs=8, verbose=0)
    return keep(network, scenes.classes)


def draw(count: int, size: tuple[int, int]) -> list[Any]:
    """Returns drawn scenes, (height, width, 3) uint8, RGB."""
    from roadseg.datasets.drawn import DrawnScenesDataset

    drawn = DrawnScenesDataset(drives=count, frames_per_drive=1, size=SIZE, seed=2).load()
    images = (drawn.read(name, SIZE).image for name in drawn)
    return [cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC) for image in images]


def save_pictures(images: list[Any], folder: Path, count: int) -> list[Any]:
    """Saves so many pictures as JPEG, and returns them as a source."""
    from roadseg.reading.picture_source import list_pictures

    folder.mkdir()
    for number, image in enumerate(islice(cycle(images), count)):
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), image[..., ::-1])
    return list_pictures(folder)


def save_video(images: list[Any], path: Path, count: int) -> list[Any]:
    """Saves so many frames as an MPEG-4 video, and returns it as a source."""
    from roadseg.reading.picture_source import list_pictures

    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (width, height))
    for image in islice(cycle(images), count):
        writer.write(image[..., ::-1].copy())
    writer.release()
    return list_pictures(path)


def open_bench(folder: Path, size: tuple[int, int], model: Any) -> Bench:
    """Returns a bench whose network has run.

    Args:
        folder: For everything that is written.
        size: (height, width) in pixels of the pictures.
        model: A trained model.
    """
    from roadseg.predicting.options import PredictOptions
    from roadseg.scenes.preprocessing import resize_image
    from roadseg.segnet.predictor import Predictor

    options = PredictOptions(**yaml.safe_load(PARAMETERS.read_text())["predict"])
    predictor, images = Predictor(model, batch_size=options.batch_size), draw(DRAWN, size)
    small, found = [resize_image(image, SIZE) for image in images], list(predictor.predict_each(images))
    return Bench(model, predictor, options, images, small, found, folder)


def print_peak(count: int, path: Path) -> None:
    """Predicts so many pictures, and prints the most memory that this took; training would take more."""
    from roadseg.segnet.trained import load_model

    with tempfile.TemporaryDirectory() as name:
        bench = open_bench(Path(name), MEMORY_SIZE, load_model(path))
        bench.work(save_pictures(bench.images, Path(name) / "pictures", count))
    print(read_peak() / 2**20)


def measure_peak(count: int, path: Path) -> float:
    """Returns the peak in MiB of a process that predicts so many pictures with the model in a file."""
    command = [sys.executable, __file__, "--peak", str(count), "--model", str(path)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1])


def main() -> None:
    """Reads the command line and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=MEMORY_COUNTS, help="numbers of pictures")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(options.peak, options.model)
        return

    from roadseg.datasets.trained_segnet import TrainedSegNetDataset

    count, rounds = options.pictures, options.rounds
    with tempfile.TemporaryDirectory() as name:
        model = train_a_little(Path(name) / "prepared")
        bench = open_bench(Path(name), PICTURE_SIZE, model)
        pictures = save_pictures(bench.images, Path(name) / "pictures", count)
        video = save_video(bench.images, Path(name) / "film.mp4", count)
        network = {"the network": lambda: bench.send(count)}
        reading = {"reading and resizing": lambda: read_pictures(pictures)}
        writing = {"choosing classes, encoding and writing": lambda: write_pictures(bench, count)}
        title = f"{count} JPEG pictures of {PICTURE_SIZE[0]}x{PICTURE_SIZE[1]}"
        compare(title, lambda: bench.work(pictures), reading | network | writing, count, rounds)
        reading = {"reading and resizing": lambda: read_frames(video[0], bench.options)}
        writing = {"choosing classes, encoding and writing": lambda: write_frames(bench, count)}
        title = f"a video of {count} frames of {PICTURE_SIZE[0]}x{PICTURE_SIZE[1]}"
        compare(title, lambda: bench.work(video), reading | network | writing, count, rounds)
        TrainedSegNetDataset(filepath=str(Path(name) / "segnet.keras")).save(model)
        for memory_count in options.memory:
            peak = measure_peak(memory_count, Path(name) / "segnet.keras")
            print(f"{memory_count} pictures of {MEMORY_SIZE[0]}x{MEMORY_SIZE[1]}: {peak:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
