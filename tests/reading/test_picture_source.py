import os
from unicodedata import normalize

import pytest

from roadseg.errors import FileError
from roadseg.reading.picture import Picture
from roadseg.reading.picture_source import list_pictures
from roadseg.reading.video import Video


def lay(folder, *files):
    """Makes files that are never opened."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened")
    return folder


def names(source):
    return [picture.name for picture in list_pictures(source)]


def test_a_folder_gives_all_its_pictures_at_any_depth_by_name(tmp_path):
    lay(tmp_path, "b.PNG", "a 1.jpg", "a/z.Jpeg", "a/b/c/d.webp", "Straße/é.TIF", "x.tiff", "y.bmp")
    lay(
        tmp_path,
        "v.MP4",
        "w.avi",
        "z.mov",
        "z.mkv",
        "notes.txt",
        ".hidden.png",
        "a/Thumbs.db",
        "__MACOSX/c.png",
        ".cache/d.png",
        "png",
    )
    assert names(tmp_path) == ["Straße/é", "a/b/c/d", "a/z", "a 1", "b", "v", "w", "x", "y", "z.mkv", "z.mov"]
    found = {each.name: each for each in list_pictures(str(tmp_path))}
    assert found["a/z"] == Picture("a/z", tmp_path / "a/z.Jpeg")
    assert found["v"] == Video("v", tmp_path / "v.MP4")


def test_a_file_is_a_source_of_one(tmp_path):
    assert names(lay(tmp_path, "a b/1.JPG", "a b/2.jpg") / "a b/1.JPG") == ["1"]
    assert names(lay(tmp_path, "[1].png", "1.png") / "[1].png") == ["[1]"]


def test_files_whose_name_is_taken_keep_their_endings(tmp_path):
    lay(tmp_path, "a.jpg", "a.png", "b.jpg", "B.png", "c.jpg", "d/c.jpg", "e.jpg", "e.jpg.png")
    assert names(tmp_path) == ["B.png", "a.jpg", "a.png", "b.jpg", "c", "d/c", "e", "e.jpg.png"]
    lay(tmp_path / "drive", "clip.mp4", "clip/1.png", "tour.MOV", "tour 2.avi")
    assert names(tmp_path / "drive") == ["clip/1", "clip.mp4", "tour", "tour 2"]
    two = [normalize(form, "é") for form in ("NFC", "NFD")]
    lay(tmp_path / "accents", *(f"{name}.png" for name in two))
    assert sorted(names(tmp_path / "accents")) == sorted(f"{name}.png" for name in two)


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.jpg", ["a", "b"]),
        ("?.jpg", ["a", "b"]),
        ("[!a].jpg", ["b"]),
        ("*", ["2024-1/front/c", "2024-1/rear/c", "2024-2/front/d", "[a]/f", "a", "b"]),  # folders fit too
        ("2024-*", ["2024-1/front/c", "2024-1/rear/c", "2024-2/front/d"]),
        ("2024-*/front", ["2024-1/front/c", "2024-2/front/d"]),
        ("2024-1/*/*.png", ["front/c", "rear/c"]),  # below the folder that is named
        ("**/front/*.png", ["2024-1/front/c", "2024-2/front/d"]),
        ("**/[cd].*", ["2024-1/front/c", "2024-1/rear/c", "2024-2/front/d"]),
        (".old/*", ["e"]),
        ("[a]/*", ["f"]),  # a folder that is called so
    ],
)
def test_wildcards_find_files_and_folders(tmp_path, glob, found):
    lay(
        tmp_path,
        "a.jpg",
        "b.JPG",
        "2024-1/front/c.png",
        "2024-1/rear/c.png",
        "2024-2/front/d.png",
        ".old/e.png",
        "[a]/f.png",
    )
    assert names(tmp_path / glob) == found


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("told", ["Café/Zoë.png", "Café", "Café/*ë*", "C*é/Zoë.*"])
def test_accents_are_found_in_either_form_of_unicode(tmp_path, forms, told):
    lay(tmp_path, normalize(forms[0], "Café/Zoë.png"))
    (picture,) = list_pictures(tmp_path / normalize(forms[1], told))
    assert picture.path == tmp_path / normalize(forms[0], "Café/Zoë.png")


def test_a_name_that_is_not_in_utf_8_can_be_written_down(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    path.touch()
    (picture,) = list_pictures(tmp_path)
    assert (picture.name, picture.path) == (r"caf\xe9", path)


def test_links_are_followed_and_loops_of_them_end(tmp_path):
    lay(tmp_path, "far/away/a.png", "source/b.png")
    (tmp_path / "source/to a.png").symlink_to("../far/away/a.png")
    (tmp_path / "source/drive").symlink_to("../far", target_is_directory=True)
    (tmp_path / "source/loop").symlink_to(".", target_is_directory=True)
    (tmp_path / "far/away/back").symlink_to("../../source", target_is_directory=True)
    (tmp_path / "source/self.png").symlink_to("self.png")
    (tmp_path / "source/gone.png").symlink_to("nowhere.png")
    (tmp_path / "link").symlink_to("source", target_is_directory=True)
    for source in ("source", "link", "source/loop/loop"):
        assert names(tmp_path / source) == ["b", "drive/away/a", "gone", "self", "to a"]


def test_files_that_are_left_out_are_counted(tmp_path, caplog):
    lay(tmp_path, "a.jpg", "drive/b.GIF", "drive/c", "drive/d.mp4", "drive/.hidden")
    with caplog.at_level("INFO"):
        assert names(tmp_path) == ["a", "drive/d"]
    assert caplog.messages == ["Left out as neither picture nor video by ending: 2 of 4 files, such as 'drive/b.GIF'"]
    caplog.clear()
    with caplog.at_level("INFO"):
        assert names(tmp_path / "*.jpg") == ["a"]
    assert caplog.messages == []


ENDINGS = "expected one that ends in .png, .jpg, .jpeg, .tif, .tiff, .bmp, .webp, .mp4, .m4v, .mov, .avi, .mkv, .webm"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("nowhere", "'{0}/nowhere' does not exist: '{0}' has no 'nowhere'"),
        ("nowhere/b/*.png", "no file in '{0}' fits 'nowhere/b/*.png'"),
        ("full/b.jpg", "'{0}/full/b.jpg' does not exist: '{0}/full' has no 'b.jpg'"),
        ("empty", f"no picture or video in '{{0}}/empty', {ENDINGS}; '{{0}}/empty' contains no files"),
        (
            "texts",
            f"no picture or video in '{{0}}/texts', {ENDINGS}; '{{0}}/texts' contains 2 .txt, 1 .heic, such as 'a.txt'",
        ),
        ("texts/a.txt", f"'{{0}}/texts/a.txt' is no picture or video by its ending, {ENDINGS}"),
        ("texts/*.txt", f"'{{0}}/texts/a.txt' is no picture or video by its ending, {ENDINGS}"),
        ("full/*.png", "no file in '{0}/full' fits '*.png'"),
    ],
)
def test_a_source_without_a_picture_is_refused_in_a_sentence(tmp_path, source, sentence):
    lay(tmp_path, "full/a.jpg", "texts/a.txt", "texts/b.txt", "texts/c.heic")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError) as fault:
        list_pictures(tmp_path / source)
    assert str(fault.value) == sentence.format(tmp_path)
