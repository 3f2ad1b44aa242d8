"""The first weights of a network: random, those of VGG16 trained on ImageNet, or those of an earlier model."""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np
from numpy.typing import NDArray

from roadseg.errors import FileError, InputError
from roadseg.segnet.model_record import ModelRecord, StartedFrom, read_record
from roadseg.segnet.trained import load_network

logger = logging.getLogger(__name__)

VGG16_FILTERS = 512
"""Of its last convolutions."""

Weights = Mapping[str, Sequence[NDArray[np.floating]]]


def start_weights(network: keras.Model, start: str, class_names: Sequence[str]) -> None:
    """Gives an untrained network the weights that `network.start` names, and says so in the log.

    Args:
        network: As `build_network` returns it.
        start: `random` keeps its weights. `imagenet` downloads those of VGG16's 13 convolutions into Keras' cache; the
            path of an `.h5` file takes them from there, as `save_weights` of `keras.applications.VGG16` without its top
            or Keras' own download wrote them. The path of a `.keras` file takes the weights and moving statistics of
            all layers of an earlier model, whose image size may differ; if its classes differ, the classifier stays
            random.
        class_names: Names of the classes of the network, in the order of their ids.

    Raises:
        InputError: If the file has another ending, is damaged or holds something else, or if the weights belong to
            another architecture or width.
        FileError: If there is no such file, or nothing can be downloaded.
    """
    path = _find_file(start)
    if path and path.suffix == ".keras":
        _copy_model(network, path, class_names)
    elif start != "random":
        _copy_vgg16(network, start)


def digest_start(start: str) -> str | None:
    """Returns 16 hexadecimal digits, the start of the SHA-256 of the file that `network.start` names; None without one.

    Raises:
        InputError: If the ending is not `.h5` or `.keras`.
        FileError: If there is no such file.
    """
    path = _find_file(start)
    if path is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def record_start(start: str, held_out: Collection[str]) -> StartedFrom | None:
    """Returns what a model's record says of the earlier model that it started from; None without one.

    If the earlier model was trained on drives that are held out here, a warning in the log names them: either other
    data has the same names, or the scores are too high.

    Args:
        start: `network.start`.
        held_out: Names of the drives that validate or test.
    """
    record = read_start_record(start)
    if record is None:
        return None
    seen = sorted(set(record.training_drives) & set(held_out))
    if seen:
        logger.warning(
            "The model '%s' was trained on drives with these names, which validate or test here: %s",
            start,
            ", ".join(seen),
        )
    return StartedFrom(
        file=start, run=record.run, learnt_from=record.learnt_from, training_drives=record.training_drives
    )


def read_start_record(start: str) -> ModelRecord | None:
    """Returns the record of the earlier model that `network.start` names; None without one.

    Raises:
        InputError: If the ending is not `.h5` or `.keras`, or the file is damaged or was not saved by this project.
        FileError: If there is no such file.
    """
    path = _find_file(start)
    return _read_record(path) if path and path.suffix == ".keras" else None


def _find_file(start: str) -> Path | None:
    if start in ("random", "imagenet"):
        return None
    path = Path(start)
    if path.suffix not in (".h5", ".keras"):
        raise InputError(
            f"network.start: expected 'random', 'imagenet' or the path of an .h5 or .keras file, received '{start}'"
        )
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise FileError(f"network.start: expected a file at '{start}', found {found}")
    return path


def _read_record(path: Path) -> ModelRecord:
    try:
        with path.open("rb") as file:
            return read_record(file, str(path))
    except InputError as fault:
        raise InputError(f"network.start: {fault}") from fault


def _copy_model(network: keras.Model, path: Path, class_names: Sequence[str]) -> None:
    classes = _read_record(path).class_names
    try:
        earlier = load_network(path)
    except FileError as fault:
        raise InputError(f"network.start: {fault}") from fault
    if earlier.name != network.name:
        raise InputError(
            f"network.start: expected a model of network.architecture '{network.name}' in '{path}', "
            f"found one of '{earlier.name}'"
        )
    weights = {layer.name: layer.get_weights() for layer in earlier.layers if layer.weights}
    has_same_classes = classes == list(class_names)
    if not has_same_classes:
        del weights["classifier"]
    _copy_weights(network, weights, str(path))
    logger.info(
        "Starts from the model '%s': weights of %d layers copied%s",
        path,
        len(weights),
        "" if has_same_classes else f"; the classifier starts at random, as the model's classes are {classes}",
    )


def _copy_vgg16(network: keras.Model, start: str) -> None:
    filters = max(layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    if filters != VGG16_FILTERS:
        raise InputError(
            f"network.start: VGG16's weights ('{start}') fit network.architecture 'segnet' at network.width 1, "
            f"with at most {VGG16_FILTERS} filters per convolution, received '{network.name}' with at most {filters}"
        )
    vgg16 = _load_vgg16(start)
    weights = {layer.name.replace("block", "encoder"): layer.get_weights() for layer in vgg16.layers if layer.weights}
    # VGG16 was trained on blue, green, red, 0..255 less a mean; ours are in red, green, blue, with deviation 1.
    # The order matters. The scale does not, nor do biases: the batch norm after each convolution removes both.
    kernel, bias = weights["encoder1_conv1"]
    _copy_weights(network, weights | {"encoder1_conv1": [kernel[:, :, ::-1], bias]}, start)
    logger.info("Starts from VGG16 ('%s'): weights of %d convolutions copied", start, len(weights))


def _load_vgg16(start: str) -> keras.Model:
    if start == "imagenet":
        return _download_vgg16()
    # Keras matches layers by their order, and would accept the encoder of a SegNet as VGG16.
    if b"encoder1_conv1" in Path(start).read_bytes():
        raise InputError(f"network.start: expected the weights of VGG16 in '{start}', found those of a SegNet")
    try:
        return keras.applications.VGG16(include_top=False, weights=start)
    except (OSError, ValueError, KeyError) as fault:
        raise InputError(
            f"network.start: expected the weights of VGG16 without its top in '{start}': {_first_line(fault)}"
        ) from fault


def _download_vgg16() -> keras.Model:
    try:
        return keras.applications.VGG16(include_top=False, weights="imagenet")
    except Exception as fault:
        # Where no server answers, Keras raises a bare Exception instead of the URLError that it caught.
        if not isinstance(fault, OSError | ValueError) and not isinstance(fault.__context__, URLError):
            raise
        raise FileError(
            f"network.start: the weights of VGG16 could not be downloaded: {_first_line(fault)}; "
            "give the path of an .h5 file that was downloaded elsewhere"
        ) from fault


def _copy_weights(network: keras.Model, weights: Weights, source: str) -> None:
    for name, arrays in weights.items():
        layer = network.get_layer(name)
        expected = [tuple(each.shape) for each in layer.weights]
        received = [each.shape for each in arrays]
        if expected != received:
            raise InputError(
                f"network.start: expected weights of the shapes {expected} for layer '{name}', "
                f"received {received} from '{source}'; network.width may differ"
            )
        layer.set_weights(arrays)


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]
