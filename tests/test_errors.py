"""A fault of the program, such as a wrong shape in NumPy, is not told as one of a file that a user gave."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from roadseg.command_line import read_options, run
from roadseg.configuration import ConfigurationLoader
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.datasets.prepared_scenes import PreparedScenesDataset
from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.reading.coco_file import list_images
from roadseg.reading.coco_masks import read_coco
from roadseg.reading.colour_list import read_colours
from roadseg.reading.images import read_image
from roadseg.reading.label_map_file import read_label_colours, read_label_map
from roadseg.reading.labelme_file import read_labelme
from roadseg.reading.polygon_file import read_polygons
from roadseg.reading.split_lists import _read_list
from roadseg.settings import CONFIG_LOADER_ARGS
from roadseg.training.start import read_start_record

BUG = "operands could not be broadcast together"
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU\0\0\0\nIDAT\x08\xd7c`\0\0\0\2\0\1\xe2!\xbc3\0\0\0\0"
    b"IEND\xaeB`\x82"
)
"""One black pixel."""

LABELME = b'{"imageHeight": 4, "imageWidth": 6, "shapes": [{"label": "a", "points": [[0, 0], [3, 0], [3, 3]]}]}'
POLYGONS = b'{"imgHeight": 4, "imgWidth": 6, "objects": []}'
MANIFEST = b'{"classes": [], "image_size": [2, 4], "scenes": []}'
FOLDERS = {"images": "{frame}.jpg", "annotations": "{frame}.png", "raw_colours": {"a": [1, 2, 3]}}

Call = Callable[[Path], object]

CASES: Mapping[str, tuple[str, bytes, Call]] = {
    "polygons": ("reading.polygon_file.draw_polygons", POLYGONS, lambda path: read_polygons(path, None, (4, 6))),
    "labelme": ("reading.labelme_file._paint", LABELME, lambda path: read_labelme(path, None, (4, 6))),
    "masks": (
        "reading.coco_masks.number_labels",
        b"",
        lambda path: read_coco(path, b'{"height": 4, "width": 6, "objects": []}', None, (4, 6)),
    ),
    "coco": ("reading.coco_file.read_text", b"", list_images),
    "image": ("reading.image_header._count_bits", PNG, read_image),
    "header": ("reading.images.read_header", PNG, read_image),
    "label map": ("reading.label_map_file.as_raw_ids", PNG, read_label_map),
    "colours": ("reading.label_map_file._turn", PNG, read_label_colours),
    "list of colours": ("reading.colour_list._collect", b"1 2 3 a", read_colours),
    "list of scenes": (
        "reading.split_lists.read_text",
        b"",
        lambda path: next(_read_list(path, None)),  # type: ignore[arg-type],
    ),
    "label space": (
        "datasets.label_space.read_mapping",
        b"",
        lambda path: LabelSpaceDataset(filepath=str(path)).load(),
    ),
    "manifest": (
        "datasets.prepared_scenes.PreparedScenes",
        MANIFEST,
        lambda path: PreparedScenesDataset(filepath=str(path)).load(),
    ),
    "folders": (
        "datasets.scene_folders.list_colours",
        b"",
        lambda path: SceneFoldersDataset(filepath=str(path), **FOLDERS),
    ),
    "settings": (
        "configuration.list_keys",
        b"data_set: a",
        lambda path: ConfigurationLoader(str(path.parents[1]), env="base", **CONFIG_LOADER_ARGS),
    ),
    "options": (
        "command_line.read_mapping",
        b"run: {}",
        lambda path: read_options(run.make_context("run", []), run.params[0], str(path)),
    ),
    "model": ("training.start.read_record", b"", lambda path: read_start_record(str(path))),
}


@pytest.mark.parametrize(("place", "content", "call"), CASES.values(), ids=CASES)
def test_fault_of_the_program_stays_one(
    place: str, content: bytes, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_bug(*_: Any, **__: Any) -> Any:
        raise ValueError(BUG)

    path = tmp_path / "base" / ("globals.yml" if "configuration" in place else "a.keras")
    path.parent.mkdir()
    path.write_bytes(content)
    monkeypatch.setattr(f"roadseg.{place}", raise_bug)
    with pytest.raises(Exception, match=BUG) as raised:
        call(path)
    is_wrapped = str(raised.value).startswith("Failed while loading data")  # as Kedro does with all
    assert type(raised.value.__cause__ if is_wrapped else raised.value) is ValueError
