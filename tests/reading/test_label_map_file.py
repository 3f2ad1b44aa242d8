import numpy as np
import pytest
from PIL import Image

from reading.pictures import PALETTES, refuse, save, save_indices, tagged, write_grey, write_tiff
from roadseg.reading.label_map_file import read_label_map
from roadseg.scenes.faults import UnusableSceneError

KINDS = {"uint": "unsigned", "int": "signed", "float": "float"}


def label_map(dtype):
    return (np.arange(6, dtype=dtype) * 50).reshape(2, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "palette.png", "tif", "palette.tif", "float.tif"])
def test_label_map_with_a_tag_of_its_own_is_turned_like_an_image(tmp_path, kind, orientation):
    ids = np.arange(6, dtype=np.float32 if kind.startswith("float") else np.uint8).reshape(2, 3)
    picture = Image.fromarray(ids)
    if kind.startswith("palette"):
        picture.putpalette(PALETTES["colours"])
    picture.save(tmp_path / f"a.{kind}", exif=tagged(orientation))
    turned = {1: ids, 2: ids[:, ::-1], 3: ids[::-1, ::-1], 4: ids[::-1], 5: ids.T, 6: ids[::-1].T}
    turned |= {7: ids[::-1, ::-1].T, 8: ids[:, ::-1].T}
    np.testing.assert_array_equal(read_label_map(tmp_path / f"a.{kind}"), turned[orientation])


@pytest.mark.parametrize(
    ("suffix", "options", "name"),
    [
        ("jpg", {"quality": 100}, "JPEG"),
        ("png", {"format": "JPEG"}, "JPEG"),
        ("png", {"format": "MPO"}, "JPEG"),
        ("webp", {"quality": 100}, "WebP"),
        ("png", {"format": "WEBP", "exif": tagged(1)}, "WebP"),
        ("webp", {"lossless": True, "save_all": True, "append_images": [Image.new("L", (32, 32), 1)]}, "WebP"),
        ("tif", {"compression": "jpeg"}, "JPEG"),
        ("jp2", {}, "JPEG 2000"),
        ("avif", {}, "AVIF"),
    ],
)
def test_lossy_label_map_is_refused_with_the_reason(tmp_path, suffix, options, name):
    path = save(np.zeros((32, 32), np.uint8), tmp_path / f"a.{suffix}", **options)
    assert f"is compressed as {name}, which changes ids: save it again from its source, as PNG" in refuse(
        read_label_map, path
    )


@pytest.mark.parametrize("suffix", ["tif", "bmp"])
def test_label_map_of_another_format_keeps_its_ids(tmp_path, suffix):
    read = read_label_map(save(label_map(np.uint8), tmp_path / f"a.{suffix}"))
    np.testing.assert_array_equal(read, label_map(np.uint8))
    picture = Image.fromarray(label_map(np.uint8))
    picture.putpalette(PALETTES["colours"])
    picture.save(tmp_path / f"b.{suffix}")
    np.testing.assert_array_equal(read_label_map(tmp_path / f"b.{suffix}"), label_map(np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("order", "<>")
def test_label_map_of_any_numbers_that_are_whole_is_read(tmp_path, dtype, order):
    ids = np.array([[0, 1, 2], [7, 126, 127]])
    if (order, dtype) == (">", np.uint32):
        detail = refuse(read_label_map, write_tiff(tmp_path / "a.tif", ids.astype(dtype), order))
        assert "unsigned numbers of 32 bits with the highest byte first, expected it last" in detail
        return
    read = read_label_map(write_tiff(tmp_path / "a.tif", ids.astype(dtype), order))
    assert read.dtype in (np.uint8, np.uint16)
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize(
    ("dtype", "value", "said"),
    [
        *((dtype, -1, "-1") for dtype in (np.int8, np.int16, np.int32, np.float32, np.float64)),
        *((dtype, 65_536, "65536") for dtype in (np.uint32, np.int32, np.float32, np.float64)),
        *(
            (np.float32, value, said)
            for value, said in ((0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf"), (-0.25, "-0.25"))
        ),
        (np.uint32, 4_000_000_000, "4000000000"),
        (np.float64, 254.999, "254.999"),
    ],
)
def test_number_that_is_no_raw_id_is_named(tmp_path, dtype, value, said):
    numbers = np.array([[0, 1, value], [7, value, 127]]).astype(dtype)
    detail = refuse(read_label_map, write_tiff(tmp_path / "a.tif", numbers))
    assert f"holds {said} in 2 pixels, expected whole numbers from 0 to 65535" in detail


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.float16])
def test_label_map_of_numbers_that_no_decoder_reads_is_refused(tmp_path, dtype):
    kind, bits = np.dtype(dtype).name.rstrip("0123456789"), np.dtype(dtype).itemsize * 8
    detail = refuse(read_label_map, write_tiff(tmp_path / "a.tif", np.ones((2, 3), dtype)))
    assert f"holds {KINDS[kind]} numbers of {bits} bits" in detail


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


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"P5\n4 1\n10\n\0\1\5\x0a", [0, 1, 5, 10]),
        (b"P5\n2 1\n65535\n\0\1\1\0", [1, 256]),
        (b"P2\n4 1\n255\n0 1 5 10\n", [0, 1, 5, 10]),
        (b"P2\n4 1\n10\n0 1 5 10\n", None),
    ],
)
def test_label_map_of_digits_is_read_or_refused_where_decoders_stretch_it(tmp_path, content, ids):
    (tmp_path / "a.pgm").write_bytes(content)
    if ids:
        assert read_label_map(tmp_path / "a.pgm").tolist() == [ids]
    else:
        assert "holds unsigned numbers of 4 bits" in refuse(read_label_map, tmp_path / "a.pgm")


@pytest.mark.parametrize(("bits", "width", "row"), [(2, 4, b"\x1b"), (2, 1, b"\0"), (4, 2, b"\x3f"), (4, 1, b"\0")])
def test_label_map_in_2_or_4_bits_of_grey_is_refused(tmp_path, bits, width, row):
    path = write_grey(tmp_path / "a.png", bits, width, row)
    assert f"holds unsigned numbers of {bits} bits, expected 8 or 16 or 32, or a palette" in refuse(
        read_label_map, path
    )


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("RGBA", 4)])
def test_label_map_in_colours_is_refused(tmp_path, mode, channels):
    Image.new(mode, (3, 2), (1, 1, 2)).save(tmp_path / "colours.png")
    assert f"must have one channel of ids, it has {channels} that differ" in refuse(
        read_label_map, tmp_path / "colours.png"
    )


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
