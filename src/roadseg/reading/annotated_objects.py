"""What all forms of polygon files share: labels and their names, and faults of the objects of a file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from roadseg.errors import InputError
from roadseg.reading.stored_path import RawPath
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.polygons import BACKGROUND, Point

Labels = Mapping[str, str | None]
"""Label in the file -> raw name; None is not drawn."""

Coordinate = Annotated[float, Field(gt=-1e6, lt=1e6, allow_inf_nan=False)]
Side = Annotated[int, Field(gt=0, le=2**15)]


@dataclass(frozen=True)
class AnnotatedObject:
    """One object of a file.

    Attributes:
        label: As the file has it.
        points: Its corners (x, y) in pixels.
        least: Number of points that it needs at least, to be drawn.
    """

    label: str
    points: Sequence[Point]
    least: int = 3


@contextmanager
def blame_file(path: RawPath) -> Iterator[None]:
    """Turns what is wrong with the content of a file into a fault that names it.

    Raises:
        UnusableSceneError: For an InputError, and for one of pydantic's, with the place in the file.
    """
    try:
        yield
    except ValidationError as fault:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"'{path}': {describe_fault(fault)}") from fault
    except InputError as fault:
        raise UnusableSceneError(FaultKind.ANNOTATION_BROKEN, f"'{path}': {fault}") from fault


def describe_fault(fault: ValidationError) -> str:
    """Returns the first thing that is wrong, and where."""
    first = fault.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    received = f", received {first['input']}" if first["type"] == "finite_number" else ""
    return f"{first['msg']}{received}{f' at {place}' if place else ''}"


def find_faults(objects: Sequence[AnnotatedObject], size: tuple[int, int], image_size: tuple[int, int]) -> list[Fault]:
    """Returns what is wrong with the objects of a file, though it can be used.

    Args:
        objects: All that count.
        size: (height, width) that the file says.
        image_size: (height, width) of the image.
    """
    faults = []
    if not objects:
        faults.append(Fault(FaultKind.NO_OBJECTS, f"all of it is {BACKGROUND}"))
    if size != image_size:
        faults.append(Fault(FaultKind.OTHER_SIZE, f"{size}, the image has {image_size}"))
    found = {
        FaultKind.EMPTY_POLYGON: (each for each in objects if not each.points),
        FaultKind.SHORT_POLYGON: (each for each in objects if 0 < len(each.points) < each.least),
        FaultKind.VERTEX_OUTSIDE: (each for each in objects if _leaves(each.points, size)),
    }
    faults += [Fault(kind, named) for kind, several in found.items() if (named := _count_labels(several))]
    return faults


def _leaves(points: Sequence[Point], size: tuple[int, int]) -> bool:
    if not points:
        return False
    columns, rows = zip(*points, strict=True)
    return not (min(columns) >= 0 and max(columns) <= size[1] and min(rows) >= 0 and max(rows) <= size[0])


def _count_labels(objects: Iterable[AnnotatedObject]) -> str:
    counts = Counter(each.label for each in objects)
    return ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
