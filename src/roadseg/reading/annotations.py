"""The annotation of a scene, in the form that its data set uses, to a label map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadseg.reading.annotated_objects import Labels
from roadseg.reading.coco_masks import read_coco
from roadseg.reading.label_map_file import read_label_colours, read_label_map
from roadseg.reading.labelme_file import read_labelme
from roadseg.reading.layout import Layout, SceneFiles
from roadseg.reading.polygon_file import read_polygons
from roadseg.reading.stored_path import RawPath
from roadseg.scenes.colours import Colours, index_colours
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

Objects = tuple[NDArray[np.uint8], dict[int, str], list[Fault]]

FORMS: Mapping[str, Callable[[RawPath, Labels | None, tuple[int, int]], Objects]] = {
    "cityscapes": read_polygons,
    "labelme": read_labelme,
}
"""Readers of the forms of JSON that have one file for each image."""


@dataclass(frozen=True)
class Annotation:
    """What a scene is annotated with.

    Attributes:
        label_map: (height, width) integer, raw ids, of a size of its own.
        raw_names: Name of each raw id.
        unnamed: What raw ids without a name are, where there is more to say than the id.
        faults: What is wrong with the annotation, though it can be used.
    """

    label_map: NDArray[np.integer]
    raw_names: Mapping[int, str]
    unnamed: Mapping[int, str]
    faults: tuple[Fault, ...] = ()


def read_annotation(
    path: RawPath, files: SceneFiles, layout: Layout, colours: Colours | None, image_size: tuple[int, int]
) -> Annotation:
    """Returns the annotation of a scene.

    Args:
        path: Of the annotation; one that ends in `.json` holds objects, others are label maps.
        files: Of the scene.
        layout: The layout of the data set in its folder.
        colours: Those of its label maps; None if they hold ids.
        image_size: (height, width) of the image.

    Raises:
        UnusableSceneError: If it can't be used, or a label map has another size than the image.
        FileError: If it can't be read.
    """
    if path.suffix.lower() == ".json":
        label_map, names, faults = (
            FORMS[layout.form](path, layout.labels, image_size)
            if files.part is None
            else read_coco(path, files.part, layout.labels, image_size)
        )
        return Annotation(label_map, names, {}, tuple(faults))
    annotation = (
        Annotation(read_label_map(path), layout.raw_names, {})
        if colours is None
        else Annotation(*index_colours(read_label_colours(path), colours))
    )
    if annotation.label_map.shape != image_size:
        sizes = f"'{path}' has {annotation.label_map.shape}, the image {image_size}"
        raise UnusableSceneError(FaultKind.OTHER_SIZE, sizes)
    return annotation
