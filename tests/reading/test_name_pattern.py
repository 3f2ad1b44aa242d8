import os
from pathlib import Path
from unicodedata import normalize

import pytest

from roadseg.errors import FileError
from roadseg.reading.name_pattern import NamePattern

SPLITS = ("train", "val", "v1.0")


def find(folder, pattern, *names):
    """Returns the fields of the files that match, by path."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return {path.relative_to(folder).as_posix(): fields for path, fields in NamePattern(pattern, SPLITS).find(folder)}


@pytest.mark.parametrize(
    ("pattern", "name", "fields"),
    [
        ("{frame}.png", "a.png", {"frame": "a"}),
        ("{frame}", "a.png", {"frame": "a.png"}),
        ("{split}/{drive}/{frame}.png", "val/7/a.png", {"split": "val", "drive": "7", "frame": "a"}),
        ("{frame}_{split}.png", "a_val.png", {"split": "val", "frame": "a"}),
        ("{split}annot/{drive}_{frame}.png", "trainannot/a_b.png", {"split": "train", "drive": "a", "frame": "b"}),
        ("*/{frame}.*", "part one/a.jpg", {"frame": "a"}),
        ("*/*/x*y/{frame}.*", "1/2/x3y/a.jpg", {"frame": "a"}),
        ("*{frame}*.png", "a.png", {"frame": "a"}),
        ("{frame}*_mask.png", "a_1_mask.png", {"frame": "a"}),
        ("images/{frame}.png", "images/ä ö.png", {"frame": "ä ö"}),
        ("{frame}_x.png", "a_x_x.png", {"frame": "a_x"}),
        ("{frame}.png", "a.PNG", {"frame": "a"}),
        ("{frame}_labelIds.png", "a_labelIds.Png", {"frame": "a"}),
        ("./images//x/../{frame}.png", "images/a.png", {"frame": "a"}),
        ("{frame}/{frame}.png", "a.png/a.png.png", {"frame": "a.png"}),
        ("[{frame}].*", "[a].png", {"frame": "a"}),
        ("{drive}/{frame}.*", "a[1]/{b} *?.png", {"drive": "a[1]", "frame": "{b} *?"}),
        ("{frame}.*", "a\nb.png", {"frame": "a\nb"}),
    ],
)
def test_fields_are_read_from_the_path(tmp_path, pattern, name, fields):
    assert find(tmp_path, pattern, name) == {name: fields}


@pytest.mark.parametrize(
    ("pattern", "drive", "frame"),
    [
        ("{drive}_{frame}.png", "a", "b_c_d"),
        ("{frame}_{drive}.png", "b_c_d", "a"),
        ("{drive}_{frame}*.png", "a", "b"),
        ("{drive}{frame}.png", "a", "_b_c_d"),
    ],
)
def test_a_field_is_as_short_as_it_can_be(tmp_path, pattern, drive, frame):
    assert find(tmp_path, pattern, "a_b_c_d.png") == {"a_b_c_d.png": {"drive": drive, "frame": frame}}


@pytest.mark.parametrize("name", ["a/a_1.png", "b_c/b_c_1.png"])
def test_a_repeated_field_has_one_text(tmp_path, name):
    drive = name.split("/")[0]
    decoys = ["a/b_1.png", "a/aa_1.png", "b_c/b_1.png"]
    assert find(tmp_path, "{drive}/{drive}_{frame}.png", name, *decoys) == {name: {"drive": drive, "frame": "1"}}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{frame}.png", "deep/a.png"),
        ("{frame}.png", ".png"),
        ("{drive}/{frame}.png", "a.png"),
        ("{drive}/{frame}.png", "a/b/c.png"),
        ("*/{frame}.png", "a.png"),
        ("*/{frame}.png", "a/b/c.png"),
        ("{frame}_LabelIds.png", "a_labelids.png"),
        ("Images/{frame}.png", "images/a.png"),
        ("{frame}.png", "a.png.bak"),
        ("{frame}.png", "a.jpg"),
        ("images/{frame}.png", "other/images/a.png"),
        ("{split}/{frame}.png", "test/a.png"),
        ("{split}/{frame}.png", "trainval/a.png"),
        ("{split}/{frame}.png", "trai/a.png"),
        ("{split}/{frame}.png", "v1x0/a.png"),
        ("{frame}.*", "a.gif"),
        ("{frame}.*", "a.json"),
        ("{frame}.*", "a.png~"),
        ("{frame}.*", "a"),
        ("{frame}.*", "apng"),
    ],
)
def test_other_names_do_not_match(tmp_path, pattern, name):
    assert find(tmp_path, pattern, name) == {}


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "PNG", "Jpg", "tif", "tiff", "TIF", "bmp", "webp", "WebP"])
def test_endings_of_images(tmp_path, suffix):
    assert find(tmp_path, "{frame}.*", f"a.b.{suffix}") == {f"a.b.{suffix}": {"frame": "a.b"}}


@pytest.mark.parametrize(
    ("literal", "decoy"),
    [
        ("a.b", "axb"),
        ("a+", "aa"),
        ("[ab]", "a"),
        ("a?b", "axb"),
        ("(a|b)", "a"),
        ("^a$", "a"),
        (r"a\d", "a1"),
        ("[!a]", "b"),
    ],
)
def test_special_characters_stand_for_themselves(tmp_path, literal, decoy):
    names = [f"{literal}/1.png", f"{decoy}/2.png"]
    assert find(tmp_path, f"{literal}/{{frame}}.png", *names) == {names[0]: {"frame": "1"}}


def test_a_split_is_one_of_those_given(tmp_path):
    names = ["train/a.png", "val/a.png", "test/a.png", "v1.0/a.png"]
    found = find(tmp_path, "{split}/{frame}.png", *names)
    assert [fields["split"] for fields in found.values()] == ["train", "v1.0", "val"]


@pytest.mark.parametrize("name", ["Train/a.png", "TRAIN/a.png", "VAL/a.png", "V1.0/a.png"])
def test_a_split_may_have_capital_letters(tmp_path, name):
    assert find(tmp_path, "{split}/{frame}.png", name) == {name: {"split": name.split("/")[0], "frame": "a"}}


def test_of_splits_that_begin_alike_the_longer_counts(tmp_path):
    pattern = NamePattern("{split}{frame}.png", ("train", "training", "val"))
    for name in ("training7.png", "train7.png"):
        (tmp_path / name).touch()
    assert [fields for _, fields in pattern.find(tmp_path)] == [
        {"split": "train", "frame": "7"},
        {"split": "training", "frame": "7"},
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/{frame}.png", {"a.png": {}, "1/a.png": {}, "1/2/a.png": {}, "1/2/3/a.png": {}}),
        ("1/**/{frame}.png", {"1/a.png": {}, "1/2/a.png": {}, "1/2/3/a.png": {}}),
        ("**/3/{frame}.png", {"1/2/3/a.png": {}}),
        ("**/2/**/{frame}.png", {"1/2/a.png": {}, "1/2/3/a.png": {}}),
        ("**/**/{frame}.png", {"a.png": {}, "1/a.png": {}, "1/2/a.png": {}, "1/2/3/a.png": {}}),
        ("**/*/2/{frame}.png", {"1/2/a.png": {}}),
        ("**/{drive}/{frame}.png", {"1/a.png": "1", "1/2/a.png": "2", "1/2/3/a.png": "3"}),
        ("{drive}/**/{frame}.png", {"1/a.png": "1", "1/2/a.png": "1", "1/2/3/a.png": "1"}),
        ("{drive}/**/3/{frame}.png", {"1/2/3/a.png": "1"}),
    ],
)
def test_two_stars_are_any_number_of_folders(tmp_path, pattern, found):
    names = ["a.png", "1/a.png", "1/2/a.png", "1/2/3/a.png", "1/.2/a.png"]
    fields = {name: {"drive": drive} if drive else {} for name, drive in found.items()}
    assert find(tmp_path, pattern, *names) == {name: {**drive, "frame": "a"} for name, drive in fields.items()}


def test_two_stars_go_down_as_far_as_there_are_folders(tmp_path):
    name = "/".join(["d"] * 300) + "/a.png"
    assert find(tmp_path, "**/{frame}.png", name) == {name: {"frame": "a"}}


@pytest.mark.parametrize(
    "pattern", ["a**/{frame}.png", "**{frame}.png", "***/{frame}.png", "{frame}/**", "{frame}**.png"]
)
def test_two_stars_beside_text_or_at_the_end_are_refused(pattern):
    with pytest.raises(ValueError, match=r"pattern '.*', \*\* must be alone between slashes"):
        NamePattern(pattern, SPLITS)


@pytest.mark.parametrize("pattern", ["/{frame}.png", "/data/x/{frame}.png", "//x/{frame}.png"])
def test_pattern_that_starts_at_the_root_is_refused(pattern):
    with pytest.raises(ValueError, match="must start in the folder of the data set"):
        NamePattern(pattern, SPLITS)


def test_pattern_may_lead_out_of_the_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.png").touch()
    found = NamePattern("../labels/{frame}.png", SPLITS).find(tmp_path / "folder")
    assert list(found) == [(tmp_path / "folder/../labels/a.png", {"frame": "a"})]


LEFTOVERS = [
    *("._a.png", ".a.png", ".hidden/a.png", "x/.ipynb_checkpoints/a.png", "x/@eaDir/a.png", "__MACOSX/a.png"),
    *("#recycle/a.png", "@Recycle/x/a.png", "$RECYCLE.BIN/a.png", "System Volume Information/a.png"),
    *("lost+found/a.png", ".Trashes/a.png", ".git/a.png", ".AppleDouble/a.png"),
]


@pytest.mark.parametrize("pattern", ["{frame}.*", "{drive}/{frame}.*", "*/*/{frame}.png", "**/{frame}.*"])
@pytest.mark.parametrize("name", LEFTOVERS)
def test_hidden_files_and_what_systems_leave_behind_do_not_match(tmp_path, name, pattern):
    assert find(tmp_path, pattern, name) == {}


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "Icon\r", "._a"])
def test_leftovers_do_not_match_where_any_name_does(tmp_path, name):
    assert find(tmp_path, "{frame}", name, "a", "DS_Store") == {"a": {"frame": "a"}, "DS_Store": {"frame": "DS_Store"}}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (".hidden/{frame}.png", ".hidden/a.png"),
        ("@eaDir/{frame}.png", "@eaDir/a.png"),
        ("{drive}/._{frame}.png", "x/._a.png"),
        ("**/.cache/{frame}.png", "x/y/.cache/a.png"),
    ],
)
def test_hidden_files_that_the_pattern_names_match(tmp_path, pattern, name):
    assert [fields["frame"] for fields in find(tmp_path, pattern, name).values()] == ["a"]


def test_folder_itself_may_be_hidden(tmp_path):
    assert list(find(tmp_path / ".data/@eaDir", "{frame}.png", "a.png")) == ["a.png"]


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_pattern", ["NFC", "NFD"])
def test_letters_with_accents_match_in_either_form(tmp_path, on_disk, in_pattern):
    name, pattern = normalize(on_disk, "Zürich/é.png"), normalize(in_pattern, "Zürich/{frame}.png")
    assert find(tmp_path, pattern, name) == {name: {"frame": normalize("NFC", "é")}}
    pattern = normalize(in_pattern, "{drive}/{frame}.png")
    assert find(tmp_path, pattern) == {name: {"drive": normalize("NFC", "Zürich"), "frame": normalize("NFC", "é")}}


def test_name_that_is_not_in_utf_8_is_named(tmp_path):
    (tmp_path / os.fsdecode(b"stra\xdfe.png")).touch()
    with pytest.raises(FileError, match=r"the name of the file b'.*/stra\\xdfe\.png' is not in UTF-8: rename it"):
        find(tmp_path, "{frame}.png")
    assert find(tmp_path, "{frame}.jpg") == {}


def test_links_that_lead_round_in_circles_are_followed_once(tmp_path):
    (tmp_path / "folder/a/b").mkdir(parents=True)
    (tmp_path / "folder/a/b/up").symlink_to(tmp_path / "folder")
    (tmp_path / "folder/a/other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "folder/a")
    (tmp_path / "folder/self.png").symlink_to("self.png")
    found = find(tmp_path / "folder", "**/{frame}.png", "a/b/1.png", "a/other/2.png")
    assert list(found) == ["a/b/1.png", "a/other/2.png", "self.png"]


def test_what_is_no_file_does_not_match(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert find(tmp_path, "{frame}.png", "folder.png/a.png") == {}
    assert list(find(tmp_path, "**/{frame}.png")) == ["folder.png/a.png"]


def test_folder_that_may_not_be_read_is_named(tmp_path, as_ordinary_user):
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir(mode=0)
    with as_ordinary_user(tmp_path), pytest.raises(FileError, match=r"folder 'closed' can't be read: Permission"):
        find(Path(), "{drive}/{frame}.png")


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("images/x/{frame}.png", "images"),
        ("images/{drive}/{frame}.png", "images"),
        ("{drive}/{frame}.png", "."),
        ("gone/{frame}.png", "."),
        ("images/a_{drive}/b/{frame}.png", "images"),
        ("a.png/{frame}.png", "."),
    ],
)
def test_place_of_files_is_as_far_down_as_there_are_folders(tmp_path, pattern, place):
    (tmp_path / "images").mkdir()
    (tmp_path / "a.png").touch()
    assert NamePattern(pattern, SPLITS).find_place(tmp_path) == tmp_path / place


def test_files_come_sorted_by_path(tmp_path):
    names = ["b/1.png", "a/2.png", "a/10.png", "c/0.png"]
    assert list(find(tmp_path, "{drive}/{frame}.png", *names)) == ["a/10.png", "a/2.png", "b/1.png", "c/0.png"]


def test_links_are_files_even_where_they_lead_to_nothing_and_folders_are_none(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.png").touch()
    folder = tmp_path / "folder"
    (folder / "a" / "folder.png").mkdir(parents=True)
    (folder / "a" / "link.png").symlink_to(tmp_path / "elsewhere" / "x.png")
    (folder / "a" / "dangling.png").symlink_to(tmp_path / "gone.png")
    (folder / "a" / "folder link.png").symlink_to(tmp_path / "elsewhere")
    (folder / "b").symlink_to(tmp_path / "elsewhere")
    assert list(find(folder, "{drive}/{frame}.png")) == ["a/dangling.png", "a/link.png", "b/x.png"]


def test_folder_that_is_missing_or_empty_holds_no_files(tmp_path):
    assert find(tmp_path, "{frame}.png") == {}
    assert find(tmp_path / "none", "{frame}.png") == {}


@pytest.mark.parametrize(
    ("pattern", "fields"),
    [
        ("{frame}.png", ("frame",)),
        ("{frame}_{drive}_{split}", ("split", "drive", "frame")),
        ("{frame}/{frame}", ("frame",)),
    ],
)
def test_pattern_tells_its_fields_in_one_order(pattern, fields):
    assert NamePattern(pattern, SPLITS).fields == fields
    assert NamePattern(pattern, SPLITS).text == pattern


@pytest.mark.parametrize(
    "pattern",
    ["", "a.png", "{split}/{drive}.png", "{frame}_{camera}.png", "{}/{frame}.png", "a{2}/{frame}.png", "{Frame}.png"],
)
def test_pattern_without_a_frame_or_with_another_field_is_refused(pattern):
    with pytest.raises(ValueError, match=r"must contain \{frame\}, and no fields except split, drive, frame") as fault:
        NamePattern(pattern, SPLITS)
    assert f"'{pattern}'" in str(fault.value)
