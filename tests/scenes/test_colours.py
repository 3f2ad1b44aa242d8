import numpy as np
import pytest

from roadseg.scenes.colours import index_colours

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def picture(*rows):
    return np.array(rows, np.uint8)


def read(pixels, colours):
    """Returns the name of each pixel, or what it is called where it has none."""
    label_map, names, unnamed = index_colours(pixels, colours)
    assert label_map.shape == pixels.shape[:2]
    assert names.keys().isdisjoint(unnamed)
    return [[names.get(raw_id) or unnamed[raw_id] for raw_id in row] for row in label_map.tolist()]


def test_each_pixel_has_the_name_of_its_colour():
    pixels = picture([RED, RED, BLUE], [BLUE, BLACK, RED])
    assert read(pixels, {RED: "road", BLUE: "sky", BLACK: "void", GREEN: "tree"}) == [
        ["road", "road", "sky"],
        ["sky", "void", "road"],
    ]


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_colours_that_differ_in_one_channel_by_one_are_two(channel):
    near = tuple(value + (index == channel) for index, value in enumerate((7, 7, 7)))
    assert read(picture([(7, 7, 7), near]), {(7, 7, 7): "car", near: "van"}) == [["car", "van"]]


def test_several_colours_may_have_one_name():
    assert read(picture([RED, BLUE]), {RED: "void", BLUE: "void"}) == [["void", "void"]]


def test_colour_that_is_not_listed_is_told_with_its_pixels():
    pixels = picture([RED, (1, 2, 3), RED], [(1, 2, 3), (1, 2, 3), GREEN])
    assert read(pixels, {RED: "road"}) == [
        ["road", "colour (1, 2, 3) (3 pixels)", "road"],
        ["colour (1, 2, 3) (3 pixels)"] * 2 + ["colour (0, 255, 0) (1 pixels)"],
    ]


def test_of_many_colours_that_are_not_listed_the_commonest_are_told_and_the_others_counted():
    greys = [(value, value, value) for value in range(1, 9) for _ in range(value)]
    label_map, names, unnamed = index_colours(picture([RED, *greys]), {RED: "road"})
    assert names == {label_map[0, 0]: "road"}
    assert {unnamed[raw_id] for raw_id in label_map[0, 1:7].tolist()} == {"3 other colours (6 pixels)"}
    assert [unnamed[raw_id] for raw_id in sorted(unnamed)] == [
        *(f"colour ({value}, {value}, {value}) ({value} pixels)" for value in (8, 7, 6, 5, 4)),
        "3 other colours (6 pixels)",
    ]


def test_ids_are_those_of_a_search_pixel_by_pixel():
    random = np.random.default_rng(1)
    palette = random.permutation(2**24)[:40]
    palette = np.stack([palette >> 16, palette >> 8 & 255, palette & 255], axis=1).astype(np.uint8)
    cells = random.integers(0, 40, (9, 7))
    pixels = palette[np.kron(cells, np.ones((3, 5), int))]
    colours = {tuple(colour): f"class {index}" for index, colour in enumerate(palette.tolist())}
    assert read(pixels, colours) == [[colours[tuple(pixel)] for pixel in row] for row in pixels.tolist()]


def test_picture_of_more_colours_than_ids_is_read():
    codes = np.arange(70_000)
    pixels = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8)[None]
    label_map, names, unnamed = index_colours(pixels, {(0, 0, 9): "road", (1, 0, 0): "sky"})
    assert [names[label_map[0, code]] for code in (9, 65_536)] == ["road", "sky"]
    assert sum("69993 other colours" in each for each in unnamed.values()) == 1


def test_part_of_a_larger_picture_is_read():
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[::2] = RED
    assert read(pixels[::2, ::3], {RED: "road"}) == [["road"] * 3] * 3
