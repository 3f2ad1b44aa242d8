import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from roadseg.datasets.images import file_fingerprint, read_bytes, read_image, read_label_map
from roadseg.scenes.faults import FaultKind, UnusableSceneError

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
PALETTES = {
    "colours": [3, 0, 200, 90, 90, 90] * 128,
    "one colour": [3, 0, 200] * 256,
    "greys": [level for level in range(256) for _ in range(3)],
    "greys from white to black": [level for level in range(255, -1, -1) for _ in range(3)],
    "one grey": [7, 7, 7] * 256,
}
BROKEN = {read_image: FaultKind.IMAGE_BROKEN, read_label_map: FaultKind.ANNOTATION_BROKEN}


def gradient():
    return np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def label_map(dtype):
    return (np.arange(6, dtype=dtype) * 50).reshape(2, 3)


def photograph(height, width):
    """Returns smooth hills of colour with a little noise: (height, width, 3) uint8."""
    random = np.random.default_rng(height * width)
    hills = cv2.resize(random.uniform(20, 230, (6, 9, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return (hills + random.normal(0, 4, hills.shape)).clip(0, 255).astype(np.uint8)


def save(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def save_indices(ids, path, *, bits=8, palette=None):
    """Saves ids as a PNG with a palette, or as one of one bit without a palette where `bits` is None."""
    picture = Image.fromarray(ids if bits else ids.astype(bool))
    if bits:
        picture.putpalette((palette or PALETTES["colours"])[: 3 * 2**bits])
    picture.save(path, **({"bits": bits} if bits else {}))
    with Image.open(path) as written:
        assert written.mode == ("P" if bits else "1")
    return path


def write_grey(path, bits, width, row):
    """Writes a PNG of one row in shades of grey, which Pillow does not with 2 or 4 bits; `row` are its packed bytes."""
    header = struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(content)
    return path


def refuse(read, path):
    """Returns the detail of the fault that reading must end in."""
    with pytest.raises(UnusableSceneError) as error:
        read(path)
    assert error.value.fault.kind is BROKEN[read]
    assert f"'{path}'" in error.value.fault.detail
    return error.value.fault.detail


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


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_tag_does_not_turn_an_image(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    halves = np.zeros((16, 32, 3), np.uint8)
    halves[:, :16] = 200
    path = save(halves, tmp_path / f"a.{suffix}", exif=exif)
    for least, shape in ((None, (16, 32)), ((8, 16), (16, 32) if suffix == "png" else (8, 16))):
        image, size = read_image(path, least)
        assert (image.shape[:2], size) == (shape, (16, 32))
        assert image[:, : shape[1] // 2].min() > 190
        assert image[:, shape[1] // 2 :].max() < 10


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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_label_map_keeps_its_ids(tmp_path, dtype):
    ids = label_map(dtype) * (1 if dtype == np.uint8 else 200)
    read = read_label_map(save(ids, tmp_path / "a.png"))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_label_map_with_a_palette_is_its_indices(tmp_path, palette, bits):
    ids = np.array([[0, 1, 2], [7, 14, 255]], np.uint8) & (2**bits - 1)
    read = read_label_map(save_indices(ids, tmp_path / "a.png", bits=bits, palette=palette))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, ids)


def test_transparent_colour_of_a_palette_is_an_index_like_any_other(tmp_path):
    picture = Image.fromarray(label_map(np.uint8))
    picture.putpalette(PALETTES["colours"])
    picture.save(tmp_path / "a.png", transparency=50)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png"), label_map(np.uint8))


def test_label_map_of_one_bit_has_the_ids_0_and_1(tmp_path):
    read = read_label_map(write_grey(tmp_path / "a.png", 1, 8, b"\x41"))
    assert (read.dtype, read.tolist()) == (np.uint8, [[0, 1, 0, 0, 0, 0, 0, 1]])
    ids = np.random.default_rng(0).integers(0, 2, (37, 101), np.uint8)
    np.testing.assert_array_equal(read_label_map(save_indices(ids, tmp_path / "b.png", bits=None)), ids)


@pytest.mark.parametrize(("bits", "width", "row"), [(2, 4, b"\x1b"), (2, 1, b"\0"), (4, 2, b"\x3f"), (4, 1, b"\0")])
def test_label_map_in_2_or_4_bits_of_grey_is_refused(tmp_path, bits, width, row):
    path = write_grey(tmp_path / "a.png", bits, width, row)
    assert f"has {bits} bits a pixel, expected 8 or 16" in refuse(read_label_map, path)


@pytest.mark.parametrize(
    ("bits", "row", "shades"), [(1, b"\x40", [0, 255]), (2, b"\x60", [85, 170]), (4, b"\x3f", [51, 255])]
)
def test_image_in_few_bits_of_grey_is_stretched(tmp_path, bits, row, shades):
    image, size = read_image(write_grey(tmp_path / "a.png", bits, 2, row))
    assert (image.tolist(), size) == ([[[shade] * 3 for shade in shades]], (1, 2))


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("RGBA", 4)])
def test_label_map_in_colours_is_refused(tmp_path, mode, channels):
    Image.new(mode, (3, 2), (1, 1, 2)).save(tmp_path / "colours.png")
    assert f"must have one channel of ids, it has {channels} that differ" in refuse(
        read_label_map, tmp_path / "colours.png"
    )


@pytest.mark.parametrize("read", [read_image, read_label_map, read_bytes])
def test_missing_file_is_named(tmp_path, read):
    with pytest.raises(DatasetError, match=rf"'{tmp_path}/a.png' can't be read: No such file"):
        read(tmp_path / "a.png")


def test_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=rf"'{tmp_path}' can't be read: Is a directory"):
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
    assert f"({size} bytes)" in refuse(read, path)


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("least", [None, (2, 3)])
def test_file_cut_off_anywhere_is_found(tmp_path, kind, least):
    path = save(photograph(16, 24), tmp_path / f"a.{kind}")
    content = path.read_bytes()
    for size in [*range(0, len(content), 7), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(UnusableSceneError):
            read_image(path, least)


@pytest.mark.parametrize("bits", [None, 1, 4, 8])
@pytest.mark.parametrize("share", [0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.9])
def test_cut_off_label_map_of_indices_is_named(tmp_path, bits, share):
    ids = np.random.default_rng(0).integers(0, 2, (60, 90), np.uint8)
    path = save_indices(ids, tmp_path / "a.png", bits=bits)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut off" in refuse(read_label_map, path)


@pytest.mark.parametrize("bits", [None, 1, 4, 8])
def test_label_map_of_indices_cut_off_anywhere_is_whole_or_refused(tmp_path, bits):
    ids = np.random.default_rng(0).integers(0, 2, (16, 24), np.uint8)
    path = save_indices(ids, tmp_path / "a.png", bits=bits)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        try:
            read = read_label_map(path)
        except UnusableSceneError:
            continue
        np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("bits", [None, 1, 4, 8])
def test_label_map_of_indices_with_one_damaged_bit_is_whole_or_refused(tmp_path, bits):
    random = np.random.default_rng(0)
    ids = np.kron(random.integers(0, 2, (9, 12)), np.ones((10, 10))).astype(np.uint8)
    path = save_indices(ids, tmp_path / "a.png", bits=bits)
    content = path.read_bytes()
    for place in range(content.index(b"IDAT") + 4, len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            read = read_label_map(path)
        except UnusableSceneError:
            continue
        np.testing.assert_array_equal(read, ids)


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
    content[place : place + 4] = b"\x7f\xff\x7f\xff"
    (tmp_path / "a.jpg").write_bytes(content)
    refuse(read_image, tmp_path / "a.jpg")


def test_fingerprint_holds_sizes_and_modification_times(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for number, path in enumerate(paths, start=1):
        path.write_bytes(b"x" * number)
        os.utime(path, ns=(0, 1_000_000_007 * number))
    assert file_fingerprint(paths) == "1:1000000007 2:2000000014"
    assert file_fingerprint([]) == ""
