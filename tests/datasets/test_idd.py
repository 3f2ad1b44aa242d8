import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from data.idd import LEVEL_1, draw_idd
from roadseg.datasets.idd import IddDataset
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError
from roadseg.scenes.labels import remap_label_map
from roadseg.scenes.preprocessing import resize_label_map

VOID = 255
CLASS_OF = {
    label: VOID if name is None else index for index, (name, labels) in enumerate(LEVEL_1.items()) for label in labels
}

TRAIN = ["train/0/024541", "train/0/024703", "train/93/001213"]
TRAIN += ["train/200/frame1234", "train/200/frame13579", "train/283/0003438"]
VALIDATION = ["val/119/903127", "val/119/903184", "val/377/frame0029", "val/377/frame2890"]
TEST = ["test/181/000513", "test/580/0001620"]
SHAPES = {"train/93/001213": (61, 81)} | dict.fromkeys([*VALIDATION[:2], TEST[0]], (72, 128))
PART_I, PART_II = "IDD_Segmentation", "idd20kII"
PNG, JPEG = "train/0/024541", "train/283/0003438"
PARTS = {PNG: (PART_I, "png"), JPEG: (PART_II, "jpg")}


@pytest.fixture(params=["side by side", "merged"])
def any_folder(request, tmp_path):
    """Both parts, in a folder each and in one."""
    draw_idd(tmp_path / "idd", merged=request.param == "merged")
    return tmp_path / "idd"


def load(folder):
    return IddDataset(filepath=str(folder)).load()


def image_of(folder, name):
    part, suffix = PARTS[name]
    return folder / part / "leftImg8bit" / f"{name}_leftImg8bit.{suffix}"


def annotation_of(folder, name):
    return folder / PARTS[name][0] / "gtFine" / f"{name}_gtFine_polygons.json"


def square(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def add(folder, *objects, size=(40, 64), image_size=None, name="train/200/frame1234", **more):
    """Adds a scene of objects (label, polygon[, deleted]); returns its id."""
    image = folder / f"leftImg8bit/{name}_leftImg8bit.jpg"
    annotation = folder / f"gtFine/{name}_gtFine_polygons.json"
    for path in (image, annotation):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (image_size or size)[::-1]).save(image)
    described = [
        {"label": label, "polygon": polygon, "deleted": deleted[0] if deleted else 0, "verified": 0, "draw": True}
        for label, polygon, *deleted in objects
    ]
    content = {"imgHeight": size[0], "imgWidth": size[1], "objects": described}
    annotation.write_text(json.dumps(content | more))
    return name


def refuse(scenes, scene):
    """Returns the fault that reading the scene must end in."""
    with pytest.raises(UnusableSceneError) as error:
        scenes[scene]
    return error.value.fault


def class_ids(scene, size=None):
    """Returns the label map in the classes of the shipped label space, and the labels that it lacks."""
    label_space = LabelSpaceDataset(name="seven_classes").load()
    raw = scene.label_map if size is None else resize_label_map(scene.label_map, size)
    return remap_label_map(raw, scene.raw_names, label_space)


def draw_official(objects, size):
    """Returns the class ids as the official tool draws them: (height, width) uint8."""
    canvas = Image.new("L", size[::-1], VOID)
    for each in objects:
        if not each["deleted"] and len(each["polygon"]) >= 3:
            points = [tuple(point) for point in each["polygon"]]
            ImageDraw.Draw(canvas).polygon(points, fill=CLASS_OF[each["label"]])
    return np.array(canvas)


def take_nearest(label_map, size):
    """Returns the label map at another size: each pixel from the one that its centre lies in."""
    rows, columns = (
        np.floor((np.arange(new) + 0.5) * raw / new).astype(int) for new, raw in zip(size, label_map.shape, strict=True)
    )
    return label_map[np.ix_(rows, columns)]


def test_scenes_are_the_frames_of_both_parts(any_folder):
    scenes = load(any_folder)
    assert list(scenes) == sorted(TRAIN + VALIDATION + TEST)
    assert {scene: record.published_split for scene, record in scenes.records.items()} == (
        dict.fromkeys(TRAIN, "train") | dict.fromkeys(VALIDATION, "validation") | dict.fromkeys(TEST, "test")
    )
    assert {scene: record.drive for scene, record in scenes.records.items()} == {
        scene: scene.split("/")[1] for scene in TRAIN + VALIDATION + TEST
    }


def test_scenes_can_be_read_without_a_fault_and_test_has_no_labels(any_folder):
    scenes = load(any_folder)
    assert len(scenes) == 12
    for scene, read in scenes.items():
        size = SHAPES.get(scene, (108, 192))
        assert (read.image.shape, read.image.dtype, read.size, read.faults) == ((*size, 3), np.uint8, size, ())
        assert (read.label_map is None) == (scene in TEST)


@pytest.mark.parametrize("part", [PART_I, PART_II])
def test_one_part_alone_is_a_data_set_too(idd_folder, part):
    scenes = load(idd_folder / part)
    every = sorted([*TRAIN, *VALIDATION, *TEST])
    assert list(scenes) == [scene for scene in every if (int(scene.split("/")[1]) < 200) == (part == PART_I)]
    assert all(not scene.faults for scene in scenes.values())


def test_frames_without_their_annotations_are_a_data_set_too(idd_folder):
    for part in (PART_I, PART_II):
        (idd_folder / part / "gtFine").rename(idd_folder / part / "elsewhere")
    assert [(scene.label_map, scene.faults) for scene in load(idd_folder).values()] == [(None, ())] * 12


@pytest.mark.parametrize("name", [PNG, JPEG])
def test_image_is_what_pillow_reads(idd_folder, name):
    with Image.open(image_of(idd_folder, name)) as picture:
        expected = np.array(picture)
    read = load(idd_folder)[name].image
    # Two JPEG decoders may round differently.
    assert np.abs(read.astype(int) - expected).max() <= (0 if name == PNG else 3)


def test_labels_are_the_forty_of_the_data_set():
    assert len(CLASS_OF) == 40


@pytest.mark.parametrize("label", CLASS_OF)
def test_each_label_becomes_its_class_of_level_1(tmp_path, label):
    scene = add(tmp_path, (label, square(0, 0, 64, 40)))
    label_map, unknown = class_ids(load(tmp_path)[scene])
    assert (np.unique(label_map).tolist(), unknown) == ([CLASS_OF[label]], [])


@pytest.mark.parametrize("label", CLASS_OF)
def test_a_group_counts_as_the_single_thing_but_a_group_of_poles_is_a_label_itself(tmp_path, label):
    scene = add(tmp_path, (f"{label}group", square(0, 0, 64, 40)))
    read = load(tmp_path)[scene]
    assert set(np.unique(class_ids(read)[0])) == {CLASS_OF[label]}
    assert {read.raw_names[raw_id] for raw_id in np.unique(read.label_map).tolist()} == {
        "polegroup" if label == "pole" else label
    }


def test_what_no_object_covers_is_void(tmp_path):
    scene = add(tmp_path, ("road", square(0, 20, 63, 39)))
    label_map, unknown = class_ids(load(tmp_path)[scene])
    assert (np.unique(label_map[:20]).tolist(), np.unique(label_map[20:]).tolist(), unknown) == ([VOID], [0], [])


def test_later_objects_are_painted_over_earlier_ones_and_deleted_ones_are_not(tmp_path):
    car, plate = ("car", square(8, 8, 40, 30)), ("license plate", square(20, 20, 30, 25))
    scene = add(tmp_path, ("road", square(0, 0, 64, 40)), car, plate, ("sky", square(0, 0, 64, 40), 1))
    expected = np.zeros((40, 64), np.uint8)
    expected[8:31, 8:41] = 3
    expected[20:26, 20:31] = VOID
    read = load(tmp_path)[scene]
    np.testing.assert_array_equal(class_ids(read)[0], expected)
    assert read.faults == ()
    scene = add(tmp_path, plate, car)
    assert set(np.unique(class_ids(load(tmp_path)[scene])[0][8:31, 8:41])) == {3}


def test_label_maps_are_those_that_the_official_tool_draws(idd_folder):
    scenes = load(idd_folder)
    paths = list(idd_folder.rglob("*.json"))
    assert len(paths) == 10
    for path in paths:
        content = json.loads(path.read_text())
        scene = scenes[f"{path.parent.parent.name}/{path.parent.name}/{path.name.split('_gt')[0]}"]
        expected = draw_official(content["objects"], (content["imgHeight"], content["imgWidth"]))
        assert set(np.unique(expected)) == {*range(7), VOID}
        np.testing.assert_array_equal(class_ids(scene)[0], expected)
        for size in ((30, 60), (33, 47), (144, 256)):
            np.testing.assert_array_equal(class_ids(scene, size)[0], take_nearest(expected, size))


@pytest.mark.parametrize("seed", [0, 1])
def test_full_frame_with_130_objects_is_that_of_the_official_tool(tmp_path, seed):
    random = np.random.default_rng(seed)
    size, objects = (1080, 1920), []
    for number, label in enumerate(random.choice([*CLASS_OF], 130).tolist()):
        corners = random.integers(0, 3) if number % 10 == 0 else random.integers(3, 40)
        centre, reach = random.uniform(0, 1, 2) * (1920, 1080), random.uniform(3, 500)
        points = (centre + random.uniform(-reach, reach, (corners, 2))).round(3).tolist()
        objects.append((label, points, int(random.random() < 0.1)))
    scene = add(tmp_path, *objects, size=size)
    read = load(tmp_path)[scene]
    expected = draw_official([dict(zip(("label", "polygon", "deleted"), each, strict=True)) for each in objects], size)
    assert read.label_map.shape == size
    assert np.unique(expected).size == 8
    np.testing.assert_array_equal(class_ids(read)[0], expected)
    np.testing.assert_array_equal(class_ids(read, (240, 480))[0], take_nearest(expected, (240, 480)))
    assert FaultKind.VERTEX_OUTSIDE in {fault.kind for fault in read.faults}


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        ([], Fault(FaultKind.EMPTY_POLYGON, "1 pole")),
        ([[3, 3]], Fault(FaultKind.SHORT_POLYGON, "1 pole")),
        ([[3, 3], [30, 30]], Fault(FaultKind.SHORT_POLYGON, "1 pole")),
    ],
)
def test_polygon_that_is_none_is_noted_and_not_drawn(tmp_path, points, fault):
    scene = add(tmp_path, ("road", square(0, 0, 64, 40)), ("pole", points))
    read = load(tmp_path)[scene]
    assert read.faults == (fault,)
    assert set(np.unique(class_ids(read)[0])) == {0}


@pytest.mark.parametrize("label", ["ground", "groundgroup", "Road", "auto rickshaw"])
def test_unknown_label_keeps_its_name_and_no_class_knows_it(tmp_path, label):
    scene = add(tmp_path, ("road", square(0, 0, 31, 39)), (label, square(32, 0, 63, 39)))
    read = load(tmp_path)[scene]
    label_map, unknown = class_ids(read)
    assert unknown == [label]
    assert (np.unique(label_map[:, :32]).tolist(), np.unique(label_map[:, 32:]).tolist()) == ([0], [VOID])
    assert read.faults == ()


def test_vertices_outside_the_frame_are_noted_and_cut_at_its_border(tmp_path):
    scene = add(tmp_path, ("sky", square(-9, -9.5, 90, 19)), ("road", square(0, 20, 64, 40)))
    read = load(tmp_path)[scene]
    assert read.faults == (Fault(FaultKind.VERTEX_OUTSIDE, "1 sky"),)
    np.testing.assert_array_equal(class_ids(read)[0], np.repeat([[6], [0]], 20, axis=0).repeat(64, axis=1))


@pytest.mark.parametrize("objects", [(), (("car", square(0, 0, 9, 9), 1),)])
def test_scene_without_objects_is_void_and_noted(tmp_path, objects):
    scene = add(tmp_path, *objects)
    read = load(tmp_path)[scene]
    assert [fault.kind for fault in read.faults] == [FaultKind.NO_OBJECTS]
    assert read.label_map.shape == (40, 64)
    assert np.unique(class_ids(read)[0]).tolist() == [VOID]


@pytest.mark.parametrize("name", [PNG, JPEG])
def test_missing_annotation_is_noted(idd_folder, name):
    annotation_of(idd_folder, name).unlink()
    scenes = load(idd_folder)
    assert [scene for scene, read in scenes.items() if read.label_map is None] == sorted([name, *TEST])
    faults = scenes[name].faults
    assert [fault.kind for fault in faults] == [FaultKind.NO_ANNOTATION]
    assert f"'{image_of(idd_folder, name).relative_to(idd_folder)}'" in faults[0].detail
    assert all(scenes[scene].faults == () for scene in TEST)


@pytest.mark.parametrize("name", [PNG, JPEG])
def test_missing_image_is_noted_as_a_scene_that_cannot_be_used(idd_folder, name):
    image_of(idd_folder, name).unlink()
    scenes = load(idd_folder)
    assert len(scenes) == 12
    record = scenes.records[name]
    assert (record.drive, record.published_split) == (name.split("/")[1], "train")
    fault = refuse(scenes, name)
    assert fault.kind is FaultKind.IMAGE_MISSING
    assert f"'{annotation_of(idd_folder, name).relative_to(idd_folder)}'" in fault.detail


@pytest.mark.parametrize("name", [PNG, JPEG])
@pytest.mark.parametrize("share", [0, 0.001, 0.02, 0.1, 0.4, 0.9, 0.999])
@pytest.mark.parametrize("least", [None, (24, 48)])
def test_cut_off_image_makes_its_scene_unusable(idd_folder, name, share, least):
    path = image_of(idd_folder, name)
    content = path.read_bytes()
    size = int(len(content) * share)
    path.write_bytes(content[:size])
    scenes = load(idd_folder)
    with pytest.raises(UnusableSceneError) as error:
        scenes.read(name, least)
    assert error.value.fault.kind is FaultKind.IMAGE_BROKEN
    assert f"'{path.relative_to(idd_folder)}'" in error.value.fault.detail
    assert f"({size} bytes)" in error.value.fault.detail


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_cut_off_annotation_makes_its_scene_unusable(idd_folder, share):
    path = annotation_of(idd_folder, PNG)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    scenes = load(idd_folder)
    fault = refuse(scenes, PNG)
    assert fault.kind is FaultKind.ANNOTATION_BROKEN
    assert f"'{path.relative_to(idd_folder)}'" in fault.detail
    assert scenes[JPEG].faults == ()


@pytest.mark.parametrize(
    "change",
    [
        {"objects": None},
        {"objects": "road"},
        {"objects": [{"label": "road", "polygon": "0 0 1 1"}]},
        {"objects": [{"label": "road", "polygon": [[0, 0], [1, 1], [float("nan"), 5]]}]},
        {"objects": [{"label": ["road"], "polygon": []}]},
        {"imgHeight": "high"},
        {"imgWidth": float("nan")},
    ],
)
def test_annotation_of_another_form_makes_its_scene_unusable(tmp_path, change):
    scene = add(tmp_path, ("road", square(0, 0, 64, 40)), **change)
    assert refuse(load(tmp_path), scene).kind is FaultKind.ANNOTATION_BROKEN


@pytest.mark.parametrize("image_size", [(80, 128), (39, 64), (64, 40)])
def test_annotation_of_another_size_is_noted_and_keeps_its_own(tmp_path, image_size):
    scene = add(tmp_path, ("road", square(0, 0, 64, 40)), image_size=image_size)
    read = load(tmp_path)[scene]
    assert (read.label_map.shape, read.size, read.image.shape) == ((40, 64), image_size, (*image_size, 3))
    assert [fault.kind for fault in read.faults] == [FaultKind.OTHER_SIZE]


@pytest.mark.parametrize(
    ("name", "part", "suffix"),
    [
        (PNG, PART_I, "jpg"),
        (PNG, PART_II, "png"),
        (PNG, PART_II, "jpg"),
        (PNG, ".", "png"),
        (JPEG, PART_II, "png"),
        (JPEG, PART_I, "jpg"),
        (JPEG, ".", "jpg"),
    ],
)
def test_one_frame_twice_cannot_be_used(idd_folder, name, part, suffix):
    first = image_of(idd_folder, name)
    second = idd_folder / part / "leftImg8bit" / f"{name}_leftImg8bit.{suffix}"
    second.parent.mkdir(parents=True, exist_ok=True)
    second.write_bytes(first.read_bytes())
    scenes = load(idd_folder)
    assert len(scenes) == 12
    fault = refuse(scenes, name)
    assert fault.kind is FaultKind.AMBIGUOUS
    assert f"'{first.relative_to(idd_folder)}'" in fault.detail
    assert f"'{second.relative_to(idd_folder)}'" in fault.detail


def test_one_annotation_in_both_parts_cannot_be_used(idd_folder):
    second = idd_folder / PART_II / "gtFine" / f"{PNG}_gtFine_polygons.json"
    second.parent.mkdir(parents=True)
    second.write_bytes(annotation_of(idd_folder, PNG).read_bytes())
    assert refuse(load(idd_folder), PNG).kind is FaultKind.AMBIGUOUS


def test_dangling_links_are_missing_files(idd_folder):
    for path in (image_of(idd_folder, PNG), annotation_of(idd_folder, JPEG)):
        path.unlink()
        path.symlink_to(idd_folder / "gone")
    scenes = load(idd_folder)
    assert refuse(scenes, PNG).kind is FaultKind.IMAGE_MISSING
    assert [fault.kind for fault in scenes[JPEG].faults] == [FaultKind.NO_ANNOTATION]


def test_label_maps_of_the_official_tool_beside_the_polygons_are_passed_over(idd_folder):
    for path in [*idd_folder.rglob("*.json")]:
        Image.new("L", (8, 8)).save(path.with_name(path.name.replace("polygons.json", "labellevel1Ids.png")))
    scenes = load(idd_folder)
    assert list(scenes) == sorted(TRAIN + VALIDATION + TEST)
    assert np.unique(scenes[PNG].label_map).size == 40


def test_parts_may_be_links(idd_folder, tmp_path):
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "one").symlink_to(idd_folder / PART_I)
    (tmp_path / "both" / "two").symlink_to(idd_folder / PART_II)
    assert load(tmp_path / "both").records == load(idd_folder).records
