import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from reading.pictures import BROKEN, photograph, refuse, save, save_indices, tagged, write_grey
from roadseg.errors import FileError
from roadseg.reading.images import decode, file_fingerprint, read_bytes, read_image
from roadseg.reading.label_map_file import read_label_map
from roadseg.scenes.faults import FaultKind, UnusableSceneError

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}

KEEPING = [("png", {}), ("tif", {}), ("tiff", {"compression": "tiff_lzw"}), ("webp", {"lossless": True})]
"""Endings of formats that keep pixels as they are and can have an orientation tag, with what to save them with."""


def gradient():
    return np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("least", [None, (4, 4), (1, 1)])
def test_channels_are_red_green_blue(tmp_path, suffix, colour, least):
    path = tmp_path / f"{colour}.{suffix}"
    Image.new("RGB", (32, 16), COLOURS[colour]).save(path)
    image, size = read_image(path, least)
    assert (image.ndim, image.shape[2], image.dtype, size) == (3, 3, np.uint8, (16, 32))
    assert np.abs(image.astype(int) - COLOURS[colour]).max() <= (0 if suffix == "png" else 1)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_red_green_and_blue_stand_where_they_do_in_the_picture(tmp_path, suffix):
    bands = np.repeat(np.array([list(COLOURS.values())], np.uint8), 16, axis=1).repeat(16, axis=0)  # (16, 48, 3)
    image, _ = read_image(save(bands, tmp_path / f"bands.{suffix}", **({} if suffix == "png" else {"subsampling": 0})))
    assert np.abs(image.astype(int) - bands).max() <= (0 if suffix == "png" else 2)


def test_png_is_read_exactly(tmp_path):
    image, size = read_image(save(gradient(), tmp_path / "a.png"))
    np.testing.assert_array_equal(image, gradient())
    assert size == (5, 7)


def test_ending_does_not_tell_the_format(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(save(gradient(), tmp_path / "a.png").read_bytes())
    np.testing.assert_array_equal(read_image(path, (1, 1))[0], gradient())


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_any_picture_becomes_three_channels(tmp_path, mode):
    Image.new("RGB", (3, 2), (51, 51, 51)).convert(mode).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0].tolist() == [[[51, 51, 51]] * 3] * 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpeg_become_three_channels(tmp_path, mode):
    Image.new("RGB", (32, 16), (51, 51, 51)).convert(mode).save(tmp_path / "a.jpg")
    image, size = read_image(tmp_path / "a.jpg", (8, 16))
    assert (image.shape, size) == ((8, 16, 3), (16, 32))
    assert np.abs(image.astype(int) - 51).max() <= 2


@pytest.mark.parametrize(("suffix", "options"), KEEPING)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tag_turns_an_image_as_pillow_does(tmp_path, suffix, options, orientation):
    pixels = photograph(20, 34)
    path = save(pixels, tmp_path / f"a.{suffix}", exif=tagged(orientation), **options)
    turned = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    image, size = read_image(path, (1, 1))
    np.testing.assert_array_equal(image, turned)
    assert size == turned.shape[:2] == ((34, 20) if orientation > 4 else (20, 34))
    assert image.flags.c_contiguous


@pytest.mark.parametrize(("suffix", "options"), [*KEEPING, ("jpg", {})])
def test_orientation_tag_behind_the_pixels_counts_too(tmp_path, suffix, options):
    path = save(photograph(20, 34), tmp_path / f"a.{suffix}", exif=tagged(6), **options)
    if suffix == "png":
        content = path.read_bytes()
        place = content.index(b"eXIf") - 4
        length = 12 + struct.unpack_from(">I", content, place)[0]
        end = content.index(b"IEND") - 4
        path.write_bytes(
            content[:place] + content[place + length : end] + content[place : place + length] + content[end:]
        )
    assert read_image(path)[1] == (34, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("least", "factor"), [((24, 40), 2), ((40, 24), 2), ((12, 20), 4), ((20, 12), 4), ((10, 6), 8), (None, 1)]
)
def test_turned_jpeg_is_shrunk_as_far_as_leaves_enough_of_what_is_seen(tmp_path, orientation, least, factor):
    # 48 x 80 or, sideways, 80 x 48; where `least` lies the other way, less can be taken.
    path = save(photograph(48, 80), tmp_path / "a.jpg", exif=tagged(orientation), quality=95)
    whole = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    image, size = read_image(path, least)
    assert size == whole.shape[:2] == ((80, 48) if orientation > 4 else (48, 80))
    lies_alike = least is None or (least[0] < least[1]) == (size[0] < size[1])
    if lies_alike:
        assert image.shape[:2] == (size[0] // factor, size[1] // factor)
    assert least is None or all(side >= kept for side, kept in zip(image.shape[:2], least, strict=True))
    shrunk = cv2.resize(whole, image.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(image.astype(int) - shrunk).mean() < 4


@pytest.mark.parametrize("tag", [0, 9, 65535])
def test_orientation_that_does_not_exist_turns_nothing(tmp_path, tag):
    assert read_image(save(photograph(20, 34), tmp_path / "a.jpg", exif=tagged(tag)))[1] == (20, 34)


def test_orientation_counts_where_another_tag_is_damaged(tmp_path):
    tags = tagged(6)
    tags[271] = "maker"
    content = save(photograph(20, 34), tmp_path / "a.jpg", exif=tags).read_bytes()
    place = content.index(struct.pack(">HHI", 271, 2, 6)) + 8  # where the maker's name stands
    (tmp_path / "a.jpg").write_bytes(content[:place] + b"\x7f\xff\xff\xff" + content[place + 4 :])
    assert read_image(tmp_path / "a.jpg")[1] == (34, 20)


@pytest.mark.parametrize(
    ("size", "least", "shape"),
    [
        # A half, a quarter and an eighth, each to the pixel and one pixel less than it takes.
        ((96, 160), (48, 80), (48, 80)),
        ((96, 160), (49, 80), (96, 160)),
        ((96, 160), (48, 81), (96, 160)),
        ((96, 160), (24, 40), (24, 40)),
        ((96, 160), (25, 40), (48, 80)),
        ((96, 160), (24, 41), (48, 80)),
        ((96, 160), (12, 20), (12, 20)),
        ((96, 160), (13, 20), (24, 40)),
        ((96, 160), (12, 21), (24, 40)),
        ((96, 160), (1, 1), (12, 20)),
        ((96, 160), (1, 160), (96, 160)),
        ((96, 160), (96, 160), (96, 160)),
        ((96, 160), (97, 1), (96, 160)),
        ((96, 160), (200, 300), (96, 160)),
        # Odd sizes: the decoder rounds up.
        ((227, 320), (114, 160), (114, 160)),
        ((227, 320), (115, 160), (227, 320)),
        ((227, 320), (57, 80), (57, 80)),
        ((227, 320), (58, 80), (114, 160)),
        ((227, 320), (29, 40), (29, 40)),
        ((227, 320), (30, 40), (57, 80)),
        ((61, 81), (31, 41), (31, 41)),
        ((61, 81), (16, 21), (16, 21)),
        ((61, 81), (8, 11), (8, 11)),
        ((61, 81), (8, 12), (16, 21)),
        ((1, 1), (1, 1), (1, 1)),
        ((9, 7), (2, 1), (2, 1)),
        # Frames of IDD for an input of 240 x 480.
        ((1080, 1920), (240, 480), (270, 480)),
        ((720, 1280), (240, 480), (360, 640)),
        ((964, 1280), (240, 480), (482, 640)),
        ((1080, 1920), None, (1080, 1920)),
    ],
)
def test_jpeg_is_shrunk_as_far_as_leaves_enough(tmp_path, size, least, shape):
    path = tmp_path / "a.jpg"
    Image.new("RGB", size[::-1], (200, 30, 90)).save(path)
    image, told = read_image(path, least)
    assert (image.shape, told) == ((*shape, 3), size)
    assert np.abs(image.astype(int) - (200, 30, 90)).max() <= 3


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 20}])
def test_any_kind_of_jpeg_is_shrunk(tmp_path, options):
    path = save(photograph(61, 81), tmp_path / "a.jpg", **options)
    assert read_image(path, (31, 41))[0].shape == (31, 41, 3)


@pytest.mark.parametrize("least", [(1, 1), (48, 80), None])
def test_png_is_never_shrunk(tmp_path, least):
    pixels = photograph(96, 160)
    image, size = read_image(save(pixels, tmp_path / "a.png"), least)
    np.testing.assert_array_equal(image, pixels)
    assert size == (96, 160)


@pytest.mark.parametrize(
    ("size", "least"),
    [((227, 320), (40, 80)), ((216, 384), (48, 96)), ((241, 320), (60, 120)), ((144, 256), (72, 128))],
)
def test_shrunk_and_resized_is_close_to_resized_whole(tmp_path, size, least):
    path = save(photograph(*size), tmp_path / "a.jpg", quality=95)
    shrunk, _ = read_image(path, least)
    assert shrunk.shape[:2] < size
    resized = cv2.resize(shrunk, least[::-1], interpolation=cv2.INTER_AREA)
    # Pillow's box filter is the area resize of another library.
    with Image.open(path) as picture:
        whole = np.asarray(picture.resize(least[::-1], Image.Resampling.BOX))
    difference = np.abs(resized.astype(int) - whole)
    assert difference.mean() < 1.5
    assert difference.max() < 10


@pytest.mark.parametrize("suffix", ["tif", "bmp", "webp"])
def test_other_formats_are_read_exactly(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    image, size = read_image(save(photograph(20, 34), tmp_path / f"a.{suffix}", **options), (1, 1))
    np.testing.assert_array_equal(image, photograph(20, 34))
    assert size == (20, 34)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_image_of_other_numbers_than_light_is_refused(tmp_path, dtype):
    cv2.imwrite(str(tmp_path / "a.tif"), np.zeros((4, 6, 3), dtype))
    kind, bits = ("float" if dtype(1.5) == 1.5 else "signed"), np.dtype(dtype).itemsize * 8
    assert f"holds {kind} numbers of {bits} bits, expected unsigned ones of 8 or 16" in refuse(
        read_image, tmp_path / "a.tif"
    )


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
@pytest.mark.parametrize("read", BROKEN)
def test_compression_that_is_not_read_is_named(tmp_path, read, compression):
    path = save(gradient(), tmp_path / "a.tif", compression=compression)
    assert f"is compressed as {compression}, expected LZW, deflate or none" in refuse(read, path)


def test_large_image_is_read(tmp_path):
    # More pixels than Pillow opens; shrunk, so that it takes little time and memory.
    Image.new("L", (14_000, 13_000), 90).save(tmp_path / "a.jpg")
    image, size = read_image(tmp_path / "a.jpg", (240, 480))
    assert (size, image.shape, image.min(), image.max()) == ((13_000, 14_000), (1625, 1750, 3), 90, 90)


def test_other_errors_of_the_decoder_are_faults_of_the_file(tmp_path):
    with pytest.raises(UnusableSceneError, match=r"a\.jpg' can't be decoded: !buf\.empty\(\)") as error:
        decode(tmp_path / "a.jpg", b"", cv2.IMREAD_COLOR_RGB, FaultKind.IMAGE_BROKEN)
    assert error.value.fault.kind is FaultKind.IMAGE_BROKEN


def test_memory_that_does_not_hold_an_image_is_told(tmp_path):
    Image.new("L", (14_000, 13_000), 90).save(tmp_path / "a.jpg")
    program = f"""
        import pathlib, psutil, resource
        from roadseg.reading.images import read_image
        room = psutil.Process().memory_info().vms + 300_000_000
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        read_image(pathlib.Path({str(tmp_path / "a.jpg")!r}))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False)
    assert re.search(
        r"^roadseg\.errors\.OutOfMemoryError: '.*/a\.jpg' can't be decoded: Failed to allocate 546000000",
        done.stderr,
        re.M,
    )


@pytest.mark.parametrize("read", BROKEN)
@pytest.mark.parametrize("size", [(32_769, 32_768), (1, 1_000_001)])
def test_image_that_is_too_large_is_named_with_the_limit(tmp_path, read, size):
    height, width = size
    (tmp_path / "a.png").write_bytes(write_grey(tmp_path / "a.png", 8, width, b"\0", height=height).read_bytes())
    with pytest.raises(UnusableSceneError) as error:
        read(tmp_path / "a.png")
    assert error.value.fault.kind is FaultKind.TOO_LARGE
    assert (
        f"a.png' has {size[0]} x {size[1]} pixels; at most 1073741824 pixels and sides of 1000000 can be read"
        in error.value.fault.detail
    )


@pytest.mark.parametrize(
    ("bits", "row", "shades"), [(1, b"\x40", [0, 255]), (2, b"\x60", [85, 170]), (4, b"\x3f", [51, 255])]
)
def test_image_in_few_bits_of_grey_is_stretched(tmp_path, bits, row, shades):
    image, size = read_image(write_grey(tmp_path / "a.png", bits, 2, row))
    assert (image.tolist(), size) == ([[[shade] * 3 for shade in shades]], (1, 2))


@pytest.mark.parametrize("read", [read_image, read_label_map, read_bytes])
def test_missing_file_is_named(tmp_path, read):
    with pytest.raises(FileError, match=rf"'{tmp_path}/a.png' can't be read: No such file"):
        read(tmp_path / "a.png")


def test_file_that_may_not_be_read_is_named(tmp_path, as_ordinary_user):
    save(gradient(), tmp_path / "a.png").chmod(0)
    with as_ordinary_user(tmp_path), pytest.raises(FileError, match=r"^'a.png' can't be read: Permission denied"):
        read_image(Path("a.png"))


def test_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(FileError, match=rf"'{tmp_path}' can't be read: Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("read", BROKEN)
@pytest.mark.parametrize("kind", ["png", "jpg", "progressive.jpg"])
@pytest.mark.parametrize("share", [0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.999])
def test_cut_off_file_is_named_with_its_size(tmp_path, read, kind, share):
    options = {"progressive": True} if kind.startswith("progressive") else {}
    path = save(photograph(60, 90), tmp_path / f"a.{kind}", **options)
    content = path.read_bytes()
    size = int(len(content) * share)
    path.write_bytes(content[:size])
    is_lossy = read is read_label_map and kind != "png"
    assert f"({size} bytes)" in (detail := refuse(read, path)) or (is_lossy and "as JPEG, which changes ids" in detail)


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tif", "webp"])
@pytest.mark.parametrize("least", [None, (2, 3)])
def test_file_cut_off_anywhere_is_found(tmp_path, kind, least):
    path = save(photograph(16, 24), tmp_path / f"a.{kind}")
    content = path.read_bytes()
    for size in [*range(0, len(content), 7), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(UnusableSceneError):
            read_image(path, least)


@pytest.mark.parametrize("read", BROKEN)
@pytest.mark.parametrize("content", [b"no picture", b"\0" * 1000, b"\xff\xd8\xff" * 50, b"\x89PNG\r\n\x1a\n" * 9])
def test_file_of_another_format_is_named(tmp_path, read, content):
    (tmp_path / "a.png").write_bytes(content)
    assert f"({len(content)} bytes)" in refuse(read, tmp_path / "a.png")


def test_damaged_bytes_within_a_png_are_found(tmp_path):
    path = save(photograph(60, 90), tmp_path / "a.png")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    refuse(read_image, path)


@pytest.mark.parametrize("read", BROKEN)
@pytest.mark.parametrize("bits", [None, 8])
@pytest.mark.parametrize("length", [0, 1, 12, 14, 255])
def test_damaged_length_of_a_header_is_found(tmp_path, read, bits, length):
    path = save_indices(np.eye(16, 24, dtype=np.uint8), tmp_path / "a.png", bits=bits)
    content = bytearray(path.read_bytes())
    content[11] = length  # of the first chunk, IHDR: 13
    path.write_bytes(content)
    assert f"({len(content)} bytes)" in refuse(read, path)


def test_header_that_tells_of_a_gigantic_picture_is_found(tmp_path):
    encoded = io.BytesIO()
    Image.new("RGB", (64, 40)).save(encoded, "JPEG")
    content = bytearray(encoded.getvalue())
    place = content.index(b"\xff\xc0") + 5  # height and width in the frame header
    content[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnusableSceneError, match=r"^too large: .* has 65535 x 65535 pixels"):
        read_image(tmp_path / "a.jpg")


def test_fingerprint_holds_sizes_and_modification_times(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for number, path in enumerate(paths, start=1):
        path.write_bytes(b"x" * number)
        os.utime(path, ns=(0, 1_000_000_007 * number))
    assert file_fingerprint(paths) == "1:1000000007 2:2000000014"
    assert file_fingerprint([]) == ""
