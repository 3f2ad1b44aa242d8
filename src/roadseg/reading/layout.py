"""The layout of a data set in its folder, and which of the files there make a scene."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import product
from typing import Literal

from roadseg.errors import InputError
from roadseg.reading.annotated_objects import Labels
from roadseg.reading.name_pattern import FIELDS, NamePattern
from roadseg.reading.stored_path import RawPath, name_below
from roadseg.scenes.colours import Colours
from roadseg.scenes.faults import Fault, FaultKind

Form = Literal["cityscapes", "labelme", "coco"]


@dataclass(frozen=True)
class Layout:
    """The layout of a data set in its folder.

    Attributes:
        images: Patterns of the images.
        annotations: Patterns of the annotations; of one scene the first that is there counts. Those that end in
            `.json` are polygon files, the others label maps.
        shared: Patterns of the annotations that are files of many images.
        form: That of the polygon files.
        ignored: Patterns of files that are not annotations, although a pattern of annotations matches them.
        raw_names: Name of each raw id in the label maps.
        raw_colours: Name of each colour in the label maps, or the path of a list of them; None if they hold ids.
        labels: The labels of the polygon files; None takes each as it is.
        splits: Name of a split in the patterns and of lists, case folded -> `train`, `validation` or `test`.
        split_lists: Name of a split -> files that list its scenes; without any, patterns give the splits.

    Raises:
        InputError: If it contradicts itself: label maps hold ids and colours, an annotation has a field that the images
            lack, lists and patterns both give splits, or a list has an unknown split.
    """

    images: Sequence[NamePattern]
    annotations: Sequence[NamePattern]
    ignored: Sequence[NamePattern]
    shared: Sequence[NamePattern]
    form: Form
    raw_names: Mapping[int, str]
    raw_colours: Colours | str | None
    labels: Labels | None
    splits: Mapping[str, str]
    split_lists: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        """Refuses what contradicts itself."""
        if self.raw_names and self.raw_colours is not None:
            raise InputError("give raw_names for label maps of ids, or raw_colours for label maps in colours, not both")
        self._check_lists()
        for image, annotation in product(self.images, self.annotations):
            if not set(annotation.fields) <= set(image.fields):
                raise InputError(
                    f"every field of the annotations' pattern '{annotation.text}' "
                    f"must also be in that of the images, '{image.text}'"
                )

    def _check_lists(self) -> None:
        unknown = [name for name in self.split_lists if name.casefold() not in self.splits]
        if unknown:
            expected = ", ".join(self.splits)
            raise InputError(f"split_lists: no split is called '{unknown[0]}', expected {expected}")
        told = [each.text for each in self.images if "split" in each.fields]
        if self.split_lists and told:
            raise InputError(f"split_lists already give the splits: write * instead of {{split}} in '{told[0]}'")


@dataclass(frozen=True)
class SceneFiles:
    """The files of one scene.

    Attributes:
        fields: Fields of their names.
        image: None where there is only an annotation.
        annotation: None where there is only an image.
        faults: What is wrong with them, though the scene can be used.
        unusable: Why the scene can't be used, if that shows in the files' names.
        part: What an annotation file of many images says of this one; None if the file is the scene's own.
    """

    fields: Mapping[str, str]
    image: RawPath | None
    annotation: RawPath | None
    faults: tuple[Fault, ...] = ()
    unusable: tuple[FaultKind, str] | None = None
    part: bytes | None = None


NAMED = 3
"""At most so many files of one scene are named in a message."""

Found = tuple[Mapping[str, str], list[RawPath]]
"""Fields of file names, and the files that have them."""


def pair_files(folder: RawPath, layout: Layout) -> dict[str, SceneFiles]:
    """Returns the files of each scene, also of scenes that have only an annotation.

    A scene's id is the text of its fields: split, drive and frame.
    """
    images: dict[str, Found] = {}
    for pattern in layout.images:
        for path, fields in pattern.find(folder):
            paths = images.setdefault(_name_scene(fields), (fields, []))[1]
            if path not in paths:  # two patterns may fit one file
                paths.append(path)
    ignored = {path for pattern in layout.ignored for path, _ in pattern.find(folder)}
    indices = [(pattern, _index_files(folder, pattern, ignored)) for pattern in layout.annotations]
    annotated = {fields.get("split") for _, index in indices for fields, _ in index.values()}
    scenes = {}
    used: set[RawPath] = set()
    for scene, (fields, paths) in images.items():
        candidates = [index[key] for pattern, index in indices if (key := _key(pattern, fields)) in index]
        annotations = candidates[0][1] if candidates else []
        used.update(annotations)
        expected = not annotated.isdisjoint({fields.get("split"), None})
        scenes[scene] = _judge(folder, fields, paths, annotations, expected=expected)
    for _, index in indices:
        for fields, paths in index.values():
            if (scene := _name_scene(fields)) not in scenes and used.isdisjoint(paths):
                scenes[scene] = SceneFiles(fields, None, paths[0])
    return scenes


def count_other_splits(folder: RawPath, layout: Layout, scenes: Mapping[str, SceneFiles]) -> dict[str, int]:
    """Returns the number of scenes in each folder that is in the place of `{split}` but is not called like a split.

    Args:
        folder: That of the data set.
        layout: Its layout.
        scenes: What `pair_files` returns of it.
    """
    found = [each for pattern in layout.images for each in pattern.find_other_splits(folder)]
    annotations = {files.annotation for files in scenes.values()} if found else set()
    others = {_name_scene(fields): fields["split"] for path, fields in found if path not in annotations}
    return dict(sorted(Counter(others.values()).items(), key=lambda other: (-other[1], other[0])))


def _index_files(folder: RawPath, pattern: NamePattern, ignored: Set[RawPath]) -> dict[tuple[str, ...], Found]:
    index: dict[tuple[str, ...], Found] = {}
    for path, fields in pattern.find(folder):
        if path not in ignored and path.exists():
            index.setdefault(_key(pattern, fields), (fields, []))[1].append(path)
    return index


def _key(pattern: NamePattern, fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fields[field].casefold() if field == "split" else fields[field] for field in pattern.fields)


def _name_scene(fields: Mapping[str, str]) -> str:
    return "/".join(fields[field] for field in FIELDS if field in fields)


def _judge(
    folder: RawPath,
    fields: Mapping[str, str],
    images: Sequence[RawPath],
    annotations: Sequence[RawPath],
    *,
    expected: bool,
) -> SceneFiles:
    """Returns the files of a scene whose image exists, with their faults."""
    image, annotation = images[0], annotations[0] if annotations else None
    if not image.exists():
        detail = f"'{name_below(image, folder)}' is a link to nothing"
        return SceneFiles(fields, image, annotation, unusable=(FaultKind.IMAGE_MISSING, detail))
    for several in (images, annotations):
        if len(several) > 1:
            named = " and ".join(f"'{name_below(path, folder)}'" for path in several[:NAMED])
            more = f" and {len(several) - NAMED} more" if len(several) > NAMED else ""
            return SceneFiles(fields, image, annotation, unusable=(FaultKind.AMBIGUOUS, named + more))
    if expected and annotation is None:
        detail = f"others of its split have one, '{name_below(image, folder)}' has none"
        return SceneFiles(fields, image, None, faults=(Fault(FaultKind.NO_ANNOTATION, detail),))
    return SceneFiles(fields, image, annotation)
