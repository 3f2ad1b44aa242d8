"""A source of pictures, predicted: a finished folder, and how it comes about."""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from roadseg.errors import FileError
from roadseg.predicting.entry import Entry
from roadseg.predicting.options import PredictOptions
from roadseg.predicting.picture_files import PictureFiles
from roadseg.predicting.prediction_folder import Index, PredictionFolder, find_versions, read_index
from roadseg.predicting.shared_work import SharedWork
from roadseg.predicting.shots import fingerprint_item
from roadseg.predicting.work import Work
from roadseg.reading.cluster import Share
from roadseg.reading.folder import Folder
from roadseg.reading.folder_lock import locked
from roadseg.reading.picture import Picture
from roadseg.reading.video import Video
from roadseg.reporting.numbers import write_counts
from roadseg.reporting.overlay import Overlay
from roadseg.scenes.palette import Palette
from roadseg.scenes.prepared import content_digest
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

logger = logging.getLogger(__name__)

FILES = "files"
"""Folder of the files in that of a prediction which is not finished."""

FORMAT = 2
"""Raised whenever files or entries come out another way, so that older ones are not taken over."""


@dataclass(frozen=True)
class PredictedPictures:
    """What a network said of a source.

    Attributes:
        folder: With a folder for each kind of files, such as `label_maps`.
        index: What is in it.
        release: Lets other runs work where the folder was made, and removes what is left there; to be called when it
            was moved or copied.
    """

    folder: Folder
    index: Index
    release: Callable[[], None] = lambda: None

    @property
    def entries(self) -> Sequence[Entry]:
        """Of all pictures and frames, in the order of the source."""
        return self.index.entries

    def read_thumbnail(self, picture: str) -> bytes:
        """Returns a small overlay of a picture without a fault, as JPEG."""
        return self.folder.read(f"thumbnails/{picture}.jpg")


def load_predicted(folder: Folder) -> PredictedPictures:
    """Returns what is in a finished folder.

    Raises:
        FileError: If its index is missing or damaged.
    """
    return PredictedPictures(folder, read_index(folder))


def predict_source(
    source: Sequence[Picture | Video],
    model: TrainedSegNet,
    half_done: Path,
    versions: Folder,
    palette: Palette,
    options: PredictOptions,
    seed: int,
    share: Share | None = None,
) -> PredictedPictures:
    """Predicts what is missing or changed of a source, and returns all of it, in a folder that is to be moved.

    What finished folders have of pictures that are still the same is taken over; what a killed run has finished is
    gone on with. Until the folder is released, another run of the same source and choices is refused.

    Args:
        source: Pictures and videos.
        model: The trained network with its record.
        half_done: Where folders are that are not finished.
        versions: Where finished ones are, each as `VERSION/NAME` with the name of this folder.
        palette: Of the classes.
        options: What is asked for.
        seed: Of passes with dropout, from 0.
        share: Shares out the work among processes that see the folder; None predicts here.

    Raises:
        InputError: If there is not one value per class for label maps, or passes with dropout are asked for of a
            network without.
        FileError: If no picture can be read, the folder can't be written, the disk is full, another run is at the same
            prediction, or an index is damaged.
    """
    values = options.label_maps.list_values(len(palette.classes), "predict.label_maps.ids")
    predictor = Predictor(model, batch_size=options.batch_size, samples=options.samples, seed=seed)
    chances = [options.samples, seed] if options.samples else []
    key = _digest_choices([model.record.model_dump(mode="json"), predictor.precision, chances], palette, options)
    common_folder = os.path.commonpath([item.place for item in source])
    workplace = half_done / content_digest([key, common_folder])
    try:
        workplace.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise FileError(f"'{half_done}' can't be written: {fault.strerror}") from fault
    with ExitStack() as stack:
        stack.enter_context(locked(workplace, "prediction"))
        work_folder = PredictionFolder(workplace / FILES)
        files = PictureFiles(work_folder, Overlay(palette, options.overlays.opacity), values, options)
        fingerprints = {item.name: fingerprint_item(item, options.video) for item in source}
        for version in find_versions(versions, key):
            work_folder.take_over(version, fingerprints, files.kinds)
        work = Work(predictor, files)
        if share:
            shared = SharedWork(model, work_folder.path.absolute(), files.overlay, values, options, seed)
            for note in shared.have_predicted([*work.find_unfinished(source)], share):
                work_folder.note(note)
        else:
            work.predict(source)
        names = _list_names(source, work_folder, options)
        _tell_faults([work_folder.entries[name] for name in names], source)
        index = work_folder.finish(key, names, [item.name for item in source if isinstance(item, Video)])
        release = partial(_give_back, workplace, stack.pop_all())
        return PredictedPictures(Folder.at(work_folder.path), index, release)


def _give_back(workplace: Path, lock: ExitStack) -> None:
    """Removes the folder of a prediction that was moved or copied away, and its lock."""
    with lock:
        # Under its own name the folder could be given another lock while it goes.
        shutil.rmtree(workplace.rename(workplace.with_suffix(".gone")))


def _digest_choices(network: Sequence[object], palette: Palette, options: PredictOptions) -> str:
    """Returns what changes with all that files depend on, beside the pictures and what is asked of videos."""
    asked = options.model_dump(
        mode="json", exclude={"batch_size", "samples", "page_pictures", "annotation_pictures", "video"}
    )
    colours = [each.colour for each in palette.classes]
    return content_digest([FORMAT, *network, colours, palette.void, asked])


def _list_names(source: Sequence[Picture | Video], folder: PredictionFolder, options: PredictOptions) -> list[str]:
    """Returns the names of all pictures and frames, those of a video in the order of time."""
    frames: dict[str, list[Entry]] = {}
    for entry in folder.entries.values():
        if entry.is_frame:
            frames.setdefault(entry.drive, []).append(entry)
    names = []
    for item in source:
        if isinstance(item, Video):
            fingerprint = fingerprint_item(item, options.video)
            own = [each for each in frames.get(item.name, []) if each.fingerprint == fingerprint]
            names += [each.picture for each in sorted(own, key=lambda each: (each.time, each.fault))]
        else:
            names.append(item.name)
    return names


def _tell_faults(entries: Sequence[Entry], source: Sequence[Picture | Video]) -> None:
    faults = [each for each in entries if each.fault]
    if not faults:
        return
    videos = sum(isinstance(item, Video) for item in source)
    counted = write_counts({"picture": len(source) - videos, "video": videos})
    first = f"{', such as' if len(faults) > 1 else ':'} {faults[0].picture}: {faults[0].fault}"
    if len(faults) == len(entries):
        raise FileError(f"nothing of {counted} can be predicted{first}")
    logger.warning("%s in %s%s; the table names each", write_counts({"fault": len(faults)}), counted, first)
