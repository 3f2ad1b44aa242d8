import json

import numpy as np
import pytest
from PIL import Image

from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.reading.text_file import read_text

FORMS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["", "a", "{}", '{"Stra\u00dfe": "\u2713"}', "train/1.png\r\n"])
def test_text_is_read_in_any_form_of_unicode(tmp_path, form, text):
    (tmp_path / "a").write_bytes(text.encode(form))
    assert read_text(tmp_path / "a") == text


@pytest.mark.parametrize("content", [b"Stra\xdfe", b"\xff\xfea\0b", b"\x89PNG\r\n"])
def test_what_is_no_text_is_told_with_the_place(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=r"^no text in UTF-(8|16): byte 0x\w\w at place \d$"):
        read_text(tmp_path / "a")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match="gone' can't be read: No such file"):
        read_text(tmp_path / "gone")


POLYGON = [[0, 0], [6, 0], [6, 4], [0, 4]]
CORNERS = [0, 0, 6, 0, 6, 4, 0, 4]
FILES = {
    "cityscapes": {"imgHeight": 4, "imgWidth": 6, "objects": [{"label": "Stra\u00dfe", "polygon": POLYGON}]},
    "labelme": {
        **{"imageHeight": 4, "imageWidth": 6, "imagePath": "1.png"},
        "shapes": [{"label": "Stra\u00dfe", "points": POLYGON, "shape_type": "polygon"}],
    },
    "coco": {
        "images": [{"id": 1, "file_name": "1.png", "height": 4, "width": 6}],
        "categories": [{"id": 1, "name": "Stra\u00dfe"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[x for point in POLYGON for x in point]]}
        ],
    },
}


@pytest.mark.parametrize("encoding", FORMS)
@pytest.mark.parametrize("form", FILES)
def test_polygon_files_of_every_form_may_be_in_any_form_of_unicode(tmp_path, form, encoding):
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "1.png")
    (tmp_path / "1.json").write_text(json.dumps(FILES[form], ensure_ascii=False), encoding)
    annotations = "1.json" if form == "coco" else "{frame}.json"
    data_set = SceneFoldersDataset(filepath=str(tmp_path), images="{frame}.png", annotations=annotations, form=form)
    (scene,) = data_set.load().values()
    assert {scene.raw_names[raw_id] for raw_id in np.unique(scene.label_map).tolist()} == {"Stra\u00dfe"}
