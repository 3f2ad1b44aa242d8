import re
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import yaml
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.scene_folders import SceneFoldersDataset
from roadseg.errors import FileError
from roadseg.scenes.faults import FaultKind

CAMVID = ("images/{drive}_{frame}.png", "labels/{drive}_{frame}_L.png")
DRIVES = ("images/{drive}/{frame}.jpg", "labels/{drive}/{frame}.png")
VOC = ("JPEGImages/{frame}.jpg", "SegmentationClass/{frame}.png")
CITYSCAPES = ("leftImg8bit/*/{drive}/{frame}_leftImg8bit.png", "gtFine/*/{drive}/{frame}_gtFine_labelIds.png")
FOLDERS = ("scenes/{drive}/{frame}/image.png", "scenes/{drive}/{frame}/label.png")
DEEP = ("{drive}/**/{frame}.png", "{drive}/**/{frame}_L.png")

OTHERS = {
    CAMVID: "images/0001TP_006720.png",
    DRIVES: "images/other/1111.jpg",
    VOC: "JPEGImages/2007_000039.jpg",
    CITYSCAPES: "leftImg8bit/train/ulm/ulm_0_2_leftImg8bit.png",
    FOLDERS: "scenes/north/8/image.png",
    DEEP: "a/x/2.png",
}
"""A scene of each layout that no line means."""


def add(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 6), np.uint8)).save(folder / name)


def load(folder, patterns, lists, **contents):
    """Returns the published split of each scene; the contents are those of the list files, by their stems."""
    for name, content in contents.items():
        (folder / f"{name}.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    images, annotations = patterns
    data_set = SceneFoldersDataset(
        filepath=str(folder), images=images, annotations=annotations, raw_names={0: "road"}, split_lists=lists
    )
    return data_set.load()


def find(folder, patterns, lists, **contents):
    return {
        scene: record.published_split for scene, record in load(folder, patterns, lists, **contents).records.items()
    }


@pytest.mark.parametrize(
    ("patterns", "name", "scene", "line"),
    [
        *(
            (CAMVID, "images/0001TP_006690.png", "0001TP/006690", line)
            for line in (
                "0001TP_006690",
                "0001TP_006690.png",
                "0001TP_006690.jpg",
                "images/0001TP_006690.png",
                "/images/0001TP_006690",
                "./images/0001TP_006690.png",
                "train\\0001TP_006690.png",
                "/SegNet/CamVid/train/0001TP_006690.png /SegNet/CamVid/trainannot/0001TP_006690.png",
                "images/0001TP_006690.png\tlabels/0001TP_006690_L.png",
                "images/0001TP_006690.png,labels/0001TP_006690_L.png",
                "images/0001TP_006690.png ; labels/0001TP_006690_L.png",
                "'images/0001TP_006690.png'",
                "0001TP/006690",
                "006690",
                "  0001TP_006690  ",
            )
        ),
        *((VOC, "JPEGImages/2007_000032.jpg", "2007_000032", line) for line in ("2007_000032", "2007_000032 -1")),
        *(
            (DRIVES, "images/cabc30fc/0000.jpg", "cabc30fc/0000", line)
            for line in ("cabc30fc/0000.jpg", "0000", "bdd/images/10k/cabc30fc/0000.jpg", "cabc30fc/0000")
        ),
        *(
            (CITYSCAPES, "leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png", "ulm/ulm_0_1", line)
            for line in (
                "ulm/ulm_0_1",
                "leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png\tgtFine/train/ulm/ulm_0_1_gtFine_labelTrainIds.png",
                "ulm_0_1_leftImg8bit.png",
            )
        ),
        *(
            (FOLDERS, "scenes/north/7/image.png", "north/7", line)
            for line in ("north/7/image.png", "north/7", "7/image", "7")
        ),
        *((DEEP, "a/x/y/1.png", "a/1", line) for line in ("a/x/y/1.png", "x/y/1.png", "a/1", "data/set/a/x/y/1")),
        (DRIVES, "images/my drive/frame 1 (2).jpg", "my drive/frame 1 (2)", "my drive/frame 1 (2).jpg"),
        (DRIVES, "images/[a]/{b},c;d.jpg", "[a]/{b},c;d", "images/[a]/{b},c;d.jpg"),
        (DRIVES, "images/a/v1.2.jpg", "a/v1.2", "a/v1.2"),
    ],
)
def test_line_is_a_name_a_path_a_pair_or_an_id(tmp_path, patterns, name, scene, line):
    add(tmp_path, name, OTHERS[patterns])
    assert find(tmp_path, patterns, {"val": "val.txt"}, val=f"{line}\n") == {scene: "validation"}


def test_scenes_get_the_split_of_their_list_and_those_in_none_are_left_out(tmp_path, caplog):
    caplog.set_level("INFO")
    add(tmp_path, *(f"images/{name}.png" for name in ("a_1", "a_2", "b_1", "b_2", "c_1")))
    lists = {"Train": ["train.txt", "more.txt"], "valid": "val.txt", "testing": "test.txt"}
    found = find(tmp_path, CAMVID, lists, train="a_1", more="a_2\na_1\n", val="b_1", test="b_2")
    assert found == {"a/1": "train", "a/2": "train", "b/1": "validation", "b/2": "test"}
    assert "4 scenes are in a list; 1 are in none and are left out" in caplog.messages


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa_1\r\n\r\na_2\r\n",
        "a_1\r\na_2\r\n".encode("utf-16"),
        b"# images\n\n  \n\ta_1 \n# a_3\na_2",
        b"a_1\ra_2\r",
    ],
)
def test_blank_lines_comments_and_whatever_systems_write_are_passed_over(tmp_path, caplog, content):
    add(tmp_path, *(f"images/a_{number}.png" for number in (1, 2, 3)))
    assert find(tmp_path, CAMVID, {"test": "test.txt"}, test=content) == {"a/1": "test", "a/2": "test"}
    assert not [record for record in caplog.records if "match no scene" in record.message]


def test_letters_with_accents_match_in_either_form(tmp_path):
    add(tmp_path, f"images/a_{normalize('NFD', 'é')}.png")
    for form in ("NFC", "NFD"):
        assert len(find(tmp_path, CAMVID, {"test": "test.txt"}, test=normalize(form, "a_é"))) == 1


def test_scene_in_lists_of_two_splits_is_refused(tmp_path):
    add(tmp_path, "images/a_1.png", "images/a_2.png")
    with pytest.raises(FileError) as error:
        find(tmp_path, CAMVID, {"train": "train.txt", "test": "test.txt"}, train="a_1\na_2", test="\nimages/a_2.png")
    assert str(error.value) == (
        "scene 'a/2' is in lists of two splits: line 2 of 'train.txt', 'a_2'; line 2 of 'test.txt', 'images/a_2.png'"
    )


def test_lines_that_fit_no_scene_are_counted_in_the_log(tmp_path, caplog):
    add(tmp_path, "images/a_1.png")
    assert find(tmp_path, CAMVID, {"test": "test.txt"}, test="image,label\na_1\na_9\n") == {"a/1": "test"}
    assert (
        f"2 lines of '{tmp_path}/test.txt' match no scene; the first is line 1 of 'test.txt', 'image,label'"
        in caplog.messages
    )


def test_list_of_which_no_line_fits_a_scene_is_refused(tmp_path):
    add(tmp_path, "images/a_1.png")
    with pytest.raises(
        FileError, match=r"no line of '.*/test.txt' matches a scene; the first is line 1 of 'test.txt', 'x'"
    ):
        find(tmp_path, CAMVID, {"test": "test.txt"}, test="x\ny\n")


@pytest.mark.parametrize("content", ["", "\n \n", "# none\n"])
def test_empty_list_is_named(tmp_path, content):
    add(tmp_path, "images/a_1.png")
    with pytest.raises(FileError, match=r"the list '.*/val\.txt' names no scenes: fill it, or leave it out of"):
        find(tmp_path, CAMVID, {"train": "train.txt", "val": "val.txt"}, train="a_1", val=content)
    assert find(tmp_path, CAMVID, {"train": "train.txt"}) == {"a/1": "train"}


def test_frame_of_a_drive_that_is_not_there_is_no_scene_of_another_drive(tmp_path, caplog):
    add(tmp_path, "images/a/1.jpg")
    assert find(tmp_path, DRIVES, {"train": "train.txt"}, train="a/1.jpg\nb/1.jpg") == {"a/1": "train"}
    assert "1 lines of" in caplog.text


def test_line_that_fits_several_scenes_is_refused_and_more_of_the_path_helps(tmp_path):
    add(tmp_path, *(f"images/{drive}/1.jpg" for drive in "abcde"))
    with pytest.raises(FileError) as error:
        find(tmp_path, DRIVES, {"train": "train.txt"}, train="1.jpg")
    assert str(error.value) == (
        "line 1 of 'train.txt', '1.jpg', matches several scenes: a/1, b/1, c/1 and 2 more; write more of the path"
    )
    assert find(tmp_path, DRIVES, {"train": "train.txt"}, train="b/1.jpg") == {"b/1": "train"}


def test_pair_of_two_scenes_is_refused(tmp_path):
    add(tmp_path, "images/a_1.png", "images/a_2.png")
    with pytest.raises(FileError, match="matches several scenes: a/1, a/2"):
        find(tmp_path, CAMVID, {"train": "train.txt"}, train="images/a_1.png labels/a_2.png")


def test_annotation_is_missing_only_where_others_of_the_same_list_have_one(tmp_path):
    add(tmp_path, *(f"images/a_{number}.png" for number in (1, 2, 3)), "labels/a_1_L.png")
    scenes = load(tmp_path, CAMVID, {"train": "train.txt", "test": "test.txt"}, train="a_1\na_2", test="a_3")
    assert {scene: [fault.kind for fault in read.faults] for scene, read in scenes.items()} == {
        "a/1": [],
        "a/2": [FaultKind.NO_ANNOTATION],
        "a/3": [],
    }


@pytest.mark.parametrize("name", ["gone.txt", "/nowhere/gone.txt"])
def test_missing_list_is_named(tmp_path, name):
    add(tmp_path, "images/a_1.png")
    with pytest.raises(FileError, match=r"gone.txt' can't be read: No such file"):
        find(tmp_path, CAMVID, {"test": name})


def test_list_may_lie_elsewhere(tmp_path):
    add(tmp_path / "data", "images/a_1.png")
    (tmp_path / "test.txt").write_text("a_1")
    assert find(tmp_path / "data", CAMVID, {"test": str(tmp_path / "test.txt")}) == {"a/1": "test"}


def test_list_that_is_no_text_is_named(tmp_path):
    add(tmp_path, "images/a_1.png")
    with pytest.raises(FileError, match=r"list '.*/test.txt' is no text in UTF-8: byte 0xdf at place 4"):
        find(tmp_path, CAMVID, {"test": "test.txt"}, test=b"stra\xdfe")


def test_list_of_no_split_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="split_lists: no split is called 'holdout', expected train, training, val"):
        find(tmp_path, CAMVID, {"holdout": "test.txt"})


def test_list_that_is_no_name_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"split_lists of a data set are not valid: test: .*, received 3"):
        find(tmp_path, CAMVID, {"test": 3})


def test_pattern_that_tells_splits_too_is_refused_and_a_star_in_its_place_helps(tmp_path):
    add(tmp_path, "images/x/1.png")
    with pytest.raises(DatasetError) as error:
        find(tmp_path, ("images/{split}/{frame}.png", "labels/{frame}.png"), {"test": "test.txt"}, test="1")
    assert str(error.value) == (
        "split_lists already give the splits: write * instead of {split} in 'images/{split}/{frame}.png'"
    )
    patterns = ("images/*/{frame}.png", "labels/{frame}.png")
    assert find(tmp_path, patterns, {"test": "test.txt"}, test="1") == {"1": "test"}


def test_data_set_in_the_folders_of_voc_is_read_as_the_docs_say(tmp_path):
    text = (Path(__file__).parents[2] / "docs/own_data.md").read_text()
    entry = yaml.safe_load(re.search(r"^## Lists of scenes$.*?```yaml\n(.*?)```", text, re.MULTILINE | re.DOTALL)[1])
    add(tmp_path, *(f"JPEGImages/2007_{number:06}.jpg" for number in range(9)))
    add(tmp_path, *(f"SegmentationClass/2007_{number:06}.png" for number in range(5)))
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    for name, numbers in (("train", (0, 1, 2)), ("val", (3, 4))):
        lines = "".join(f"2007_{number:06}\n" for number in numbers)
        (tmp_path / f"ImageSets/Segmentation/{name}.txt").write_text(lines)
    records = SceneFoldersDataset(filepath=str(tmp_path), raw_names={0: "road"}, **entry).load().records
    assert [record.published_split for record in records.values()] == ["train"] * 3 + ["validation"] * 2
