"""The forms of annotations in `docs/own_data.md`: its lines read the data that it describes."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from kedro.io import AbstractDataset
from PIL import Image

TEXT = (Path(__file__).parents[2] / "docs/own_data.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
(RECIPE,) = (block["raw_scenes"] for block in BLOCKS if "raw_scenes" in block)
FORMS = [block for block in BLOCKS if "annotations" in block and "images" not in block]
BAND = 20
"""Width in pixels of the bands of one label in `tests/data/mine.py`."""

(COLOURS,) = (form["raw_colours"] for form in FORMS if isinstance(form.get("raw_colours"), dict))


def write_colours(path, label_map, names):
    palette = np.zeros((256, 3), np.uint8)
    for raw_id, name in names.items():
        palette[raw_id] = COLOURS[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(palette[label_map]).save(path)


def list_bands(label_map, names):
    """Yields (label, left, right, height) of each band."""
    for left in range(0, label_map.shape[1], BAND):
        yield names[int(label_map[0, left])], left, left + BAND - 1, label_map.shape[0] - 1


def list_corners(left, right, bottom):
    return [[left, 0], [right, 0], [right, bottom], [left, bottom]]


def write_cityscapes(path, label_map, names):
    objects = [{"label": label, "polygon": list_corners(*box)} for label, *box in list_bands(label_map, names)]
    size = {"imgHeight": label_map.shape[0], "imgWidth": label_map.shape[1]}
    path.write_text(json.dumps({**size, "objects": objects}))


def write_labelme(path, label_map, names):
    shapes = [
        {"label": label, "points": [[left, 0], [right, bottom]], "shape_type": "rectangle", "group_id": None}
        for label, left, right, bottom in list_bands(label_map, names)
    ]
    path.write_text(json.dumps({"version": "5.5.0", "shapes": shapes, "imagePath": f"{path.stem}.jpg"}))


def write_coco(path, scenes, names):
    """Writes one file of all scenes, (path of the image, label map)."""
    categories = {name: number for number, name in enumerate(names.values())}
    content = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i, "name": name} for name, i in categories.items()],
    }
    for number, (image, label_map) in enumerate(scenes):
        content["images"].append({"id": number, "file_name": image})
        for label, left, right, bottom in list_bands(label_map, names):
            polygon = [each for point in list_corners(left, right + 1, bottom + 1) for each in point]
            content["annotations"].append(
                {"image_id": number, "category_id": categories[label], "segmentation": [polygon], "iscrowd": 0}
            )
    path.write_text(json.dumps(content))


def write_annotations(folder, form, names):
    """Writes what the lines describe in place of the label maps of ids; returns these, by scene."""
    label_maps = {
        path.relative_to(folder / "labels").with_suffix("").as_posix(): np.asarray(Image.open(path))
        for path in (folder / "labels").rglob("*.png")
    }
    for path in (folder / "labels").rglob("*.png"):
        path.unlink()
    if "raw_colours" in form:
        write = write_colours
    else:
        write = write_labelme if form.get("form") == "labelme" else write_cityscapes
    if form.get("form") == "coco":
        scenes = [(f"images/{scene}.jpg", label_map) for scene, label_map in label_maps.items()]
        write_coco(folder / form["annotations"], scenes, names)
    else:
        for scene, label_map in label_maps.items():
            drive, frame = scene.split("/")
            write(folder / form["annotations"].format(drive=drive, frame=frame), label_map, names)
    if isinstance(form.get("raw_colours"), str):
        with (folder / form["raw_colours"]).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["name", "r", "g", "b"], *([name, *rgb] for name, rgb in COLOURS.items())])
    return label_maps


def test_docs_show_every_form():
    assert [form.get("form") for form in FORMS] == [None, None, None, "labelme", "coco"]
    assert [type(form.get("raw_colours")) for form in FORMS[:2]] == [dict, str]


@pytest.mark.parametrize("form", FORMS, ids=["colours", "file of colours", "cityscapes", "labelme", "coco"])
def test_lines_of_the_docs_read_what_they_describe(mine_folder, form):
    names = RECIPE["raw_names"]
    label_maps = write_annotations(mine_folder, form, names)
    entry = {key: value for key, value in RECIPE.items() if key != "raw_names"} | {"filepath": str(mine_folder)} | form
    scenes = AbstractDataset.from_config("raw_scenes", entry).load()
    assert set(scenes) == set(label_maps)
    for scene, each in scenes.items():
        assert each.faults == ()
        found = [[each.raw_names[raw_id] for raw_id in row] for row in each.label_map.tolist()]
        assert found == [[names[raw_id] for raw_id in row] for row in label_maps[scene].tolist()]
