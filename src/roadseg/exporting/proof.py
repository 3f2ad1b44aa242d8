"""The proof that an exported model predicts what Keras predicts, in its own runtime."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from roadseg.errors import InputError
from roadseg.exporting.exported_model import FILES, ExportedModel
from roadseg.exporting.file_facts import FileFacts, describe_files
from roadseg.exporting.options import Format, Precision
from roadseg.exporting.runtime_process import Runtime, RuntimeProcess
from roadseg.exporting.scene_choice import Images, LabelMaps, draw_ties
from roadseg.scenes.preprocessing import resize_image
from roadseg.scoring.metrics import count_classes, count_confusion, mean_iou
from roadseg.segnet.class_choice import choose_class
from roadseg.segnet.folding import fold_batch_norms
from roadseg.segnet.network import CONTRAST
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet

LEAST_EQUAL, MOST_IOU = 0.9999, 0.0005
"""Share of pixels of the same class, and difference of the mean IoU, that a model in float32 must keep to."""

LEAST_TIED = 0.999
"""The same share in images of one colour: where the last maximum won, it was 0.52 to 0.91."""

MOST_LOST = 0.01
"""Mean IoU that a model in int8 may lose; it may give any number of pixels another class."""

UNQUANTIZED = " in float32"
"""After the name of a runtime: with the file as it was before it was quantised."""


class Agreement(BaseModel, frozen=True):
    """How far a program agrees with the reference, and how fast it is.

    The reference is Keras in float32 with the contrast layer in float64. Keras' own contrast layer adds the numbers of
    an image in float32; its errors of up to 1e-5 move maxima to other pixels where two are nearly equal.

    Attributes:
        version: Of the program.
        precision: What the convolutions compute in.
        equal_pixels: Share of the pixels that get the class that they have in the reference.
        equal_tied_pixels: The same in two images of one colour each, in which all pixels of most pooling windows are
            the maximum: the first one wins.
        mean_iou: On the scenes.
        mean_iou_difference: From that of the reference.
        milliseconds: Median over the images, one at a time, with the choice of classes.
    """

    version: str
    precision: Precision
    equal_pixels: float
    equal_tied_pixels: float
    mean_iou: float
    mean_iou_difference: float
    milliseconds: float


class Proof(BaseModel, frozen=True):
    """What was found when an exported model ran in its own runtimes.

    Attributes:
        scenes: Number of scenes.
        pixels: Number of pixels that were compared.
        keras: Keras as it is, in float32 with folded batch norms.
        runtimes: Each runtime.
        unquantized: Each runtime with the file as it was before it was quantised, for those whose file is.
        files: What each format consists of.
    """

    scenes: int
    pixels: int
    keras: Agreement
    runtimes: dict[Runtime, Agreement]
    unquantized: dict[Runtime, Agreement]
    files: dict[Format, FileFacts]


def prove_export(
    exported: ExportedModel,
    model: TrainedSegNet,
    images: Images,
    truth: LabelMaps,
    runtimes: Mapping[Format, Sequence[Runtime]],
) -> Proof:
    """Returns how an exported model agrees with Keras in runtimes that have neither Keras nor this project.

    Keras and the runtimes predict each image in turn, so that other work on the machine slows down all of them.

    Args:
        exported: Its files.
        model: What it was written from.
        images: (scenes, height, width, 3) uint8, of the size that the files take.
        truth: (scenes, height, width) uint8, class ids and void.
        runtimes: Format -> names of the runtimes in which it is proved.

    Raises:
        InputError: If in a runtime too few pixels have the class that they have in the reference, or the mean IoU is
            another one; in int8, if the mean IoU is too low.
        RoadSegError: If a runtime is not installed.
        FileError: If one can't run the model.
    """
    ties = draw_ties(images.shape[1:3])
    found, versions, times = _predict_in_turn(exported, model, np.concatenate([images, ties]), runtimes)
    reference = predict_from_exact_contrast(model, images)
    tied_reference = predict_from_exact_contrast(model, ties)
    expected = _score(reference, truth, len(model.record.classes))
    agreements = {
        name: Agreement(
            version=versions[name],
            precision="int8" if name + UNQUANTIZED in found else "float32",
            equal_pixels=float((label_maps[: len(images)] == reference).mean()),
            equal_tied_pixels=float((label_maps[len(images) :] == tied_reference).mean()),
            mean_iou=(score := _score(label_maps[: len(images)], truth, len(model.record.classes))),
            mean_iou_difference=score - expected,
            milliseconds=1000 * median(times[name][: len(images)]),
        )
        for name, label_maps in found.items()
    }
    names = [name for each in runtimes.values() for name in each]
    proof = Proof(
        scenes=len(images),
        pixels=reference.size,
        keras=agreements["keras"],
        runtimes={name: agreements[name] for name in names},
        unquantized={name: agreements[name + UNQUANTIZED] for name in names if name + UNQUANTIZED in agreements},
        files={name: describe_files(name, exported.find(name)) for name in runtimes},
    )
    _check(proof)
    return proof


def predict_from_exact_contrast(model: TrainedSegNet, images: Images) -> LabelMaps:
    """Returns the label maps of Keras in float32, with the contrast layer in float64: (images, height, width) uint8.

    Images of another size than the network's are resized, and so are their logits, as a `Predictor` does it.
    """
    network = fold_batch_norms(model.network, "float32")
    contrast = network.get_layer(CONTRAST)
    rest = keras.Model(contrast.output, network.output)
    maps = []
    for image in images:
        exact = resize_image(image, model.record.image_size).astype(np.float64)
        exact = (exact - exact.mean((0, 1))) / np.sqrt(exact.var((0, 1)) + contrast.epsilon)
        (logits,) = rest.predict_on_batch(exact[None].astype(np.float32))
        maps.append(choose_class(logits, image.shape[:2])[0])
    return np.stack(maps)


def _predict_in_turn(
    exported: ExportedModel,
    model: TrainedSegNet,
    images: Images,
    runtimes: Mapping[Format, Sequence[Runtime]],
) -> tuple[dict[str, LabelMaps], dict[str, str], dict[str, list[float]]]:
    """Returns label maps, version and seconds per image of Keras and of each runtime."""
    predictor = Predictor(model, batch_size=1, device="cpu", precision="float32")
    predictor.predict(images[0]).confidence  # noqa: B018 - the first call is slower
    versions, times = {"keras": keras.__version__}, {"keras": list[float]()}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = {
            name: stack.enter_context(process)
            for name, process in _start_runtimes(exported, images, runtimes, Path(folder))
        }
        times |= {name: [] for name in processes}
        found = {name: list[NDArray[np.uint8]]() for name in times}
        for image in images:
            started = time.perf_counter()
            segmentation = predictor.predict(image)
            segmentation.confidence  # noqa: B018 - classes and confidences are computed when they are asked for
            times["keras"].append(time.perf_counter() - started)
            found["keras"].append(segmentation.label_map)
            for name, process in processes.items():
                seconds, outputs = process.run_next()
                times[name].append(seconds)
                found[name].append(_choose_classes(outputs))
        versions |= {name: each.version for name, each in processes.items()}
    return {name: np.stack(each) for name, each in found.items()}, versions, times


def _choose_classes(outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Returns the label map of a model that returns classes or logits."""
    ids: NDArray[np.uint8] = outputs["label_map"] if "label_map" in outputs else outputs["logits"].argmax(axis=-1)
    return ids.astype(np.uint8)


def _start_runtimes(
    exported: ExportedModel, images: Images, runtimes: Mapping[Format, Sequence[Runtime]], folder: Path
) -> Iterator[tuple[str, RuntimeProcess]]:
    """Gives a name and a process for each runtime, and one more for each whose file was quantised."""
    place, before = folder / "exported", folder / "unquantized"
    exported.write(place)
    ExportedModel(exported.unquantized).write(before)
    for of_format, names in runtimes.items():
        for name in names:
            yield name, RuntimeProcess(name, place / FILES[of_format], images, place)
            if FILES[of_format] in exported.unquantized:
                yield name + UNQUANTIZED, RuntimeProcess(name, before / FILES[of_format], images, before)


def _score(label_maps: LabelMaps, truth: LabelMaps, num_classes: int) -> float:
    return mean_iou(count_classes(count_confusion(truth, label_maps, num_classes)))


def _check(proof: Proof) -> None:
    unquantized = {name + UNQUANTIZED: each for name, each in proof.unquantized.items()}
    for name, each in (proof.runtimes | unquantized).items():
        if each.precision == "int8":
            _check_int8(name, each, proof)
            continue
        if each.equal_pixels < LEAST_EQUAL or not abs(each.mean_iou_difference) <= MOST_IOU:
            raise InputError(
                f"the exported model is not what Keras predicts: in {name} {each.version}, {each.equal_pixels:.4%} of "
                f"the {proof.pixels} pixels of {proof.scenes} scenes have the same class, expected at least "
                f"{LEAST_EQUAL:.2%}, and the mean IoU differs by {each.mean_iou_difference:+.5f}, expected at most "
                f"{MOST_IOU}"
            )
        if each.equal_tied_pixels < LEAST_TIED:
            raise InputError(
                f"the exported model is not what Keras predicts: in {name} {each.version}, "
                f"{each.equal_tied_pixels:.4%} of the pixels of images of one colour have the same class, expected at "
                f"least {LEAST_TIED:.2%}"
            )


def _check_int8(name: str, found: Agreement, proof: Proof) -> None:
    if not found.mean_iou_difference >= -MOST_LOST:
        raise InputError(
            f"the exported model in int8 predicts too badly: in {name} {found.version}, the mean IoU on {proof.scenes} "
            f"scenes is {found.mean_iou:.5f}, {-found.mean_iou_difference:.5f} less than that of Keras in float32, "
            f"expected at most {MOST_LOST} less; {found.equal_pixels:.4%} of the {proof.pixels} pixels have the same "
            "class"
        )
