import os

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.images import file_fingerprint, read_image, read_label_map

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def gradient():
    return np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def label_map(dtype):
    return (np.arange(6, dtype=dtype) * 50).reshape(2, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("colour", COLOURS)
def test_channels_are_red_green_blue(tmp_path, suffix, colour):
    path = tmp_path / f"{colour}.{suffix}"
    Image.new("RGB", (16, 8), COLOURS[colour]).save(path)
    image = read_image(path)
    assert (image.shape, image.dtype) == ((8, 16, 3), np.uint8)
    assert np.abs(image.astype(int) - COLOURS[colour]).max() <= (0 if suffix == "png" else 1)


def test_png_is_read_exactly(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), gradient())


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_any_picture_becomes_three_channels(tmp_path, mode):
    Image.new("RGB", (3, 2), (51, 51, 51)).convert(mode).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[[51, 51, 51]] * 3] * 2


def test_orientation_tag_does_not_turn_an_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.new("RGB", (16, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (8, 16, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_label_map_keeps_its_ids(tmp_path, dtype):
    ids = label_map(dtype) * (1 if dtype == np.uint8 else 200)
    Image.fromarray(ids).save(tmp_path / "a.png")
    read = read_label_map(tmp_path / "a.png")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_label_map_in_colours_is_refused(tmp_path, mode):
    path = tmp_path / "colours.png"
    Image.new(mode, (3, 2)).save(path)
    with pytest.raises(DatasetError, match=rf"'{path}' must have one channel of ids, it has {len(mode)}"):
        read_label_map(path)


@pytest.mark.parametrize("read", [read_image, read_label_map])
def test_missing_file_is_named(tmp_path, read):
    with pytest.raises(DatasetError, match=rf"'{tmp_path}/a.png' can't be read: No such file"):
        read(tmp_path / "a.png")


def test_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=rf"'{tmp_path}' can't be read: Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("read", [read_image, read_label_map])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("share", [0, 0.2, 0.5, 0.95])
def test_cut_off_file_is_named_with_its_size(tmp_path, read, suffix, share):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)).save(path)
    size = int(path.stat().st_size * share)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DatasetError, match=rf"'{path}' is no image that can be read \({size} bytes\)"):
        read(path)


def test_file_of_another_format_is_named(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"'.*a.png' is no image that can be read \(10 bytes\)"):
        read_image(tmp_path / "a.png")


def test_fingerprint_holds_sizes_and_modification_times(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for number, path in enumerate(paths, start=1):
        path.write_bytes(b"x" * number)
        os.utime(path, ns=(0, 1_000_000_007 * number))
    assert file_fingerprint(*paths) == "1:1000000007 2:2000000014"
