import pytest

from roadseg.datasets.name_pattern import NamePattern

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
        ("{frame}.png", "a.PNG"),
        ("{frame}.png", "a.png.bak"),
        ("{frame}.png", "a.jpg"),
        ("images/{frame}.png", "other/images/a.png"),
        ("{split}/{frame}.png", "test/a.png"),
        ("{split}/{frame}.png", "trainval/a.png"),
        ("{split}/{frame}.png", "trai/a.png"),
        ("{split}/{frame}.png", "v1x0/a.png"),
        ("{frame}.*", "a.tif"),
        ("{frame}.*", "a.png~"),
        ("{frame}.*", "a"),
        ("{frame}.*", "apng"),
    ],
)
def test_other_names_do_not_match(tmp_path, pattern, name):
    assert find(tmp_path, pattern, name) == {}


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "PNG", "JPG", "JPEG", "Jpg"])
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
    with pytest.raises(ValueError, match=r"must hold \{frame\}, and no fields but split, drive, frame") as fault:
        NamePattern(pattern, SPLITS)
    assert f"'{pattern}'" in str(fault.value)
