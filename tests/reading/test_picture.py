import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from reading.pictures import photograph, save, tagged, write_grey
from roadseg.reading import picture
from roadseg.reading.picture import Picture
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

EXACT = {
    "grey.png": "L",
    "palette.png": "P",
    "one bit.png": "1",
    "grey and alpha.png": "LA",
    "alpha.png": "RGBA",
    "palette.bmp": "P",
    "palette.tif": "P",
    "grey.tiff": "L",
}
"""Name of a file -> Pillow's mode in which it holds a photograph."""


def refuse(path):
    with pytest.raises(UnusableSceneError) as error:
        Picture("a", path).read()
    assert str(path.parent) not in error.value.fault.detail
    return error.value.fault


@pytest.mark.parametrize("name", EXACT)
def test_any_kind_is_read_as_pillow_reads_it(tmp_path, name):
    photo = Image.fromarray(photograph(20, 34)).convert(EXACT[name])
    if EXACT[name].endswith("A"):
        photo.putalpha(Image.fromarray(photograph(20, 34)[..., 1]))
    photo.save(tmp_path / name)
    with Image.open(tmp_path / name) as written:
        assert written.mode == EXACT[name]
        np.testing.assert_array_equal(Picture("a", tmp_path / name).read(), np.asarray(written.convert("RGB")))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_read_as_pillow_reads_it_to_two_levels(tmp_path, suffix):
    inks = np.dstack([photograph(20, 34), photograph(20, 35)[:, :34, 0]])
    Image.fromarray(inks, "CMYK").save(tmp_path / f"a.{suffix}")
    with Image.open(tmp_path / f"a.{suffix}") as written:
        expected = np.asarray(written.convert("RGB"))
    read = Picture("a", tmp_path / f"a.{suffix}").read()
    assert np.abs(read.astype(int) - expected).max() <= 2


def test_transparent_pixels_of_a_tiff_are_dark(tmp_path):
    pixels = np.array([[(200, 100, 50, 255), (200, 100, 50, 128), (200, 100, 50, 0)]], np.uint8)
    read = Picture("a", save(pixels, tmp_path / "a.tif")).read()
    expected = pixels[..., :3] * (pixels[..., 3:] / 255)
    assert np.abs(read - expected).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_the_upper_byte_of_sixteen_bits_is_read(tmp_path, suffix):
    shades = np.arange(6 * 9, dtype=np.uint16).reshape(6, 9)
    Image.fromarray(shades * 256 + 200).save(tmp_path / f"a.{suffix}")
    read = Picture("a", tmp_path / f"a.{suffix}").read()
    np.testing.assert_array_equal(read, np.repeat(shades[..., None], 3, axis=2))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_picture_is_turned_as_its_tag_says(tmp_path, suffix):
    path = save(photograph(20, 34), tmp_path / f"a.{suffix}", exif=tagged(6))
    with Image.open(path) as written:
        turned = np.asarray(ImageOps.exif_transpose(written))
    read = Picture("a", path).read()
    assert read.shape == (34, 20, 3)
    assert np.abs(read.astype(int) - turned).max() <= 1


def test_one_pixel_is_a_picture(tmp_path):
    path = save(np.full((1, 1, 3), (9, 8, 7), np.uint8), tmp_path / "a.png")
    assert Picture("a", path).read().tolist() == [[[9, 8, 7]]]


def test_forty_thousand_pixels_square_are_a_fault_and_nothing_is_decoded(tmp_path):
    fault = refuse(write_grey(tmp_path / "a.png", 8, 40_000, b"\0", height=40_000))
    assert fault.kind is FaultKind.TOO_LARGE
    assert fault.detail.startswith("'a.png' has 40000 x 40000 pixels; at most 134217728 pixels and sides of 65500 can")


def test_the_longest_side_is_that_of_a_jpeg(tmp_path):
    Image.new("L", (65_500, 1)).save(tmp_path / "a.jpg")
    assert Picture("a", tmp_path / "a.jpg").read().shape == (1, 65_500, 3)
    assert refuse(save(np.zeros((1, 65_501), np.uint8), tmp_path / "b.png")).kind is FaultKind.TOO_LARGE


def test_a_file_that_memory_does_not_hold_is_not_opened(tmp_path):
    with (tmp_path / "a.tif").open("wb") as file:
        file.truncate(2**31)  # takes no room on the disk
    fault = refuse(tmp_path / "a.tif")
    assert fault.detail == "'a.tif' has 2147483648 bytes; at most 1073741824 can be read"


def test_memory_that_runs_out_is_a_fault_of_the_picture(tmp_path, monkeypatch):
    def run_out(path, **_):
        raise MemoryError(f"'{path}' can't be decoded: Failed to allocate")

    monkeypatch.setattr(picture, "read_image", run_out)
    fault = refuse(save(photograph(2, 3), tmp_path / "a.png"))
    assert (fault.kind, fault.detail) == (FaultKind.TOO_LARGE, "'a.png' can't be decoded: Failed to allocate")


def test_a_broken_picture_is_named_without_its_folder(tmp_path):
    content = save(photograph(20, 34), tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[:300])
    assert refuse(tmp_path / "a.jpg").kind is FaultKind.IMAGE_BROKEN
    (tmp_path / "b.png").write_bytes(b"")
    assert refuse(tmp_path / "b.png").detail.startswith("'b.png' is no image that can be read (0 bytes)")


@pytest.mark.parametrize(
    ("target", "kind", "detail"),
    [
        ("nowhere", FaultKind.IMAGE_MISSING, "'a.png' can't be read: No such file or directory"),
        ("a.png", FaultKind.IMAGE_MISSING, "'a.png' can't be read: Too many levels of symbolic links"),
        ("/dev/null", FaultKind.IMAGE_BROKEN, "'a.png' is no file, and leads to none"),
    ],
)
def test_a_link_that_leads_to_no_file_is_a_fault(tmp_path, target, kind, detail):
    (tmp_path / "a.png").symlink_to(target)
    fault = refuse(tmp_path / "a.png")
    assert (fault.kind, fault.detail) == (kind, detail)
    assert (Picture("a", tmp_path / "a.png").fingerprint == "") is (target != "/dev/null")


def test_a_picture_that_may_not_be_read_is_a_fault(tmp_path, as_ordinary_user):
    save(photograph(2, 3), tmp_path / "a.png").chmod(0)
    with as_ordinary_user(tmp_path), pytest.raises(UnusableSceneError) as error:
        Picture("a", Path("a.png")).read()
    assert error.value.fault == Fault(FaultKind.IMAGE_BROKEN, "'a.png' can't be read: Permission denied")


def test_a_changed_file_has_another_fingerprint(tmp_path):
    path = save(photograph(2, 3), tmp_path / "a.png")
    before = Picture("a", path).fingerprint
    assert Picture("b", path).fingerprint == before
    os.utime(path, ns=(1, 1))
    assert Picture("a", path).fingerprint not in {before, ""}


@pytest.mark.parametrize(("name", "drive"), [("a", ""), ("north/day 1/a", "north/day 1")])
def test_a_drive_is_the_folder(tmp_path, name, drive):
    assert Picture(name, tmp_path / "a.png").drive == drive
