"""The text of a manifest: JSON with one line per scene, so that a million scenes are never objects all at once."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from roadseg.errors import InputError
from roadseg.reading.annotated_objects import describe_fault
from roadseg.scenes.labels import SegmentationClass
from roadseg.scenes.scene_rows import CHUNK, COLUMNS, SceneRows, Values, list_values


class _Head(TypedDict):
    classes: list[SegmentationClass]
    image_size: tuple[int, int]


class _Row(TypedDict):
    scene: str
    usable: bool
    facts: str


class _Mappings(_Head):
    scenes: list[_Row]


HEAD, MAPPINGS = TypeAdapter(_Head), TypeAdapter(_Mappings)

OPENING, CLOSING = f', "columns": {json.dumps(COLUMNS)}, "scenes": [\n'.encode(), b"]}\n"
"""End of the first line, and the last line."""


def write_manifest(manifest: Mapping[str, Any]) -> Iterator[bytes]:
    """Yields the text of a manifest, see `PreparedScenes`: equal bytes for equal manifests.

    The first line has classes, image size and the names of the columns, then each line has a list per scene.
    """
    head = {name: manifest[name] for name in ("classes", "image_size")}
    yield json.dumps(head).encode()[:-1] + OPENING
    last = len(manifest["scenes"]) - 1
    for place, values in enumerate(list_values(manifest["scenes"])):
        yield json.dumps(values).encode() + (b",\n" if place < last else b"\n")
    yield CLOSING


def read_manifest(content: bytes) -> dict[str, Any]:
    """Returns the manifest of a text; one of an older program has a mapping per scene.

    Raises:
        InputError: If it is broken; the message says how.
    """
    file = io.BytesIO(content)
    head = file.readline()
    if not head.endswith(OPENING):
        _validate(MAPPINGS, content)
        mappings: dict[str, Any] = json.loads(content)
        return mappings
    manifest: dict[str, Any] = json.loads(head.removesuffix(OPENING) + b"}")
    _validate(HEAD, json.dumps(manifest).encode())
    count, num_classes = max(content.count(b"\n") - 2, 0), len(manifest["classes"])
    rows = SceneRows(_read_values(file, count, num_classes), count, num_classes)
    if file.read() != CLOSING:
        raise InputError("its end is missing")
    return manifest | {"scenes": rows}


def _read_values(file: IO[bytes], count: int, num_classes: int) -> Iterator[Values]:
    adapter = _adapt(num_classes)
    for start in range(0, count, CHUNK):
        lines = b"".join(islice(file, min(CHUNK, count - start)))
        yield from _validate(adapter, b"[%b]" % lines.removesuffix(b"\n").removesuffix(b","), start)


def _adapt(num_classes: int) -> TypeAdapter[list[Any]]:
    """Returns what validates rows, with a count of pixels per class."""
    pixels = Annotated[list[int], Field(min_length=num_classes, max_length=num_classes)]
    fault = Annotated[list[str], Field(min_length=2, max_length=2)]
    row = tuple[str, str, str | None, bool, list[fault], int | None, int | None, pixels | None, str | None, str]
    return TypeAdapter(list[row])


def _validate(adapter: TypeAdapter[Any], content: bytes, first: int | None = None) -> Any:
    """Returns what JSON holds; `first` is the position of the first scene where it holds those alone."""
    try:
        return adapter.validate_json(content, strict=first is not None)  # older programs converted
    except ValidationError as fault:
        raise InputError(describe_fault(fault) if first is None else _describe_row(fault, first)) from fault


def _describe_row(fault: ValidationError, first: int) -> str:
    """Returns what is wrong in a row, by its position and column."""
    error = fault.errors(include_url=False)[0]
    place: Sequence[Any] = error["loc"]
    if not place:
        return f"{error['msg']} after scene {first}"
    return ".".join(map(str, [f"{error['msg']} at scenes", first + place[0], *(COLUMNS[each] for each in place[1:2])]))
