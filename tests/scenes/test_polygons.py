import cv2
import numpy as np
import pytest

from roadseg.scenes.polygons import Polygon, draw_polygons

FRAME = [(-50, -50), (50, -50), (50, 50), (-50, 50)]


def square(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def draw_names(polygons, size):
    """Returns the first letter of the name of each pixel, one word a row."""
    label_map, names = draw_polygons([Polygon(label, points) for label, points in polygons], size)
    return ["".join(names[raw_id][0] for raw_id in row) for row in label_map.tolist()]


def test_no_polygon_leaves_the_background_everywhere():
    label_map, names = draw_polygons([], (2, 3))
    assert (label_map.dtype, label_map.tolist(), names) == (np.uint8, [[0] * 3] * 2, {0: "unlabeled"})


def test_both_edges_of_a_polygon_belong_to_it():
    assert draw_names([("road", square(1, 1, 3, 2))], (4, 6)) == ["uuuuuu", "urrruu", "urrruu", "uuuuuu"]


def test_points_are_x_then_y_and_sizes_height_then_width():
    assert draw_names([("sky", square(0, 0, 3, 0))], (2, 5)) == ["ssssu", "uuuuu"]
    assert draw_names([("sky", square(0, 0, 0, 3))], (5, 2)) == ["su", "su", "su", "su", "uu"]


def test_triangle():
    assert draw_names([("car", [(0, 0), (4, 0), (0, 4)])], (5, 5)) == ["ccccc", "ccccu", "cccuu", "ccuuu", "cuuuu"]


def test_later_polygons_are_painted_over_earlier_ones():
    road, car = ("road", square(0, 0, 2, 0)), ("car", square(1, 0, 3, 0))
    assert draw_names([road, car], (1, 5)) == ["rcccu"]
    assert draw_names([car, road], (1, 5)) == ["rrrcu"]
    assert draw_names([road, car, ("road", square(2, 0, 2, 0))], (1, 5)) == ["rcrcu"]


def test_polygons_of_one_label_have_one_id():
    polygons = [
        Polygon("car", square(0, 0, 0, 0)),
        Polygon("bus", square(1, 0, 1, 0)),
        Polygon("car", square(2, 0, 2, 0)),
    ]
    label_map, names = draw_polygons(polygons, (1, 4))
    assert label_map[0, 0] == label_map[0, 2]
    assert [names[raw_id] for raw_id in label_map[0].tolist()] == ["car", "bus", "car", "unlabeled"]
    assert sorted(names.values()) == ["bus", "car", "unlabeled"]


def test_polygon_of_the_background_erases():
    assert draw_names([("road", FRAME), ("unlabeled", square(1, 0, 1, 0))], (1, 3)) == ["rur"]


@pytest.mark.parametrize(
    ("points", "row"),
    [
        (FRAME, "rrrr"),
        (square(-5, -5, 1, 5), "rruu"),
        (square(2, -5, 999_999, 5), "uurr"),
        (square(-999_999, -999_999, 999_999, 999_999), "rrrr"),
        (square(4, 0, 9, 0), "uuuu"),
        (square(-9, 0, -1, 0), "uuuu"),
        (square(0, 1, 3, 9), "uuuu"),
    ],
)
def test_points_may_lie_outside_the_picture(points, row):
    assert draw_names([("road", points)], (1, 4)) == [row]


def test_points_that_lie_on_one_line_or_one_spot_are_drawn():
    assert draw_names([("pole", [(1, 0), (1, 1), (1, 2)])], (3, 3)) == ["upu", "upu", "upu"]
    assert draw_names([("pole", [(1, 1)] * 3)], (3, 3)) == ["uuu", "upu", "uuu"]


@pytest.mark.parametrize("seed", range(20))
def test_opencv_draws_the_same_but_for_the_edge(seed):
    random = np.random.default_rng(seed)
    points = random.integers(-40, 140, (random.integers(3, 12), 2))
    label_map, _ = draw_polygons([Polygon("car", [tuple(point) for point in points.tolist()])], (90, 100))
    expected, edge = np.zeros((2, 90, 100), np.uint8)
    cv2.fillPoly(expected, [points.astype(np.int32)], 1)
    cv2.polylines(edge, [points.astype(np.int32)], isClosed=True, color=1, thickness=3)
    np.testing.assert_array_equal(label_map[edge == 0], expected[edge == 0])
    assert label_map[edge == 0].size > 0.5 * label_map.size


def test_as_many_labels_as_a_byte_has_room_for():
    polygons = [Polygon(f"label {number}", square(number, 0, number, 0)) for number in range(255)]
    label_map, names = draw_polygons([*polygons, Polygon("unlabeled", square(0, 0, 0, 0))], (1, 255))
    assert [names[raw_id] for raw_id in label_map[0, 1:].tolist()] == [f"label {number}" for number in range(1, 255)]
    with pytest.raises(ValueError, match="one scene may hold 255 labels, this one has 256"):
        draw_polygons([*polygons, Polygon("label 255", FRAME)], (1, 255))
