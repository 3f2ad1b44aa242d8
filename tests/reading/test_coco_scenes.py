import json
import pickle
from pathlib import PurePosixPath

import pytest
from PIL import Image

from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.reading.coco_file import list_images
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

SIZE = (4, 6)
CATEGORIES = {"road": 7, "car": 3}
LEFT, RIGHT = [0, 0, 3, 0, 3, 4, 0, 4], [3, 0, 6, 0, 6, 4, 3, 4]


def write(folder, held, /, *, name="all.json", drawn=(), **changes):
    """Writes images (those of `drawn`, or all of `held`), and a file that says which objects each of `held` holds."""
    content = {
        "info": {"year": 2026},
        "licenses": [],
        "images": [
            {"id": number, "file_name": path, "height": SIZE[0], "width": SIZE[1]} for number, path in enumerate(held)
        ],
        "categories": [{"id": number, "name": each, "supercategory": ""} for each, number in CATEGORIES.items()],
        "annotations": [
            {"image_id": number, "category_id": CATEGORIES[label], "segmentation": [polygon], "iscrowd": 0, **more}
            for number, objects in enumerate(held.values())
            for label, polygon, more in objects
        ],
    }
    for number, each in enumerate(content["annotations"]):
        each["id"] = number + 1
    for path in drawn or held:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE[::-1]).save(folder / path)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | changes))
    return path


def road(polygon=LEFT, **more):
    return ("road", polygon, more)


def car(polygon=RIGHT, **more):
    return ("car", polygon, more)


def load(folder, images="{frame}.jpg", annotations="all.json", **how):
    return SceneFoldersDataset(filepath=str(folder), images=images, annotations=annotations, form="coco", **how).load()


def first_row(scene):
    return "".join(scene.raw_names[raw_id][0] for raw_id in scene.label_map[0].tolist())


def test_each_image_has_its_own_objects_by_the_names_of_their_categories(tmp_path):
    write(tmp_path, {"a.jpg": [road(), car()], "b.jpg": [car(LEFT)], "c.jpg": []})
    scenes = load(tmp_path)
    assert {scene: first_row(each) for scene, each in scenes.items()} == {"a": "rrrccc", "b": "cccuuu", "c": "uuuuuu"}
    assert [each.faults for each in scenes.values()] == [
        (),
        (),
        (Fault(FaultKind.NO_OBJECTS, "all of it is unlabeled"),),
    ]


def test_crowds_lie_below_single_objects(tmp_path):
    write(tmp_path, {"a.jpg": [car([2, 0, 4, 0, 4, 4, 2, 4]), road([0, 0, 6, 0, 6, 4, 0, 4], iscrowd=1)]})
    assert first_row(load(tmp_path)["a"]) == "rrccrr"


@pytest.mark.parametrize(
    ("images", "annotations", "paths", "names"),
    [
        ("{split}2017/{frame}.jpg", "annotations/instances_{split}2017.json", "{split}2017/{frame}.jpg", "{frame}.jpg"),
        ("{split}/{frame}.jpg", "{split}/_annotations.coco.json", "{split}/{frame}.jpg", "{frame}.jpg"),
        ("images/{split}/{frame}.jpg", "{split}.json", "images/{split}/{frame}.jpg", "images/{split}/{frame}.jpg"),
        ("images/{split}/{frame}.jpg", "{split}.json", "images/{split}/{frame}.jpg", "C:\\data\\{split}\\{frame}.jpg"),
        ("images/{split}/{frame}.jpg", "{split}.json", "images/{split}/{frame}.jpg", "/home/me/coco/{frame}.jpg"),
    ],
)
def test_files_of_each_split_are_found(tmp_path, images, annotations, paths, names):
    for split, polygon in (("train", LEFT), ("val", RIGHT)):
        drawn = [paths.format(split=split, frame=frame) for frame in "ab"]
        listed = {names.format(split=split, frame=frame): [road(polygon)] for frame in "ab"}
        write(tmp_path, listed, name=annotations.format(split=split), drawn=drawn)
    scenes = load(tmp_path, images, annotations)
    rows = {scene: first_row(each) for scene, each in scenes.items()}
    assert rows == dict.fromkeys(("train/a", "train/b"), "rrruuu") | dict.fromkeys(("val/a", "val/b"), "uuurrr")
    assert {each.published_split for each in scenes.records.values()} == {"train", "validation"}


def test_files_say_of_which_split_or_drive_their_images_are(tmp_path):
    write(tmp_path, {"a.jpg": [road(LEFT)], "b.jpg": [road(RIGHT)]}, name="north_train.json", drawn=["images/a.jpg"])
    write(tmp_path, {"c.jpg": [car(LEFT)]}, name="south_val.json", drawn=[f"images/{frame}.jpg" for frame in "bcd"])
    scenes = load(tmp_path, "images/{frame}.jpg", "{drive}_{split}.json")
    assert {scene: (each.drive, each.published_split) for scene, each in scenes.records.items()} == {
        "a": ("north", "train"),
        "b": ("north", "train"),
        "c": ("south", "validation"),
        "d": ("d", None),
    }
    assert [first_row(scenes[scene]) for scene in "abc"] == ["rrruuu", "uuurrr", "cccuuu"]
    (fault,) = scenes["d"].faults
    assert fault.detail == "'images/d.jpg' is not listed in 'north_train.json' and 'south_val.json'"


def test_image_that_two_files_list_is_refused(tmp_path):
    for name in ("train.json", "val.json"):
        write(tmp_path, {"a.jpg": [road()]}, name=name)
    with pytest.raises(UnusableSceneError) as error:
        load(tmp_path, annotations="{split}.json")["a"]
    assert error.value.fault == Fault(FaultKind.AMBIGUOUS, "'train.json' and 'val.json' list 'a.jpg'")


def test_one_file_for_each_image_is_read_too(tmp_path):
    for frame, polygon in (("a", LEFT), ("b", RIGHT)):
        write(tmp_path, {f"{frame}.jpg": [road(polygon)]}, name=f"{frame}.json")
    scenes = load(tmp_path, annotations="{frame}.json")
    assert {scene: first_row(each) for scene, each in scenes.items()} == {"a": "rrruuu", "b": "uuurrr"}


def test_other_files_of_the_same_form_can_be_ignored(tmp_path):
    for name in ("instances.json", "keypoints.json"):
        write(tmp_path, {"a.jpg": [road()]}, name=name)
    assert first_row(load(tmp_path, annotations="*.json", ignored="*points.json")["a"]) == "rrruuu"
    with pytest.raises(UnusableSceneError, match=r"'instances\.json' and 'keypoints\.json' list 'a\.jpg'"):
        load(tmp_path, annotations="*.json")["a"]


def test_label_maps_come_before_files_of_many_images(tmp_path):
    write(tmp_path, {"images/a.jpg": [road()], "images/b.jpg": [road()]})
    (tmp_path / "labels").mkdir()
    Image.new("L", SIZE[::-1], 9).save(tmp_path / "labels/a.png")
    scenes = load(tmp_path, "images/{frame}.jpg", ["labels/{frame}.png", "all.json"], raw_names={9: "sky"})
    assert {scene: first_row(each) for scene, each in scenes.items()} == {"a": "ssssss", "b": "rrruuu"}
    assert [each.faults for each in scenes.values()] == [(), ()]


def test_where_names_repeat_folders_tell_images_apart(tmp_path):
    write(tmp_path, {"images/x/1.jpg": [road(LEFT)], "images/y/1.jpg": [road(RIGHT)]})
    scenes = load(tmp_path, "images/{drive}/{frame}.jpg")
    assert {scene: first_row(each) for scene, each in scenes.items()} == {"x/1": "rrruuu", "y/1": "uuurrr"}
    assert [each.drive for each in scenes.records.values()] == ["x", "y"]


@pytest.mark.parametrize("folder", ["C:\\data\\", "/home/me/images2/", "../", "D:/images/old/"])
@pytest.mark.parametrize("images", ["images/{drive}/{frame}.jpg", "**/{drive}/{frame}.jpg", "images/{drive}/{frame}.*"])
def test_folders_above_the_drive_may_be_others(tmp_path, images, folder):
    held = {f"{folder}x/1.jpg": [road(LEFT)], f"{folder}y/1.jpg": [road(RIGHT)]}
    write(tmp_path, held, drawn=["images/x/1.jpg", "images/y/1.jpg"])
    assert {scene: first_row(each) for scene, each in load(tmp_path, images).items()} == {
        "x/1": "rrruuu",
        "y/1": "uuurrr",
    }


@pytest.mark.parametrize("images", ["**/{frame}/**/image.jpg", "../{name}/{frame}/image.jpg"])
def test_place_of_the_frame_in_a_path_need_not_be_known(tmp_path, images):
    write(tmp_path, {"1/image.jpg": [road(LEFT)], "2/image.jpg": [road(RIGHT)]})
    scenes = load(tmp_path, images.replace("{name}", tmp_path.name))
    assert {scene: first_row(each) for scene, each in scenes.items()} == {"1": "rrruuu", "2": "uuurrr"}


def test_folder_of_another_split_may_stand_above_the_drive(tmp_path):
    held = {"/old/x/1.jpg": [road(LEFT)], "/old/y/1.jpg": [road(RIGHT)]}
    write(tmp_path, held, name="val.json", drawn=["images/val/x/1.jpg", "images/val/y/1.jpg", "images/train/x/1.jpg"])
    scenes = load(tmp_path, "images/{split}/{drive}/{frame}.jpg", "{split}.json")
    assert {scene: first_row(scenes[scene]) for scene in ("val/x/1", "val/y/1")} == {
        "val/x/1": "rrruuu",
        "val/y/1": "uuurrr",
    }


def test_image_of_a_drive_that_is_not_there_is_no_image_of_another_drive(tmp_path):
    held = {"C:/x/rgb/1.jpg": [road(LEFT)], "C:/z/rgb/1.jpg": [road(RIGHT)]}
    write(tmp_path, held, drawn=["images/x/rgb/1.jpg", "images/y/rgb/1.jpg"])
    scenes = load(tmp_path, "images/{drive}/rgb/{frame}.jpg")
    assert first_row(scenes["x/1"]) == "rrruuu"
    assert [fault.kind for fault in scenes["y/1"].faults] == [FaultKind.NO_ANNOTATION]


@pytest.mark.parametrize("listed", [["1.jpg"], ["1.jpg", "1.jpg"], ["x/1.jpg", "1.jpg"]])
def test_file_that_may_mean_several_images_is_not_said_to_be_missing(tmp_path, caplog, listed):
    images = [{"id": number, "file_name": each} for number, each in enumerate(listed)]
    write(tmp_path, {}, images=images, drawn=["images/x/1.jpg", "images/y/1.jpg"])
    assert len(load(tmp_path, "images/{drive}/{frame}.jpg").records) >= 2
    assert "expected files named like" not in caplog.text
    assert f"No annotations of any image in '{tmp_path}' could be taken from '{tmp_path}/all.json'" in caplog.messages


@pytest.mark.parametrize("listed", [["1.jpg"], ["1.jpg", "1.jpg"], ["x/1.jpg", "1.jpg"]])
def test_names_that_may_mean_several_images_are_refused(tmp_path, listed):
    images = [{"id": number, "file_name": each} for number, each in enumerate(listed)]
    write(tmp_path, {}, images=images, drawn=["images/x/1.jpg", "images/y/1.jpg"])
    scenes = load(tmp_path, "images/{drive}/{frame}.jpg")
    for scene in ("x/1", "y/1"):
        with pytest.raises(UnusableSceneError) as error:
            scenes[scene]
        assert error.value.fault.kind is FaultKind.AMBIGUOUS
        assert f"images/{scene}.jpg" in error.value.fault.detail
        assert "images in 'all.json'" in error.value.fault.detail


def test_image_that_stands_in_two_foreign_folders_is_refused(tmp_path):
    images = [{"id": number, "file_name": f"{disk}:\\x\\1.jpg"} for number, disk in enumerate("CD")]
    write(tmp_path, {}, images=images, drawn=["images/x/1.jpg", "images/y/1.jpg"])
    with pytest.raises(UnusableSceneError, match=r"'images/x/1\.jpg' may be one of 2 images in 'all\.json'"):
        load(tmp_path, "images/{drive}/{frame}.jpg")["x/1"]


def test_image_that_is_not_listed_has_no_labels(tmp_path):
    write(tmp_path, {"a.jpg": [road()]}, drawn=["a.jpg", "b.jpg"])
    scene = load(tmp_path)["b"]
    assert scene.label_map is None
    assert scene.faults == (Fault(FaultKind.NO_ANNOTATION, "'b.jpg' is not listed in 'all.json'"),)


def test_listed_image_that_is_missing_is_named(tmp_path):
    write(tmp_path, {"a.jpg": [road()], "x/b.jpg": [car()]}, name="train.json", drawn=["train/a.jpg"])
    scenes = load(tmp_path, "{split}/{frame}.jpg", "{split}.json")
    assert list(scenes) == ["train/a", "train/x/b"]
    assert scenes.records["train/x/b"].published_split == "train"
    with pytest.raises(UnusableSceneError) as error:
        scenes["train/x/b"]
    assert error.value.fault == Fault(FaultKind.IMAGE_MISSING, "'train.json' lists 'x/b', and there is no such image")


def test_file_without_annotations_has_images_without_labels(tmp_path):
    path = write(tmp_path, {"a.jpg": []})
    content = json.loads(path.read_text())
    del content["annotations"]
    path.write_text(json.dumps(content))
    scene = load(tmp_path)["a"]
    assert (scene.label_map, scene.faults) == (None, ())


def test_category_that_is_not_listed_is_called_by_its_id(tmp_path):
    write(tmp_path, {"a.jpg": [road(category_id=99)]})
    assert set(load(tmp_path)["a"].raw_names.values()) == {"unlabeled", "category 99"}


def test_annotations_of_no_image_are_counted_in_the_log(tmp_path, caplog):
    write(tmp_path, {"a.jpg": [road(image_id=99), car(image_id=98), car()]})
    assert first_row(load(tmp_path)["a"]) == "uuuccc"
    assert "2 annotations in" in caplog.text
    assert "belong to none of its images" in caplog.text


def test_object_that_is_broken_spoils_its_own_scene_only(tmp_path):
    write(tmp_path, {"a.jpg": [road([1, 2, 3])], "b.jpg": [road()]})
    scenes = load(tmp_path)
    with pytest.raises(UnusableSceneError, match=r"^annotation broken: 'all\.json': a polygon of an object 'road'"):
        scenes["a"]
    assert first_row(scenes["b"]) == "rrruuu"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": None}, "is not in COCO's form: Input should be a valid array at images"),
        ({"images": [{"id": 1}]}, "is not in COCO's form: Field required at images.0.file_name"),
        ({"categories": [{"id": 1}]}, "is not in COCO's form: Field required at categories.0.name"),
        ({"annotations": [{"image_id": 1}]}, "Field required at annotations.0.category_id"),
        ({"images": [{"id": 1, "file_name": "a.jpg"}] * 2}, "each of the images in '.*' must have a different id"),
        (
            {"categories": [{"id": 1, "name": each} for each in "ab"]},
            "each of the categories in '.*' must have a different id",
        ),
    ],
)
def test_file_of_another_form_stops_with_its_name(tmp_path, changes, words):
    path = write(tmp_path, {"a.jpg": [road()]}, **changes)
    with pytest.raises(FileError, match=words) as error:
        len(load(tmp_path))
    assert f"'{path}'" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no json", b'{"images": ['])
def test_file_that_is_no_json_stops_with_its_name(tmp_path, content):
    path = write(tmp_path, {"a.jpg": [road()]})
    path.write_bytes(content)
    with pytest.raises(FileError, match=rf"'{path}' is not in COCO's form: Invalid JSON"):
        len(load(tmp_path))


def test_file_is_read_once_for_all_scenes_and_workers(tmp_path):
    path = write(tmp_path, {"a.jpg": [road()], "b.jpg": [car()]})
    scenes = load(tmp_path)
    assert len(scenes.records) == 2
    path.unlink()
    assert [first_row(each) for each in scenes.values()] == ["rrruuu", "uuuccc"]
    assert [first_row(each) for each in pickle.loads(pickle.dumps(scenes)).values()] == ["rrruuu", "uuuccc"]  # noqa: S301


def test_scene_is_known_by_its_own_objects_alone(tmp_path):
    def fingerprints(*objects_of_b, labels=None):
        write(tmp_path, {"a.jpg": [road()], "b.jpg": objects_of_b}, drawn=["c.jpg"])
        return [each.fingerprint for each in load(tmp_path, labels=labels).records.values()]

    for name in "ab":
        Image.new("RGB", SIZE[::-1]).save(tmp_path / f"{name}.jpg")
    before, after = fingerprints(car()), fingerprints(road())
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert set(fingerprints(car(), labels={"car": "van"})).isdisjoint(before)


def test_paths_are_listed_in_one_spelling(tmp_path):
    path = write(tmp_path, {"x\\Stra\u0308sse.jpg": [], "./y/b.jpg": []})
    assert [each for each, _ in list_images(path)] == [PurePosixPath("x/Strässe.jpg"), PurePosixPath("y/b.jpg")]
