"""Each form of annotation, read through the data set that a catalog names."""

import cv2
import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.labels import LabelSpace
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation

COLOURS = {"road": [128, 64, 128], "car": [0, 0, 142], "void": [7, 7, 7]}
RGB = np.array([*COLOURS.values()], np.uint8)
CELLS = np.array([[0, 0, 1, 2], [2, 1, 1, 0]])
NAMES = [[[*COLOURS][cell] for cell in row] for row in CELLS.tolist()]
SPACE = LabelSpace.model_validate(
    {
        "classes": [
            {"name": "street", "colour": [0, 0, 0], "raw": ["road"]},
            {"name": "vehicles", "colour": [1, 1, 1], "raw": ["car"]},
        ],
        "void": ["void", "unlabeled"],
    }
)


def load(folder, annotations="{frame}_L.png", **how):
    arguments = {"images": "{frame}.jpg", "annotations": annotations, **how}
    return SceneFoldersDataset(filepath=str(folder), **arguments).load()


def write(folder, label_map, frame="a", size=CELLS.shape, **how):
    Image.new("RGB", size[::-1]).save(folder / f"{frame}.jpg")
    label_map.save(folder / f"{frame}_L.png", **how)


def names_of(scene):
    return [[scene.raw_names.get(raw_id) for raw_id in row] for row in scene.label_map.tolist()]


def refuse(folder, **how):
    with pytest.raises(UnusableSceneError) as error:
        load(folder, **how)["a"]
    return error.value.fault


def palette_image(colours):
    image = Image.fromarray(CELLS.astype(np.uint8)).convert("P")
    image.putpalette(colours.ravel().tolist())
    return image


@pytest.mark.parametrize(
    "label_map",
    [
        Image.fromarray(RGB[CELLS]),
        Image.fromarray(RGB[CELLS]).convert("RGBA"),
        palette_image(RGB),
    ],
    ids=["RGB", "RGBA", "palette"],
)
def test_label_maps_in_colours_have_the_names_of_the_colours(tmp_path, label_map):
    write(tmp_path, label_map)
    scene = load(tmp_path, raw_colours=COLOURS)["a"]
    assert names_of(scene) == NAMES
    assert (scene.faults, scene.unnamed) == ((), {})


@pytest.mark.parametrize("mode", ["L", "RGB", "LA"])
def test_shades_of_grey_are_colours_too(tmp_path, mode):
    write(tmp_path, Image.fromarray((CELLS * 100).astype(np.uint8)).convert(mode))
    scene = load(tmp_path, raw_colours={"road": [0, 0, 0], "car": [100, 100, 100], "void": [200, 200, 200]})["a"]
    assert names_of(scene) == NAMES


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_ids_in_equal_channels_are_ids(tmp_path, mode):
    write(tmp_path, Image.fromarray(CELLS.astype(np.uint8)).convert(mode))
    scene = load(tmp_path, raw_names=dict(enumerate(COLOURS)))["a"]
    assert names_of(scene) == NAMES


def test_ids_of_sixteen_bits_in_equal_channels_are_ids(tmp_path):
    Image.new("RGB", (4, 2)).save(tmp_path / "a.jpg")
    cv2.imwrite(str(tmp_path / "a_L.png"), np.dstack([CELLS.astype(np.uint16) * 300] * 3))
    scene = load(tmp_path, raw_names={300 * index: name for index, name in enumerate(COLOURS)})["a"]
    assert names_of(scene) == NAMES


def test_palette_is_indices_where_ids_have_names(tmp_path):
    write(tmp_path, palette_image(RGB))
    scene = load(tmp_path, raw_names=dict(enumerate(COLOURS)))["a"]
    np.testing.assert_array_equal(scene.label_map, CELLS)


def test_colours_without_a_list_are_named_with_the_parameter_that_takes_one(tmp_path):
    write(tmp_path, Image.fromarray(RGB[CELLS]))
    fault = refuse(tmp_path, raw_names={0: "road"})
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "'a_L.png' must have one channel of ids, it has 3 that differ: raw_colours can say" in fault.detail


@pytest.mark.parametrize("how", [{"raw_colours": COLOURS}, {"raw_names": {0: "road"}}])
def test_transparent_pixels_are_counted(tmp_path, how):
    pixels = np.dstack([np.full((2, 4, 3), 7, np.uint8), [[255, 255, 254, 0], [255, 255, 255, 255]]]).astype(np.uint8)
    write(tmp_path, Image.fromarray(pixels))
    fault = refuse(tmp_path, **how)
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert fault.detail.startswith("label map 'a_L.png' has 2 transparent pixels")


def test_colours_of_sixteen_bits_are_refused(tmp_path):
    Image.new("RGB", (4, 2)).save(tmp_path / "a.jpg")
    cv2.imwrite(str(tmp_path / "a_L.png"), np.zeros((2, 4, 3), np.uint16))
    assert "'a_L.png' has uint16 colours, expected 8 bits per channel" in refuse(tmp_path, raw_colours=COLOURS).detail


def test_lossy_colours_are_refused(tmp_path):
    write(tmp_path, Image.fromarray(RGB[CELLS]), format="JPEG", quality=100)
    fault = refuse(tmp_path, raw_colours=COLOURS)
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "label map 'a_L.png' is compressed as JPEG, which changes ids" in fault.detail


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_broken_label_map_in_colours_is_named(tmp_path, content):
    write(tmp_path, Image.fromarray(RGB[CELLS]))
    path = tmp_path / "a_L.png"
    path.write_bytes(path.read_bytes()[:-30] if content is None else content)
    fault = refuse(tmp_path, raw_colours=COLOURS)
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert "'a_L.png'" in fault.detail


def test_label_map_in_colours_of_another_size_is_named(tmp_path):
    write(tmp_path, Image.fromarray(RGB[CELLS]), size=(3, 4))
    assert refuse(tmp_path, raw_colours=COLOURS) == Fault(
        FaultKind.OTHER_SIZE, "'a_L.png' has (2, 4), the image (3, 4)"
    )


def prepare(scenes, unknown_label):
    options = PrepareOptions(image_size=(2, 4), unknown_label=unknown_label, unusable_share=0.0, workers=1)
    return plan_preparation(scenes, list(scenes), SPACE, options).prepare("a")


def test_colour_that_is_not_listed_is_an_unknown_label_with_its_pixels(tmp_path):
    pixels = RGB[CELLS]
    pixels[0, :2], pixels[1, 0] = (1, 2, 3), (9, 9, 9)
    write(tmp_path, Image.fromarray(pixels))
    scenes = load(tmp_path, raw_colours=COLOURS)
    told = r"colour (1, 2, 3) (2 pixels), colour (9, 9, 9) (1 pixels)"
    with pytest.raises(ValueError, match="scene 'a'") as error:
        prepare(scenes, "error")
    assert str(error.value) == (f"scene 'a': {told} has no name in raw_colours; set prepare.unknown_label to 'void'")
    prepared = prepare(scenes, "void")
    assert prepared.faults == (Fault(FaultKind.UNKNOWN_LABEL, told),)
    assert prepared.label_map.tolist() == [[255, 255, 1, 255], [255, 1, 1, 0]]
    # The advice, followed:
    more = [*COLOURS.items(), ("road", [1, 2, 3]), ("void", [9, 9, 9])]
    scenes = load(tmp_path, raw_colours=[{"name": name, "colour": colour} for name, colour in more])
    assert prepare(scenes, "error").label_map.tolist() == [[0, 0, 1, 255], [255, 1, 1, 0]]


def test_id_without_a_name_is_told_with_the_setting_that_names_it(tmp_path):
    write(tmp_path, Image.fromarray(CELLS.astype(np.uint8)))
    scenes = load(tmp_path, raw_names={0: "road", 2: "void"})
    with pytest.raises(ValueError, match=r"scene 'a': id 1 has no name in raw_names; set prepare\.unknown_label to "):
        prepare(scenes, "error")
    named = load(tmp_path, raw_names={0: "road", 1: "car", 2: "void"})
    assert prepare(named, "error").label_map.tolist() == [[0, 0, 1, 255], [255, 1, 1, 0]]


def test_stray_pixel_that_is_lost_in_resizing_is_told_too(tmp_path):
    pixels = np.repeat(np.repeat(RGB[CELLS], 8, axis=0), 8, axis=1)
    pixels[0, 0] = (1, 2, 3)
    write(tmp_path, Image.fromarray(pixels), size=(16, 32))
    prepared = prepare(load(tmp_path, raw_colours=COLOURS), "void")
    assert prepared.faults == (Fault(FaultKind.UNKNOWN_LABEL, "colour (1, 2, 3) (1 pixels)"),)
    assert prepared.label_map.tolist() == [[0, 0, 1, 255], [255, 1, 1, 0]]


def test_list_of_colours_may_be_a_file_in_the_folder(tmp_path):
    write(tmp_path, Image.fromarray(RGB[CELLS]))
    path = tmp_path / "class_dict.csv"
    path.write_text("name,r,g,b\n" + "".join(f"{name},{r}, {g}, {b}\n" for name, (r, g, b) in COLOURS.items()))
    scenes = load(tmp_path, raw_colours="class_dict.csv")
    assert names_of(scenes["a"]) == NAMES
    before = scenes.records["a"].fingerprint
    path.write_text(path.read_text().replace("car", "van"))
    after = load(tmp_path, raw_colours="class_dict.csv")
    assert after.records["a"].fingerprint != before
    assert "van" in names_of(after["a"])[0]


def test_file_of_colours_is_looked_for_when_scenes_are_and_not_before(tmp_path):
    scenes = load(tmp_path / "none", raw_colours="class_dict.csv")
    with pytest.raises(FileError, match="there is no folder"):
        len(scenes)
    write(tmp_path, Image.fromarray(RGB[CELLS]))
    with pytest.raises(FileError, match=r"there is no list of colours 'class_dict\.csv', neither in"):
        len(load(tmp_path, raw_colours="class_dict.csv"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"raw_colours": COLOURS, "raw_names": {0: "road"}}, "not both"),
        ({"raw_colours": {}}, "raw_colours lists no colours"),
        ({"raw_colours": {"road": [1, 2, 3], "car": [1, 2, 3]}}, "'road' and 'car' have the same colour"),
        ({"form": "voc"}, "form of a data set must be one of cityscapes, labelme, coco, received 'voc'"),
        ({"annotations": "all.json"}, "pattern 'all.json' must contain {frame}"),
    ],
)
def test_settings_that_are_not_valid_are_named(tmp_path, how, words):
    with pytest.raises(DatasetError, match=words):
        load(tmp_path, **how)


def test_scenes_of_ids_and_of_cityscapes_polygons_are_known_by_what_they_always_were(tmp_path):
    write(tmp_path, Image.fromarray(CELLS.astype(np.uint8)))
    names = {0: "road", 1: "car", 2: "void"}
    (fingerprint,) = (each.fingerprint for each in load(tmp_path, raw_names=names).records.values())
    assert fingerprint.endswith(" None 0 187a5b2fd020dd7a")  # so that what is prepared stays so


def test_form_and_colours_are_part_of_what_a_scene_is_known_by(tmp_path):
    write(tmp_path, Image.fromarray(RGB[CELLS]))
    ways = [
        {},
        {"raw_colours": COLOURS},
        {"raw_colours": {**COLOURS, "sky": [1, 1, 1]}},
        {"form": "labelme"},
        {"form": "coco"},
    ]
    assert len({load(tmp_path, **how).records["a"].fingerprint for how in ways}) == len(ways)
